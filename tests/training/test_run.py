"""Runs: a share of the training side is whole groups, and nested."""

import hashlib
import itertools

import pytest

from training import run
from training.labels.records import Written
from training.labels.sources import Passage


def passages(number: int) -> list[Passage]:
    made = []
    for index in range(number):
        text = hashlib.sha256(str(index // 2).encode()).hexdigest()
        record = Written.model_validate(
            {
                "how": "written",
                "id": str(index),
                "lang": "en",
                "text": text,
                "register": "post",
                "set": f"pair-{index // 2}",
                "labels": {},
                "annotator": "test",
                "date": "2026-01-01",
            }
        )
        made.append(
            Passage(
                key=record.key, text=text, lang="en", labels={}, source="written", record=record
            )
        )
    return made


def keys(chosen: list[Passage]) -> set[str]:
    return {passage.key for passage in chosen}


def test_the_whole_share_is_everything_in_its_order() -> None:
    everything = passages(10)
    assert run.share_of(everything, 1) == everything


@pytest.mark.parametrize("share", [0.125, 0.25, 0.5])
def test_a_share_is_of_groups_and_keeps_them_whole(share: float) -> None:
    chosen = run.share_of(passages(80), share)
    assert len(chosen) == 80 * share
    pairs = [int(passage.record.id) // 2 for passage in chosen]
    assert all(pairs.count(pair) == 2 for pair in pairs)


def test_a_smaller_share_is_part_of_a_larger_one() -> None:
    everything = passages(80)
    shares = [keys(run.share_of(everything, share)) for share in (0.125, 0.25, 0.5, 1)]
    assert all(small < large for small, large in itertools.pairwise(shares))


def test_the_order_of_the_corpus_changes_no_share() -> None:
    everything = passages(80)
    assert keys(run.share_of(everything, 0.25)) == keys(run.share_of(everything[::-1], 0.25))
