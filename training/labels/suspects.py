"""Likely label errors by confident learning (Northcutt, Jiang and Chuang 2021).

A model says of each passage, without having been trained on it, how probable every class is. The
threshold of a class is its mean probability over the passages that are labelled with it. A passage
that reaches the threshold of another class than its own, and of no more probable one, is a suspect:
those off the diagonal of the confident joint. Suspects are ranked by self-confidence, the
probability of the given class. Each narrative is a task of its own (carried or not); so is stance,
over the pairs of passage and carried narrative.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.linear_model import LogisticRegression

from training.baselines import one_hot
from training.labels import groups
from training.labels.folds import out_of_fold
from training.labels.sources import Passage
from training.metrics import Array, Labels
from training.readout import stance_truth, truth
from training.taxonomy import Taxonomy

STRENGTH = 30.0
"""Inverse regularisation: between what dev chooses for TF-IDF and for the encoder's features."""


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A label that somebody should read again."""

    passage: Passage
    kind: Literal["superfluous", "missing", "stance"]
    narrative: str
    given: str | None
    """The stance that the label has; None where the narrative is missing."""
    suggested: str | None
    """The stance that the model would give; None where the narrative itself is in doubt."""
    probability: float
    """Of what the model says instead."""
    self_confidence: float
    """Probability of the label as it is."""

    def as_json(self) -> dict[str, Any]:
        """Return a row of the list."""
        return {
            "key": self.passage.key,
            "lang": self.passage.lang,
            "kind": self.kind,
            "narrative": self.narrative,
            "given": self.given,
            "suggested": self.suggested,
            "probability": round(self.probability, 4),
            "self_confidence": round(self.self_confidence, 4),
            "text": self.passage.text,
        }


def confident(probabilities: Array, given: Labels) -> Labels:
    """Return the class that each row confidently belongs to, -1 where it reaches no threshold.

    Args:
        probabilities: out of fold, shape (rows, classes).
        given: the class that each row is labelled with; every class occurs.
    """
    classes = probabilities.shape[1]
    thresholds = np.array([probabilities[given == c, c].mean() for c in range(classes)])
    reached = probabilities >= thresholds
    best = np.where(reached, probabilities, -1).argmax(1)
    return np.where(reached.any(1), best, -1)


def find(passages: Sequence[Passage], features: Any, taxonomy: Taxonomy) -> list[Suspect]:
    """Return suspects, the least self-confident first.

    A narrative (or stance) that stands in too few groups to leave some out has no suspects.

    Args:
        passages: labelled, with their texts.
        features: a row for each passage.
        taxonomy: narratives and stances.
    """
    features, numbers = csr_matrix(features), np.array(groups.assign(passages))
    found = [
        *_narratives(passages, features, numbers, taxonomy),
        *_stances(passages, features, numbers, taxonomy),
    ]
    return sorted(found, key=lambda suspect: (suspect.self_confidence, suspect.passage.key))


def _narratives(
    passages: Sequence[Passage], features: csr_matrix, numbers: Labels, taxonomy: Taxonomy
) -> Iterator[Suspect]:
    carried = truth(passages, taxonomy)
    for column, narrative in enumerate(taxonomy.narrative_ids):
        given = carried[:, column]
        model = LogisticRegression(C=STRENGTH, solver="liblinear")
        probabilities = out_of_fold(model, features, given, numbers)
        if probabilities is None:
            continue
        belongs = confident(probabilities, given)
        for row in np.flatnonzero((belongs >= 0) & (belongs != given)).tolist():
            yield Suspect(
                passage=passages[row],
                kind="superfluous" if given[row] else "missing",
                narrative=narrative,
                given=passages[row].labels.get(narrative),
                suggested=None,
                probability=float(probabilities[row, belongs[row]]),
                self_confidence=float(probabilities[row, given[row]]),
            )


def _stances(
    passages: Sequence[Passage], features: csr_matrix, numbers: Labels, taxonomy: Taxonomy
) -> Iterator[Suspect]:
    stances = stance_truth(passages, taxonomy)
    rows, columns = np.nonzero(stances >= 0)
    if not len(rows):
        return
    # With the narrative as a feature, as in the baselines.
    pairs = csr_matrix(hstack([features[rows], one_hot(columns, len(taxonomy.narratives))]))
    classes, given = np.unique(stances[rows, columns], return_inverse=True)
    model = LogisticRegression(C=STRENGTH, max_iter=500)
    probabilities = out_of_fold(model, pairs, given, numbers[rows])
    if probabilities is None:
        return
    belongs = confident(probabilities, given)
    for pair in np.flatnonzero((belongs >= 0) & (belongs != given)).tolist():
        yield Suspect(
            passage=passages[rows[pair]],
            kind="stance",
            narrative=taxonomy.narrative_ids[columns[pair]],
            given=taxonomy.stance_ids[classes[given[pair]]],
            suggested=taxonomy.stance_ids[classes[belongs[pair]]],
            probability=float(probabilities[pair, belongs[pair]]),
            self_confidence=float(probabilities[pair, given[pair]]),
        )
