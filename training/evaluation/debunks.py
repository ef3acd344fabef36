"""The error that must not happen: a passage that rebuts a claim is taken for one that makes it."""

from collections.abc import Sequence
from dataclasses import dataclass

from training.evaluation.measured import Measured
from training.metrics import Rate, at_least_one, rate, share
from training.taxonomy import CLAIM, REBUTTAL


@dataclass(frozen=True, kw_only=True)
class Debunks:
    """Passages that rebut a narrative and advance none, and what is said of them."""

    accepted: Rate
    """Those with an accepted finding that they advance something, whatever the narrative."""
    found: Rate
    """Those with such a finding at all, review included."""


def debunks(measured: Measured, stances: Sequence[str]) -> Debunks | None:
    """Count debunks that are flagged as advancing; None if the taxonomy has no such stances."""
    if not {CLAIM, REBUTTAL} <= set(stances):
        return None
    test = measured.system.test
    rebuts = at_least_one(test.stance_truth == stances.index(REBUTTAL))
    rows = rebuts & ~at_least_one(test.stance_truth == stances.index(CLAIM))
    claims = test.stances.argmax(-1) == stances.index(CLAIM)
    return Debunks(
        accepted=rate(at_least_one(measured.accepted & claims)[rows]),
        found=rate(at_least_one(measured.reviewed & claims)[rows]),
    )


def stance_confusions(
    measured: Measured, stances: Sequence[str]
) -> dict[str, dict[str, float | None]]:
    """Return, for each true stance, the share of narratives that are accepted with each stance.

    The row of rebuttals under the column of claims is the error that must not happen.
    """
    test = measured.system.test
    chosen = test.stances.argmax(-1)
    return {
        true: {
            said: share((measured.accepted & (chosen == column))[test.stance_truth == row])
            for column, said in enumerate(stances)
        }
        for row, true in enumerate(stances)
    }
