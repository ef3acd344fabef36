"""From raw scores to probabilities, and from probabilities to accept, review or nothing."""

import numpy as np
from numpy.typing import NDArray

from serving.engine import Scores
from serving.model_folder import Manifest
from serving.predictions import Decision

Array = NDArray[np.float64]


class Decisions:
    """A manifest's calibration and thresholds, as arrays in the order of its narratives."""

    def __init__(self, manifest: Manifest) -> None:
        """Read the manifest's decisions."""
        rules = [manifest.decisions[label.id] for label in manifest.narratives]
        self._slopes = np.array([rule.slope for rule in rules])
        self._intercepts = np.array([rule.intercept for rule in rules])
        self._temperature = manifest.stance.temperature
        self.accept: Array = np.array([rule.accept for rule in rules])
        self.review: Array = np.array([rule.review for rule in rules])
        self.stance_accept: Array = np.array(
            [manifest.stance.accept[label.id] for label in manifest.stances]
        )

    def probabilities(self, scores: Scores) -> tuple[Array, Array]:
        """Return P(narrative), shape (passages, narratives), and P(stance), with stances last."""
        narratives = sigmoid(scores.narratives.astype(float) * self._slopes + self._intercepts)
        return narratives, softmax(scores.stances.astype(float) / self._temperature)

    def decide(self, narrative: int, confidence: float, stance: int, sureness: float) -> Decision:
        """Accept only what is sure in both: a narrative with a doubtful stance goes to a person.

        A rebuttal that is taken for the claim is the worst error that can be made here.
        """
        sure = confidence >= self.accept[narrative] and sureness >= self.stance_accept[stance]
        return "accept" if sure else "review"


def sigmoid(scores: Array) -> Array:
    """Return 1 / (1 + exp(-scores)) without overflow."""
    return np.asarray(np.exp(-np.logaddexp(0, -scores)))


def softmax(scores: Array) -> Array:
    """Return the softmax over the last axis."""
    shifted = np.exp(scores - scores.max(-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(-1, keepdims=True))
