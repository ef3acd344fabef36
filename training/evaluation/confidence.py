"""What a confidence is worth: reliability, and the error of what is not sent to a person."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.measured import Measured
from training.metrics import Array, share

BINS = 10
SHARES = tuple(round(0.05 * step, 2) for step in range(20))


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Decisions of about the same confidence: how sure they were, and how often right."""

    confidence: float
    right: float
    count: int


def reliability(measured: Measured) -> dict[str, list[dict[str, Any]]]:
    """Return bins of equal width: of all pairs' narratives, and of carried narratives' stances."""
    test = measured.system.test
    carried = test.stance_truth >= 0
    right = test.stances.argmax(-1) == test.stance_truth
    return {
        "narratives": _bins(test.narratives.reshape(-1), test.truth.reshape(-1) == 1),
        "stances": _bins(test.stances.max(-1)[carried], right[carried]),
    }


def _bins(confidence: Array, right: NDArray[np.bool_]) -> list[dict[str, Any]]:
    numbers = np.minimum((confidence * BINS).astype(int), BINS - 1)
    return [
        asdict(
            Bin(
                confidence=round(float(confidence[rows].mean()), 4),
                right=round(float(right[rows].mean()), 4),
                count=len(rows),
            )
        )
        for number in range(BINS)
        if len(rows := np.flatnonzero(numbers == number))
    ]


def abstention(measured: Measured) -> dict[str, Any]:
    """Return the error of findings when a given share of them, the least sure, goes to a person.

    A finding is what serving answers, accept or review; its sureness is the probability of the
    narrative times that of the stance. `wrong` counts findings whose narrative is not there,
    `wrong_or_other_stance` those too whose stance is another. `accepted` is where the released
    thresholds stand.
    """
    test = measured.system.test
    findings = measured.reviewed
    wrong = (test.truth == 0)[findings]
    wrong_stance = (test.stances.argmax(-1) != test.stance_truth)[findings]
    order = np.argsort(-(test.narratives * test.stances.max(-1))[findings], kind="stable")
    accepted = measured.accepted[findings]
    return {
        "findings": int(findings.sum()),
        "curve": [
            {
                "sent_to_review": share,
                "wrong": _error(wrong[kept]),
                "wrong_or_other_stance": _error(wrong_stance[kept]),
            }
            for share in SHARES
            if len(kept := order[: round(len(order) * (1 - share))])
        ],
        "accepted": {
            "sent_to_review": _error(~accepted),
            "wrong": _error(wrong[accepted]),
            "wrong_or_other_stance": _error(wrong_stance[accepted]),
        },
    }


def _error(flags: NDArray[np.bool_]) -> float | None:
    error = share(flags)
    return None if error is None else round(error, 4)
