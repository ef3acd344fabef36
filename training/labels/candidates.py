"""Active learning: which unlabelled rows to read next, by uncertainty and diversity.

Uncertain is a row for which a narrative's probability stands near the threshold of `review`, or
whose stance is open: the released model learns most where it is torn. Of the most uncertain rows of
a language, those far from each other are taken (greedy k-center on letter n-grams; Sener and
Savarese 2018). Rows of labelled cases or documents and near-duplicates of labelled text are left
out, since they could only join the side of their group.
"""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer

from serving.classifier import Classifier
from serving.normalise import normalise
from training.errors import LabelError
from training.labels import groups
from training.labels.records import Record, StandOff
from training.labels.sources import Passage, digest
from training.metrics import Array

POOL = 5
"""Rows that diversity chooses from, for each row that is wanted."""
CHUNK = 128
PICKED = "uncertainty"
LETTERS = (1, 1200)
"""Code points that a row may have to be read as one passage; longer ones are whole documents."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A row to read next."""

    passage: Passage
    uncertainty: float
    """0 to 1."""
    narrative: str
    """The one that the model is least sure of."""

    def as_row(self) -> dict[str, Any]:
        """Return a row for an annotator; what the model thinks is not in it."""
        record = self.passage.record
        return {
            "key": self.passage.key,
            "lang": self.passage.lang,
            "text": self.passage.text,
            "labels": None,
            "picked": PICKED,
            "how": record.how,
            "id": record.id,
            "source": self.passage.source,
            "sha256": digest(self.passage.text),
        }


def unlabelled(folder: Path, labelled: Iterable[Record], languages: set[str]) -> list[Passage]:
    """Return the rows of all sources that have no record, of some languages (all if empty).

    Raises:
        LabelError: there are no sources, or one is damaged.
    """
    known = {record.key for record in labelled}
    paths = sorted(folder.glob("*.jsonl.gz"))
    if not paths:
        raise LabelError(f"no sources under {folder}: pass --sources DIR with *.jsonl.gz files.")
    return [
        passage
        for path in paths
        for passage in _rows(path)
        if passage.key not in known and (not languages or passage.lang in languages)
    ]


def _rows(path: Path) -> Iterator[Passage]:
    source = path.name.removesuffix(".jsonl.gz")
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                text = row["text"].strip()
                if LETTERS[0] <= len(text) <= LETTERS[1]:
                    yield _passage(source, row, text)
    except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabelError(
            f"{path} is damaged ({error}): get it anew, or pass another --sources."
        ) from error


def _passage(source: str, row: dict[str, Any], text: str) -> Passage:
    record = StandOff(
        how="stand-off",
        source=source,
        id=str(row["id"]),
        lang=row["lang"],
        sha256=digest(text),
        labels={},
        annotator="-",
        date=date.min,
        picked=PICKED,
    )
    return Passage(
        key=record.key,
        text=text,
        lang=record.lang,
        labels={},
        source=source,
        record=record,
        row=row,
    )


def rate(classifier: Classifier, passages: Sequence[Passage]) -> list[Candidate]:
    """Rate rows by how torn the model is between its answers.

    With the probability p of a narrative and its threshold t of `review`, it is torn by
    1 - |p - t| / max(t, 1 - t); for a narrative that is found, the entropy of its stance counts as
    well if it is higher. Probabilities are calibrated and mostly near 0, so 1/2 would be the wrong
    middle.
    """
    review = np.array(
        [classifier.manifest.decisions[name].review for name in classifier.narratives]
    )
    rated = []
    for start in range(0, len(passages), CHUNK):
        part = passages[start : start + CHUNK]
        for passage, reading in zip(part, classifier.read([p.text for p in part]), strict=True):
            torn = _torn(reading.narratives, reading.stances, review).max(0)
            worst = int(torn.argmax())
            rated.append(
                Candidate(
                    passage=passage,
                    uncertainty=float(torn[worst]),
                    narrative=classifier.narratives[worst],
                )
            )
    return rated


def _torn(narratives: Array, stances: Array, review: Array) -> Array:
    presence = 1 - np.abs(narratives - review) / np.maximum(review, 1 - review)
    chances = np.clip(stances, 1e-12, 1)
    entropy = -(chances * np.log(chances)).sum(-1) / np.log(chances.shape[-1])
    return np.maximum(presence, np.where(narratives >= review, entropy, 0))


def choose(
    candidates: Iterable[Candidate], labelled: Sequence[Passage], quotas: Mapping[str, int]
) -> list[Candidate]:
    """Take the most uncertain rows of each language that are far from each other.

    Args:
        candidates: rated rows.
        labelled: passages that nothing may be tied to (see `groups`).
        quotas: language -> how many.
    """
    members: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        members[candidate.passage.lang].append(candidate)
    ranked = [
        candidate
        for code, count in quotas.items()
        for candidate in sorted(members[code], key=_rank)[: 2 * POOL * count]
    ]
    pools: dict[str, list[Candidate]] = defaultdict(list)
    for candidate in _apart(ranked, labelled):
        pools[candidate.passage.lang].append(candidate)
    return [
        candidate
        for code, count in quotas.items()
        for candidate in _spread(pools[code][: POOL * count], count)
    ]


def _rank(candidate: Candidate) -> tuple[float, str]:
    return -candidate.uncertainty, candidate.passage.key


def _apart(ranked: list[Candidate], labelled: Sequence[Passage]) -> list[Candidate]:
    """Leave out what is tied to labelled text or to a row that came before."""
    numbers = groups.assign([*labelled, *(c.passage for c in ranked)])
    taken = set(numbers[: len(labelled)])
    apart = []
    for candidate, number in zip(ranked, numbers[len(labelled) :], strict=True):
        if number not in taken:
            taken.add(number)
            apart.append(candidate)
    return apart


def _spread(ranked: list[Candidate], count: int) -> list[Candidate]:
    if len(ranked) <= count:
        return ranked
    letters = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=2**16)
    features = letters.transform([normalise(c.passage.text).text for c in ranked])
    chosen = [0]
    nearest = np.asarray((features @ features[0].T).todense()).ravel()
    while len(chosen) < count:
        # The row least like all that are chosen; a chosen one is wholly like itself.
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
        likeness = np.asarray((features @ features[chosen[-1]].T).todense()).ravel()
        nearest = np.maximum(nearest, likeness)
    return [ranked[index] for index in sorted(chosen)]
