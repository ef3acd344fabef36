"""Labelled passages as the trainer's rows: token ids, narratives, stances."""

import random
from collections.abc import Sequence

import torch
from datasets import Dataset
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from serving.normalise import normalise
from serving.tokens import Tokens
from training.labels.records import Labels
from training.labels.sources import Passage
from training.robustness.perturbations import PERTURBATIONS
from training.taxonomy import Taxonomy

NO_STANCE = -100
"""Where a narrative is not carried there is no stance to learn (cross entropy skips it)."""


def narrative_row(labels: Labels, taxonomy: Taxonomy) -> list[int]:
    """Return 1 for every narrative that is carried, in the taxonomy's order."""
    return [int(narrative in labels) for narrative in taxonomy.narrative_ids]


def stance_row(labels: Labels, taxonomy: Taxonomy) -> list[int]:
    """Return every narrative's stance as an index, `NO_STANCE` where it is not carried."""
    indices = {stance: index for index, stance in enumerate(taxonomy.stance_ids)}
    return [
        indices[labels[narrative]] if narrative in labels else NO_STANCE
        for narrative in taxonomy.narrative_ids
    ]


def dataset(passages: Sequence[Passage], taxonomy: Taxonomy, tokens: Tokens) -> Dataset:
    """Encode passages as when they are served: normalised, with prefix, cut at the limit."""
    ids = tokens.encode([normalise(passage.text).text for passage in passages])
    return Dataset.from_dict(
        {
            "input_ids": ids,
            "narratives": [narrative_row(p.labels, taxonomy) for p in passages],
            "stances": [stance_row(p.labels, taxonomy) for p in passages],
        }
    )


class TrainingRows(TorchDataset[dict[str, list[int]]]):
    """Encoded passages, of which every epoch sees another share perturbed.

    What a passage claims, and its labels, survive the perturbations (`training.robustness`): a
    network that has met them does not take case, script, punctuation or the actors' names for
    evidence.
    """

    def __init__(
        self,
        passages: Sequence[Passage],
        taxonomy: Taxonomy,
        tokens: Tokens,
        *,
        perturbed: float,
        seed: int,
    ) -> None:
        """Encode `passages`; a share of `perturbed` of them will be changed, drawn by `seed`."""
        self._texts = [passage.text for passage in passages]
        self._rows = list(dataset(passages, taxonomy, tokens))
        self._tokens = tokens
        self._perturbed = perturbed
        self._seed = seed
        self.lengths = [len(row["input_ids"]) for row in self._rows]
        self._ids = [row["input_ids"] for row in self._rows]

    def set_epoch(self, epoch: int) -> None:
        """Draw the perturbed passages of an epoch, from the seed alone."""
        self._ids = [row["input_ids"] for row in self._rows]
        generator = random.Random(f"{self._seed} {epoch}")  # noqa: S311 - no secret is drawn
        names = sorted(PERTURBATIONS)
        changed = {}
        for index, text in enumerate(self._texts):
            if generator.random() < self._perturbed:
                change = PERTURBATIONS[generator.choice(names)]
                changed[index] = normalise(change(text, generator)).text
        encoded = self._tokens.encode(list(changed.values()))
        for index, ids in zip(changed, encoded, strict=True):
            self._ids[index] = ids
        self.lengths = [len(ids) for ids in self._ids]

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        return {**self._rows[index], "input_ids": self._ids[index]}


def collate(rows: Sequence[dict[str, list[int]]]) -> dict[str, Tensor]:
    """Pad rows of a batch to its longest passage."""
    longest = max(len(row["input_ids"]) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row["input_ids"])] = torch.tensor(row["input_ids"])
        mask[index, : len(row["input_ids"])] = 1
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "narratives": torch.tensor([row["narratives"] for row in rows]),
        "stances": torch.tensor([row["stances"] for row in rows]),
    }


def shuffled_batches(lengths: Sequence[int], batch: int, seed: int) -> list[list[int]]:
    """Return batches of indices: random, but of similar length within each.

    Padding would else cost as much as the passages. Pools of 20 batches are sorted and cut, and the
    batches shuffled again.
    """
    generator = random.Random(seed)  # noqa: S311 - no secret is drawn
    order = list(range(len(lengths)))
    generator.shuffle(order)
    pool = batch * 20
    batches = []
    for start in range(0, len(order), pool):
        near = sorted(order[start : start + pool], key=lambda index: lengths[index])
        batches += [near[i : i + batch] for i in range(0, len(near), batch)]
    generator.shuffle(batches)
    return batches
