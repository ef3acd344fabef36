"""Calibration and thresholds, fitted on the dev side and never on what is trained or tested.

Narratives: Platt scaling of each raw score (Platt 1999). Stance: one temperature (Guo et al. 2017).
Thresholds: `accept` for precision, `review` for recall; a stance has one for precision too, and
that of claims also keeps debunks from being accepted as one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.linear_model import LogisticRegression

from serving.decisions import sigmoid, softmax
from serving.model_folder import NarrativeDecision, StanceDecision
from training.errors import TrainingError
from training.metrics import Array, Labels
from training.taxonomy import CLAIM, REBUTTAL, Taxonomy

ACCEPT_PRECISION = 0.9
REVIEW_RECALL = 0.9
STANCE_PRECISION = 0.95
DEBUNKS_AS_CLAIMS = 0.01
"""Share of the debunks that may be accepted as a claim: the worst error has its own limit."""
LOWEST_ACCEPT = 0.5
LOWEST_REVIEW = 0.05
FEWEST = 5
"""Fewer passages that carry a narrative cannot place its thresholds."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Raw scores of passages beside their labels.

    `scores` and `truth` (passages, narratives); `stances` (passages, narratives, stances);
    `stance_truth` (passages, narratives), negative where a narrative is not carried.
    """

    scores: Array
    truth: Labels
    stances: Array
    stance_truth: Labels


def decisions(raw: Raw, narratives: list[str]) -> dict[str, NarrativeDecision]:
    """Fit Platt scaling and both thresholds of every narrative.

    Raises:
        TrainingError: no passage of the dev side carries a narrative.
    """
    if not raw.truth.any():
        raise TrainingError(
            "no passage of the dev side carries a narrative, so nothing can be calibrated: "
            "label more, or move some to dev."
        )
    pooled = _platt(raw.scores.reshape(-1), raw.truth.reshape(-1), strength=1e6)
    fitted = {}
    for column, name in enumerate(narratives):
        scores, truth = raw.scores[:, column], raw.truth[:, column]
        slope, intercept = _shrunk_platt(scores, truth, pooled)
        accept, review = _thresholds(sigmoid(slope * scores + intercept), truth)
        fitted[name] = NarrativeDecision(
            slope=slope, intercept=intercept, accept=accept, review=review
        )
    return fitted


def stance(raw: Raw, stances: list[str]) -> StanceDecision:
    """Fit the stance temperature and, for each stance, the probability at which it is relied on."""
    carried = raw.stance_truth >= 0
    scores, truth = raw.stances[carried], raw.stance_truth[carried]

    def loss(log_temperature: float) -> float:
        chosen = softmax(scores / np.exp(log_temperature))[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    temperature = 1.0
    if len(truth) >= FEWEST:
        temperature = float(np.exp(minimize_scalar(loss, bounds=(-2, 3), method="bounded").x))
    probabilities = softmax(scores / temperature)
    chosen, sureness = probabilities.argmax(-1), probabilities.max(-1)
    accept = {
        name: _precise(
            sureness[chosen == index], (truth == index)[chosen == index], STANCE_PRECISION
        )
        for index, name in enumerate(stances)
    }
    return StanceDecision(temperature=temperature, accept=accept)


def spare_debunks(
    stance: StanceDecision,
    raw: Raw,
    decisions: dict[str, NarrativeDecision],
    taxonomy: Taxonomy,
) -> StanceDecision:
    """Raise the threshold of claims until `DEBUNKS_AS_CLAIMS` of the debunks or fewer pass as one.

    A debunk rebuts a narrative and advances none; it passes as a claim if any narrative is accepted
    in that stance. The precision of a stance says little about them: they are few among the claims.
    """
    if not {CLAIM, REBUTTAL} <= set(taxonomy.stance_ids):
        return stance
    claim, rebuttal = (taxonomy.stance_ids.index(name) for name in (CLAIM, REBUTTAL))
    rebuts = (raw.stance_truth == rebuttal).any(1) & ~(raw.stance_truth == claim).any(1)
    rules = [decisions[name] for name in taxonomy.narrative_ids]
    slopes, intercepts, accept = np.array([(r.slope, r.intercept, r.accept) for r in rules]).T
    carried = sigmoid(raw.scores * slopes + intercepts) >= accept
    stances = softmax(raw.stances / stance.temperature)
    claims = carried & (stances.argmax(-1) == claim)
    sureness = np.sort(np.where(claims, stances[..., claim], 0.0).max(1)[rebuts])[::-1]
    allowed = int(len(sureness) * DEBUNKS_AS_CLAIMS)
    if len(sureness) <= allowed or sureness[allowed] < stance.accept[CLAIM]:
        return stance
    # Just above the first debunk that would be one too many.
    threshold = min(1.0, float(np.nextafter(sureness[allowed], 1)))
    return stance.model_copy(update={"accept": {**stance.accept, CLAIM: threshold}})


def _platt(scores: Array, truth: NDArray[np.int64], *, strength: float) -> tuple[float, float]:
    model = LogisticRegression(C=strength, max_iter=1000).fit(scores[:, None], truth)
    slope = float(model.coef_[0, 0])
    # Scores that say the opposite of the labels are no model's; they are left as they are.
    return (slope, float(model.intercept_[0])) if slope > 0 else (1.0, 0.0)


def _shrunk_platt(
    scores: Array, truth: NDArray[np.int64], pooled: tuple[float, float]
) -> tuple[float, float]:
    """Fit around the fit of all narratives: a rare one moves only as far as it has cause."""
    slope, intercept = pooled
    if truth.sum() < FEWEST:
        return slope, intercept
    shared = slope * scores + intercept

    def loss(move: Array) -> float:
        logits = shared * np.exp(move[0]) + move[1]
        return float(np.logaddexp(0, np.where(truth == 1, -logits, logits)).sum() + move @ move)

    stretch, shift = minimize(loss, np.zeros(2)).x
    return slope * float(np.exp(stretch)), intercept * float(np.exp(stretch)) + float(shift)


def _thresholds(probabilities: Array, truth: NDArray[np.int64]) -> tuple[float, float]:
    if truth.sum() < FEWEST:
        return ACCEPT_PRECISION, LOWEST_ACCEPT
    accept = max(_precise(probabilities, truth == 1, ACCEPT_PRECISION), LOWEST_ACCEPT)
    carried = np.sort(probabilities[truth == 1])
    review = float(carried[int(len(carried) * (1 - REVIEW_RECALL))])
    return accept, min(max(review, LOWEST_REVIEW), accept)


def _precise(probabilities: Array, right: NDArray[np.bool_], target: float) -> float:
    """Return the lowest probability from which on at least `target` of the decisions are right.

    One wrong and one right decision are added to what was seen (Laplace), so that three lucky
    passages do not make a threshold. Where the target is out of reach, it is its own threshold:
    a calibrated probability keeps the promise that the few examples cannot show.
    """
    order = np.argsort(-probabilities, kind="stable")
    hits = np.cumsum(right[order])
    precision = (hits + 1) / (np.arange(len(order)) + 3)
    # Of equal probabilities either all are accepted or none, so only the last of them counts.
    last = np.append(np.diff(probabilities[order]) != 0, True)[: len(order)]
    reached = np.flatnonzero((precision >= target) & last)
    if not len(reached):
        return target
    lowest = float(probabilities[order[reached[-1]]])
    below = probabilities[order[reached[-1] + 1 :]]
    # Half-way to the next one below: nothing was seen between them that speaks for either end.
    return (lowest + float(below[0])) / 2 if len(below) else lowest
