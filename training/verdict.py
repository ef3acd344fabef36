"""Whether a candidate may replace the released model: both on the same held-out passages, paired.

The rule: the candidate must be better overall (the 95 % interval of its gain in macro F1 lies above
nought), no language and no narrative with enough support may lose more F1 than a margin, and the
two errors that harm people most, debunks accepted as claims and neutral text with an accepted
finding, may not become more frequent by more than a point.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.cells import table
from training.evaluation.debunks import debunks
from training.evaluation.measured import Measured
from training.evaluation.system import Rows
from training.metrics import (
    Figure,
    Labels,
    Rate,
    at_least_one,
    bootstrap,
    macro_f1,
    micro_f1,
    rate,
)
from training.taxonomy import Taxonomy

MARGIN = 0.05
"""F1 that a language or a narrative may lose."""
SUPPORT = 30
"""Held-out passages with a narrative that a language needs, and passages that a narrative does."""
RISE = 0.01
"""Share by which the two worst errors may become more frequent."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line of the table; `difference` is the candidate minus the current model."""

    what: str
    support: int
    current: float
    candidate: float
    difference: Figure


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The table, the two worst errors, and why the candidate is refused; no reason if it is not."""

    candidate: str
    current: str
    rows: list[Row]
    errors: dict[str, tuple[Rate, Rate]]
    """What -> rates of the current model and of the candidate."""
    refusals: list[str]

    def as_table(self) -> str:
        """Return the table for people."""
        rows = [
            [
                row.what,
                str(row.support),
                f"{row.current:.3f}",
                f"{row.candidate:.3f}",
                str(row.difference),
            ]
            for row in self.rows
        ]
        errors = [
            [what, str(old.total), f"{old.value:.1%}", f"{new.value:.1%}", ""]
            for what, (old, new) in self.errors.items()
        ]
        head = ["", "passages", self.current, self.candidate, "difference, 95 % interval"]
        return "\n".join(table(head, rows + errors))

    def as_json(self) -> dict[str, Any]:
        """Return what the manifest keeps."""
        return {
            "before": self.current,
            "macro_f1": self.rows[0].difference.as_json(),
            "refusals": self.refusals,
        }


def judge(
    candidate: Measured, current: Measured, taxonomy: Taxonomy, margin: float = MARGIN
) -> Verdict:
    """Compare two models that were read on the same sides."""
    truth, groups = candidate.system.test.truth, candidate.groups
    new, old = candidate.system.found(), current.system.found()
    everything = np.arange(len(truth))
    overall = _row("macro F1, all", truth, old, new, groups, everything)
    carried = at_least_one(truth)
    languages = np.array([passage.lang for passage in candidate.passages])
    parts = [
        _row(f"macro F1, {lang}", truth, old, new, groups, np.flatnonzero(languages == lang))
        for lang in np.unique(languages)
        if carried[languages == lang].sum() >= SUPPORT
    ]
    parts += [
        _row(f"F1, {name}", truth[:, [n]], old[:, [n]], new[:, [n]], groups, everything)
        for n, name in enumerate(taxonomy.narrative_ids)
        if truth[:, n].sum() >= SUPPORT
    ]
    errors = _errors(candidate, current, taxonomy)
    refusals = []
    if overall.difference.low <= 0:
        refusals.append(f"it is not better: macro F1 differs by {overall.difference}")
    refusals += [
        f"{part.what} falls by {-part.difference.value:.3f}, more than {margin}"
        for part in parts
        if part.difference.value < -margin
    ]
    refusals += [
        f"{what} rise from {old_rate.value:.1%} to {new_rate.value:.1%}"
        for what, (old_rate, new_rate) in errors.items()
        if new_rate.value - old_rate.value > RISE
    ]
    return Verdict(
        candidate=candidate.system.name,
        current=current.system.name,
        rows=[overall, *parts],
        errors=errors,
        refusals=refusals,
    )


def _row(
    what: str,
    truth: Labels,
    old: NDArray[np.bool_],
    new: NDArray[np.bool_],
    groups: Rows,
    rows: Rows,
) -> Row:
    measure = macro_f1 if truth.shape[1] > 1 else micro_f1
    gain = partial(_gain, truth[rows], old[rows], new[rows])
    return Row(
        what=what,
        support=int(at_least_one(truth[rows]).sum()),
        current=measure(truth[rows], old[rows]),
        candidate=measure(truth[rows], new[rows]),
        difference=bootstrap(gain, groups[rows]),
    )


def _gain(truth: Labels, old: NDArray[np.bool_], new: NDArray[np.bool_], rows: Rows) -> float:
    measure = macro_f1 if truth.shape[1] > 1 else micro_f1
    return measure(truth[rows], new[rows]) - measure(truth[rows], old[rows])


def _errors(
    candidate: Measured, current: Measured, taxonomy: Taxonomy
) -> dict[str, tuple[Rate, Rate]]:
    neutral = ~at_least_one(candidate.system.test.truth)
    flagged = [rate(at_least_one(one.accepted)[neutral]) for one in (current, candidate)]
    errors = {"neutral passages with an accepted finding": (flagged[0], flagged[1])}
    before = debunks(current, taxonomy.stance_ids)
    after = debunks(candidate, taxonomy.stance_ids)
    if before and after:
        errors["debunks accepted as claims"] = (before.accepted, after.accepted)
    return {what: rates for what, rates in errors.items() if rates[0].total}
