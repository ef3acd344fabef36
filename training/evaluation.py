"""Measures a system on held-out passages: the same for a model folder and for a baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.labels import groups
from training.labels.sources import Passage
from training.metrics import (
    Figure,
    best_f1_threshold,
    bootstrap,
    calibration_error,
    macro_f1,
    mean_average_precision,
    micro_f1,
)
from training.readout import Readout

Rows = NDArray[np.int64]
MET = 0.05


@dataclass(frozen=True, kw_only=True)
class System:
    """A system's name and what it says of dev and test passages."""

    name: str
    dev: Readout
    test: Readout

    def found(self) -> NDArray[np.bool_]:
        """Return the narratives found in test passages, at dev's best threshold for each.

        Every system gets its thresholds in the same way, so none is favoured by a fixed 0.5.
        """
        thresholds = [
            best_f1_threshold(self.dev.truth[:, n], self.dev.narratives[:, n])
            for n in range(self.dev.truth.shape[1])
        ]
        return np.asarray(self.test.narratives >= np.array(thresholds))


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of one system on the test side."""

    name: str
    macro_f1: Figure
    micro_f1: Figure
    average_precision: Figure
    stance_accuracy: Figure
    calibration_error: float
    """Over all pairs of passage and narrative; most of them are near zero, and easy."""
    calibration_error_of_findings: float
    """Over the pairs at or above a probability of 0.05: those that a reader may meet."""

    def as_json(self) -> dict[str, Any]:
        """Return the figures for machines."""
        return {
            "macro_f1": self.macro_f1.as_json(),
            "micro_f1": self.micro_f1.as_json(),
            "average_precision": self.average_precision.as_json(),
            "stance_accuracy": self.stance_accuracy.as_json(),
            "calibration_error": round(self.calibration_error, 4),
            "calibration_error_of_findings": round(self.calibration_error_of_findings, 4),
        }


def compare(system: System, passages: Sequence[Passage]) -> Comparison:
    """Measure a system on all test passages, with 95 % intervals over groups."""
    test, found = system.test, system.found()
    numbers = np.array(groups.assign(passages))
    truth, probabilities = test.truth.reshape(-1), test.narratives.reshape(-1)
    met = probabilities >= MET
    return Comparison(
        name=system.name,
        macro_f1=bootstrap(lambda rows: macro_f1(test.truth[rows], found[rows]), numbers),
        micro_f1=bootstrap(lambda rows: micro_f1(test.truth[rows], found[rows]), numbers),
        average_precision=bootstrap(
            lambda rows: mean_average_precision(test.truth[rows], test.narratives[rows]), numbers
        ),
        stance_accuracy=bootstrap(_stance_accuracy(test), numbers),
        calibration_error=calibration_error(truth, probabilities),
        calibration_error_of_findings=calibration_error(truth[met], probabilities[met]),
    )


def difference(one: System, other: System, passages: Sequence[Passage]) -> dict[str, Figure]:
    """Return `one` minus `other` on the same resamples (paired bootstrap), macro F1 and stance."""
    numbers = np.array(groups.assign(passages))
    first, second = one.found(), other.found()
    truth = one.test.truth
    stance_one, stance_other = _stance_accuracy(one.test), _stance_accuracy(other.test)
    return {
        "macro_f1": bootstrap(
            lambda rows: macro_f1(truth[rows], first[rows]) - macro_f1(truth[rows], second[rows]),
            numbers,
        ),
        "stance_accuracy": bootstrap(lambda rows: stance_one(rows) - stance_other(rows), numbers),
    }


def _stance_accuracy(readout: Readout) -> Callable[[Rows], float]:
    carried = readout.stance_truth >= 0
    right = readout.stances.argmax(-1) == readout.stance_truth

    def measure(rows: Rows) -> float:
        return float(right[rows][carried[rows]].mean())

    return measure


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Figures of a part of the test side: a language, an origin, a narrative."""

    name: str
    passages: int
    carrying: int
    macro_f1: float | None
    stance_accuracy: float | None
    false_positives: float | None
    """Share of passages without narrative in which one is accepted."""


def slices(
    system: System,
    passages: Sequence[Passage],
    accepted: NDArray[np.bool_],
    key: Callable[[Passage], str],
) -> list[Slice]:
    """Measure the parts of the test side that `key` makes, largest first.

    `accepted` (passages, narratives) tells what serving would accept.
    """
    names = np.array([key(passage) for passage in passages])
    found = system.found()
    result = []
    for name in np.unique(names):
        rows = np.flatnonzero(names == name)
        truth = system.test.truth[rows]
        neutral = ~truth.any(1).astype(bool)
        result.append(
            Slice(
                name=str(name),
                passages=len(rows),
                carrying=int((~neutral).sum()),
                macro_f1=macro_f1(truth, found[rows]) if truth.any() else None,
                stance_accuracy=_stance_accuracy(system.test)(rows) if truth.any() else None,
                false_positives=float(accepted[rows][neutral].any(1).mean())
                if neutral.any()
                else None,
            )
        )
    return sorted(result, key=lambda part: -part.passages)


@dataclass(frozen=True, kw_only=True)
class NarrativeFigures:
    """Figures of one narrative on the test side; nan where there is nothing to divide by."""

    name: str
    carrying: int
    f1: float | None
    accept_precision: float | None
    accept_recall: float | None
    review_recall: float | None


def by_narrative(
    system: System,
    names: Sequence[str],
    accepted: NDArray[np.bool_],
    reviewed: NDArray[np.bool_],
) -> list[NarrativeFigures]:
    """Measure each narrative, at dev's best threshold and at its two operating points."""
    found = system.found()
    result = []
    for n, name in enumerate(names):
        carried = system.test.truth[:, n] == 1
        result.append(
            NarrativeFigures(
                name=name,
                carrying=int(carried.sum()),
                f1=macro_f1(system.test.truth[:, [n]], found[:, [n]]) if carried.any() else None,
                accept_precision=_share(carried[accepted[:, n]]),
                accept_recall=_share(accepted[carried, n]),
                review_recall=_share(reviewed[carried, n]),
            )
        )
    return result


def stance_confusions(
    system: System, stances: Sequence[str], accepted: NDArray[np.bool_]
) -> dict[str, dict[str, float | None]]:
    """Return, for each true stance, the share of narratives that are accepted with each stance.

    The row of rebuttals under the column of claims is the error that must not happen.
    """
    test = system.test
    chosen = test.stances.argmax(-1)
    return {
        true: {
            said: _share((accepted & (chosen == column))[test.stance_truth == row])
            for column, said in enumerate(stances)
        }
        for row, true in enumerate(stances)
    }


def _share(flags: NDArray[np.bool_]) -> float | None:
    return float(flags.mean()) if len(flags) else None
