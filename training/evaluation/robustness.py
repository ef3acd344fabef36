"""What perturbations of the held-out passages cost, and whether the stance follows a negation."""

from typing import Any

import numpy as np

from training.evaluation.measured import Measured
from training.evaluation.parts import WRITTEN, origin
from training.evaluation.system import Rows
from training.metrics import Labels, at_least_one, bootstrap, macro_f1, share
from training.readout import Said, listen
from training.robustness.negation import denied
from training.robustness.perturbations import PERTURBATIONS, perturb
from training.taxonomy import CLAIM, REBUTTAL

PROMISE = 0.05
"""No perturbation lowers macro F1 by more."""


def robustness(measured: Measured, stances: list[str]) -> dict[str, Any]:
    """Measure every perturbation and the negation, on the test side."""
    found = {name: perturbed(measured, name) for name in PERTURBATIONS}
    return {
        "promise": PROMISE,
        "perturbations": {name: part for name, part in found.items() if part},
        "negation": _negation(measured, stances),
    }


def perturbed(measured: Measured, name: str) -> dict[str, Any] | None:
    """Measure one perturbation on the passages that it changes, at the thresholds of before.

    Returns:
        Number of passages; for macro F1, stance accuracy and false positives what they were
        `before` and `after`; of the first two the paired `difference`, with its interval; and
        `written`, the macro F1 of the passages that the repository holds with their text. None if
        it changes no passage that carries a narrative.
    """
    texts = [passage.text for passage in measured.passages]
    changed = perturb(name, texts)
    rows = np.flatnonzero([one != other for one, other in zip(texts, changed, strict=True)])
    test = measured.system.test
    if not test.truth[rows].any():
        return None
    before = Said(narratives=test.narratives[rows], stances=test.stances[rows])
    after = listen(measured.classifier, [changed[row] for row in rows])
    truth, stance_truth = test.truth[rows], test.stance_truth[rows]
    groups = measured.groups[rows]
    written = np.flatnonzero([origin(measured.passages[row]) == WRITTEN for row in rows])
    neutral = ~at_least_one(truth)
    return {
        "passages": len(rows),
        "macro_f1": _macro_f1(measured, truth, before, after, groups),
        "stance_accuracy": _stance_accuracy(stance_truth, before, after, groups),
        "false_positives": {
            "before": share(at_least_one(before.accepted(measured.decisions))[neutral]),
            "after": share(at_least_one(after.accepted(measured.decisions))[neutral]),
        },
        "written": _macro_f1(
            measured, truth[written], _take(before, written), _take(after, written), groups[written]
        ),
    }


def _take(said: Said, rows: Rows) -> Said:
    return Said(narratives=said.narratives[rows], stances=said.stances[rows])


def _macro_f1(
    measured: Measured, truth: Labels, before: Said, after: Said, groups: Rows
) -> dict[str, Any] | None:
    if not truth.any():
        return None
    thresholds = measured.system.thresholds
    one, other = before.narratives >= thresholds, after.narratives >= thresholds
    difference = bootstrap(
        lambda rows: macro_f1(truth[rows], other[rows]) - macro_f1(truth[rows], one[rows]), groups
    )
    return {
        "before": round(macro_f1(truth, one), 4),
        "after": round(macro_f1(truth, other), 4),
        "difference": difference.as_json(),
    }


def _stance_accuracy(
    truth: Labels, before: Said, after: Said, groups: Rows
) -> dict[str, Any] | None:
    carried = truth >= 0
    if not carried.any():
        return None
    one, other = before.stances.argmax(-1) == truth, after.stances.argmax(-1) == truth

    def difference(rows: Rows) -> float:
        pairs = carried[rows]
        return float(other[rows][pairs].mean() - one[rows][pairs].mean())

    return {
        "before": round(float(one[carried].mean()), 4),
        "after": round(float(other[carried].mean()), 4),
        "difference": bootstrap(difference, groups).as_json(),
    }


def _negation(measured: Measured, stances: list[str]) -> dict[str, Any] | None:
    """Deny the passages that only advance; None for a taxonomy without both stances."""
    if not {CLAIM, REBUTTAL} <= set(stances):
        return None
    claim, rebuttal = stances.index(CLAIM), stances.index(REBUTTAL)
    test = measured.system.test
    texts = [
        denied(passage) if set(passage.labels.values()) == {CLAIM} else None
        for passage in measured.passages
    ]
    rows = np.flatnonzero([text is not None for text in texts])
    if not len(rows):
        return None
    after = listen(measured.classifier, [text for text in texts if text is not None])
    thresholds = measured.system.thresholds
    claims = test.stances[rows].argmax(-1) == claim
    findings = (test.truth[rows] == 1) & (test.narratives[rows] >= thresholds) & claims
    accepted = findings & measured.accepted[rows]
    kept = findings & (after.narratives >= thresholds)
    chosen = after.stances.argmax(-1)
    still = after.accepted(measured.decisions) & (chosen == claim)
    return {
        "passages": len(rows),
        "findings": int(findings.sum()),
        "kept": share(kept[findings]),
        "turned": share((chosen == rebuttal)[kept]),
        "accepted": int(accepted.sum()),
        "still_accepted": share(still[accepted]),
    }
