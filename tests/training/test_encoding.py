"""Labelled passages as rows: the ids that serving makes, labels in the taxonomy's order."""

import itertools
import math
from pathlib import Path

import pytest
import torch

from serving.tokens import Tokens
from training import encoding
from training.encoding import NO_STANCE, TrainingRows
from training.labels.records import Labels, Written
from training.labels.sources import Passage
from training.taxonomy import Taxonomy

LIMIT = 12


@pytest.fixture(scope="module")
def tokens(checkpoint: Path) -> Tokens:
    return Tokens(checkpoint / "tokenizer.json", prefix="", limit=LIMIT)


def passage(text: str, labels: Labels) -> Passage:
    fields = {"id": "1", "lang": "en", "annotator": "test", "date": "2026-01-01"}
    record = Written.model_validate(
        {"how": "written", "register": "post", "text": text, "labels": labels, **fields}
    )
    return Passage(
        key=record.key, text=text, lang="en", labels=labels, source="written", record=record
    )


@pytest.mark.parametrize(
    ("labels", "narratives", "stances"),
    [
        ({}, [0, 0, 0], [NO_STANCE, NO_STANCE, NO_STANCE]),
        ({"blue-boats": "against"}, [0, 1, 0], [NO_STANCE, 1, NO_STANCE]),
        ({"green-trains": "for", "red-tractors": "against"}, [1, 0, 1], [1, NO_STANCE, 0]),
    ],
    ids=["none", "one", "two, in another order"],
)
def test_labels_stand_in_the_taxonomys_order(
    made_up: Taxonomy, labels: Labels, narratives: list[int], stances: list[int]
) -> None:
    assert encoding.narrative_row(labels, made_up) == narratives
    assert encoding.stance_row(labels, made_up) == stances


def test_rows_carry_ids_and_labels_of_their_passage(made_up: Taxonomy, tokens: Tokens) -> None:
    texts = ["the red tractor", "a blue boat is good"]
    labels: list[Labels] = [{}, {"blue-boats": "for"}]
    rows = encoding.dataset([passage(*p) for p in zip(texts, labels, strict=True)], made_up, tokens)
    assert rows["input_ids"][:] == tokens.encode(texts)
    assert rows["narratives"][:] == [[0, 0, 0], [0, 1, 0]]
    assert rows["stances"][:] == [[NO_STANCE] * 3, [NO_STANCE, 0, NO_STANCE]]


def test_training_reads_what_serving_reads(made_up: Taxonomy, tokens: Tokens) -> None:
    plain, hidden = "the boat", "the b\N{CYRILLIC SMALL LETTER O}at"
    assert tokens.encode([plain]) != tokens.encode([hidden])
    rows = encoding.dataset([passage(plain, {}), passage(hidden, {})], made_up, tokens)
    assert rows["input_ids"][0] == rows["input_ids"][1]


def test_a_long_passage_is_cut_and_keeps_its_end(made_up: Taxonomy, tokens: Tokens) -> None:
    rows = encoding.dataset([passage("boat " * 50, {}), passage("boat " * 3, {})], made_up, tokens)
    long, short = rows["input_ids"]
    assert len(long) == LIMIT
    assert len(short) < LIMIT
    assert (long[0], long[-1]) == (short[0], short[-1])


def training_rows(made_up: Taxonomy, tokens: Tokens, perturbed: float) -> TrainingRows:
    passages = [passage(f"The blue boat {n} is good, they say!", {}) for n in range(40)]
    return TrainingRows(passages, made_up, tokens, perturbed=perturbed, seed=3)


def ids(rows: TrainingRows) -> list[list[int]]:
    return [row["input_ids"] for row in map(rows.__getitem__, range(len(rows)))]


def test_an_epoch_perturbs_a_share_and_another_epoch_another(
    made_up: Taxonomy, tokens: Tokens
) -> None:
    plain = ids(training_rows(made_up, tokens, 0))
    rows = training_rows(made_up, tokens, 0.5)
    seen = []
    for epoch in (0, 1):
        rows.set_epoch(epoch)
        seen.append([one != other for one, other in zip(ids(rows), plain, strict=True)])
        assert 5 < sum(seen[-1]) < 30
        assert rows.lengths == [len(one) for one in ids(rows)]
    assert seen[0] != seen[1]


def test_an_epoch_is_drawn_from_the_seed_alone(made_up: Taxonomy, tokens: Tokens) -> None:
    rows, again = (training_rows(made_up, tokens, 0.5) for _ in range(2))
    rows.set_epoch(0)
    rows.set_epoch(1)
    again.set_epoch(1)
    assert ids(rows) == ids(again)


def test_without_a_share_nothing_is_perturbed(made_up: Taxonomy, tokens: Tokens) -> None:
    rows = training_rows(made_up, tokens, 0)
    plain = ids(rows)
    rows.set_epoch(1)
    assert ids(rows) == plain


def test_a_batch_is_padded_to_its_longest_and_masked() -> None:
    rows = [
        {"input_ids": [5, 6, 7], "narratives": [0, 1], "stances": [NO_STANCE, 1]},
        {"input_ids": [8], "narratives": [1, 0], "stances": [0, NO_STANCE]},
    ]
    batch = encoding.collate(rows)
    assert batch["input_ids"][0].tolist() == [5, 6, 7]
    assert batch["input_ids"][1, 0] == 8
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch["narratives"].tolist() == [[0, 1], [1, 0]]
    assert batch["stances"].tolist() == [[NO_STANCE, 1], [0, NO_STANCE]]
    assert batch["input_ids"].dtype == torch.long


LENGTHS = [(index * 37) % 190 + 3 for index in range(1003)]


def test_batches_hold_every_passage_once() -> None:
    batches = encoding.shuffled_batches(LENGTHS, 16, seed=1)
    assert sorted(index for batch in batches for index in batch) == list(range(len(LENGTHS)))
    assert max(map(len, batches)) == 16


def test_batches_are_drawn_from_the_seed_alone() -> None:
    assert encoding.shuffled_batches(LENGTHS, 16, 1) == encoding.shuffled_batches(LENGTHS, 16, 1)
    assert encoding.shuffled_batches(LENGTHS, 16, 1) != encoding.shuffled_batches(LENGTHS, 16, 2)


def test_every_seed_makes_as_many_batches() -> None:
    # The trainer counts on it when it plans its steps.
    counts = {len(encoding.shuffled_batches(LENGTHS, 16, seed)) for seed in range(9)}
    assert counts == {math.ceil(len(LENGTHS) / 16)}


def test_passages_of_a_batch_are_of_similar_length_and_batches_in_no_order() -> None:
    batches = encoding.shuffled_batches(LENGTHS, 16, seed=1)
    padded = sum(len(batch) * max(LENGTHS[index] for index in batch) for batch in batches)
    assert padded < 1.15 * sum(LENGTHS)
    longest = [max(LENGTHS[index] for index in batch) for batch in batches]
    rises = sum(one < other for one, other in itertools.pairwise(longest))
    assert 0.3 < rises / len(longest) < 0.7
