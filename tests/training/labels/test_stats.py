"""Counts, and agreement against values computed by hand."""

import itertools
import json

import numpy as np
import pytest

from training.labels import stats
from training.labels.records import Labels, Record, StandOff, Written
from training.taxonomy import Taxonomy

_NUMBERS = itertools.count()


def written(
    labels: Labels, *, lang: str = "en", annotations: dict[str, Labels] | None = None
) -> Record:
    about = {"how": "written", "id": str(next(_NUMBERS)), "text": "A text.", "register": "post"}
    return Written.model_validate(
        {
            **about,
            "lang": lang,
            "labels": labels,
            "annotator": "A",
            "date": "2026-01-01",
            "annotations": annotations or {},
        }
    )


def stand_off(labels: Labels, *, lang: str = "en") -> Record:
    about = {"how": "stand-off", "id": str(next(_NUMBERS)), "source": "speeches"}
    return StandOff.model_validate(
        {
            **about,
            "sha256": "0" * 64,
            "picked": "random",
            "lang": lang,
            "labels": labels,
            "annotator": "A",
            "date": "2026-01-01",
        }
    )


def read_twice(one: Labels, other: Labels) -> Record:
    return written(one, annotations={"A": one, "B": other})


def boats(first: str, second: str) -> list[Record]:
    """Passages that two annotators read: a string of 0 and 1 for each of them."""
    labels: dict[str, Labels] = {"0": {}, "1": {"blue-boats": "for"}}
    return [read_twice(labels[a], labels[b]) for a, b in zip(first, second, strict=True)]


def test_records_are_counted_by_origin_language_narrative_and_stance(made_up: Taxonomy) -> None:
    records = [
        written({"red-tractors": "for", "blue-boats": "against"}),
        written({}, lang="kk"),
        stand_off({"red-tractors": "for"}, lang="kk"),
        stand_off({}, lang="kk"),
    ]
    found = stats.count(records, made_up)
    assert (found.total, found.real, found.none) == (4, 2, 2)
    assert found.by_language == {"kk": {"real": 2, "written": 1}, "en": {"real": 0, "written": 1}}
    assert list(found.by_language) == ["kk", "en"]
    assert found.by_narrative == {
        "red-tractors": {"for": 2, "against": 0},
        "blue-boats": {"for": 0, "against": 1},
        "green-trains": {"for": 0, "against": 0},
    }
    assert found.read_twice == 0


def test_alpha_is_1_where_annotators_agree(made_up: Taxonomy) -> None:
    agreement = stats.count(boats("110000", "110000"), made_up).agreement["blue-boats"]
    assert (agreement.both, agreement.one, agreement.alpha) == (2, 0, 1)


def test_alpha_of_a_small_example_by_hand(made_up: Taxonomy) -> None:
    agreement = stats.count(boats("110000", "101000"), made_up).agreement["blue-boats"]
    assert (agreement.both, agreement.one) == (1, 2)
    # Twelve values, four of them 1: of 12 * 11 ordered pairs 4 * 8 * 2 would differ by chance, and
    # of the 12 that were seen 4 do.
    assert agreement.alpha == pytest.approx(1 - (4 / 12) / (64 / 132))


def test_alpha_is_negative_where_annotators_contradict(made_up: Taxonomy) -> None:
    agreement = stats.count(boats("111000", "000111"), made_up).agreement["blue-boats"]
    # Of twelve values six are 1, all twelve pairs differ, and 72 of 132 would by chance.
    assert agreement.alpha == pytest.approx(1 - 132 / 72)


def test_alpha_is_near_0_where_annotators_guess(made_up: Taxonomy) -> None:
    draw = np.random.default_rng(0)
    guesses = ["".join(map(str, draw.integers(2, size=1000))) for _ in range(2)]
    agreement = stats.count(boats(*guesses), made_up).agreement["blue-boats"]
    assert abs(agreement.alpha) < 0.08


def test_only_the_narrative_counts_for_alpha_and_stance_is_counted_apart(made_up: Taxonomy) -> None:
    records = [
        read_twice({"blue-boats": "for"}, {"blue-boats": "for"}),
        read_twice({"blue-boats": "for"}, {"blue-boats": "against"}),
        read_twice({"blue-boats": "for", "red-tractors": "for"}, {"red-tractors": "for"}),
        read_twice({}, {}),
    ]
    found = stats.count(records, made_up)
    assert found.read_twice == 4
    assert (found.stance_alike, found.stance_compared) == (2, 3)
    assert found.agreement["red-tractors"].alpha == 1
    assert found.agreement["blue-boats"].both == 2
    assert found.agreement["blue-boats"].one == 1


def test_a_passage_read_once_says_nothing_of_agreement(made_up: Taxonomy) -> None:
    once = written({"blue-boats": "for"}, annotations={"A": {"blue-boats": "for"}})
    both = stats.count([once, *boats("10", "01")], made_up)
    assert both.read_twice == 2
    assert both.agreement == stats.count(boats("10", "01"), made_up).agreement


def test_the_table_has_every_language_and_narrative(made_up: Taxonomy) -> None:
    records = [stand_off({}, lang="kk"), *boats("110000", "101000")]
    lines = stats.count(records, made_up).as_table().splitlines()
    assert lines[0].startswith("7 passages: 1 real text by stand-off, 6 written")
    assert "5 carry no narrative" in lines[0]
    assert "| en | 0 | 6 |" in lines
    assert "| kk | 1 | 0 |" in lines
    assert "| `blue-boats` | 2 | 0 | 1 | 2 | 0.31 |" in lines
    assert lines[-1].endswith("1 of 1 alike.")
    header = next(line for line in lines if line.startswith("| narrative"))
    assert header == "| narrative | for | against | both | one only | alpha |"


def test_the_counts_for_machines_are_json(made_up: Taxonomy) -> None:
    records = [stand_off({}, lang="kk"), *boats("110000", "101000")]
    found = json.loads(json.dumps(stats.count(records, made_up).as_json()))
    assert (found["total"], found["real"], found["written"], found["none"]) == (7, 1, 6, 5)
    assert found["by_language"] == {"en": 6, "kk": 1}
    assert found["by_narrative"]["blue-boats"] == {"for": 2, "against": 0}
    assert found["alpha"]["blue-boats"] == 0.312
    assert found["stance_agreement"] == [1, 1]


def test_where_nothing_was_read_twice_alpha_is_unknown(made_up: Taxonomy) -> None:
    found = stats.count([written({"blue-boats": "for"})], made_up)
    assert found.agreement["blue-boats"].alpha is None
    assert found.as_json()["alpha"]["blue-boats"] is None
    assert "| `blue-boats` | 1 | 0 | 0 | 0 | - |" in found.as_table().splitlines()


def test_a_language_without_a_narrative_is_named(made_up: Taxonomy) -> None:
    every = dict.fromkeys(made_up.narrative_ids, "for")
    found = stats.count([written(every), written({"blue-boats": "for"}, lang="kk")], made_up)
    assert found.as_json()["by_language_and_narrative"] == {
        "en": {"red-tractors": 1, "blue-boats": 1, "green-trains": 1},
        "kk": {"red-tractors": 0, "blue-boats": 1, "green-trains": 0},
    }
    assert "- kk: no `red-tractors`, `green-trains`" in found.as_table().splitlines()
    assert "- en" not in found.as_table()
