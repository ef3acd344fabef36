"""What a model folder says of labelled passages, read through serving's own classifier."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.classifier import Classifier
from serving.decisions import Decisions
from training.calibrate import Raw
from training.encoding import narrative_row, stance_row
from training.labels.sources import Passage
from training.metrics import Array, Labels
from training.taxonomy import Taxonomy

CHUNK = 128


@dataclass(frozen=True, kw_only=True)
class Said:
    """Probabilities of texts.

    `narratives` (texts, narratives): the highest probability over the parts that serving cut the
    text into. `stances` (texts, narratives, stances): those of that part.
    """

    narratives: Array
    stances: Array

    def reviewed(self, decisions: Decisions) -> NDArray[np.bool_]:
        """Return what serving would answer at all, shape (texts, narratives)."""
        return np.asarray(self.narratives >= decisions.review)

    def accepted(self, decisions: Decisions) -> NDArray[np.bool_]:
        """Return what serving would answer with `accept`, stance included."""
        sure = self.stances.max(-1) >= decisions.stance_accept[self.stances.argmax(-1)]
        return np.asarray((self.narratives >= decisions.accept) & sure)


@dataclass(frozen=True, kw_only=True)
class Readout(Said):
    """Probabilities beside labels.

    `truth` (passages, narratives): 1 where a narrative is carried. `stance_truth` (passages,
    narratives): the stance's index, negative where a narrative is not carried.
    """

    truth: Labels
    stance_truth: Labels

    def as_raw(self) -> Raw:
        """Return raw scores; only right for a folder whose calibration is still the identity."""
        p = np.clip(self.narratives, 1e-12, 1 - 1e-12)
        return Raw(
            scores=np.log(p / (1 - p)),
            truth=self.truth,
            stances=np.log(np.maximum(self.stances, 1e-12)),
            stance_truth=self.stance_truth,
        )


def read(classifier: Classifier, passages: Sequence[Passage], taxonomy: Taxonomy) -> Readout:
    """Classify labelled passages as a caller's text would be."""
    said = listen(classifier, [passage.text for passage in passages])
    return Readout(
        narratives=said.narratives,
        stances=said.stances,
        truth=truth(passages, taxonomy),
        stance_truth=stance_truth(passages, taxonomy),
    )


def listen(classifier: Classifier, texts: Sequence[str]) -> Said:
    """Classify texts that may have no labels."""
    narratives, stances = [], []
    for start in range(0, len(texts), CHUNK):
        for reading in classifier.read(texts[start : start + CHUNK]):
            best = reading.narratives.argmax(0)
            columns = np.arange(len(best))
            narratives.append(reading.narratives[best, columns])
            stances.append(reading.stances[best, columns])
    return Said(narratives=np.array(narratives), stances=np.array(stances))


def truth(passages: Sequence[Passage], taxonomy: Taxonomy) -> Labels:
    """Return 1 where a passage carries a narrative, shape (passages, narratives)."""
    return np.array([narrative_row(p.labels, taxonomy) for p in passages])


def stance_truth(passages: Sequence[Passage], taxonomy: Taxonomy) -> Labels:
    """Return stance indices, negative where a narrative is not carried."""
    return np.array([stance_row(p.labels, taxonomy) for p in passages])
