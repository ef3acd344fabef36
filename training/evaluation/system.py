"""A system on the held-out passages, the same for a model folder and for a baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.metrics import (
    Array,
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
"""Most pairs of passage and narrative lie below this probability; no reader meets them."""


@dataclass(frozen=True, kw_only=True)
class System:
    """A system's name and what it says of dev and test passages."""

    name: str
    dev: Readout
    test: Readout

    @cached_property
    def thresholds(self) -> Array:
        """Dev's best threshold for each narrative.

        Every system gets its thresholds in the same way, so none is favoured by a fixed 0.5.
        """
        return np.array(
            [
                best_f1_threshold(self.dev.truth[:, n], self.dev.narratives[:, n])
                for n in range(self.dev.truth.shape[1])
            ]
        )

    def found(self) -> NDArray[np.bool_]:
        """Return the narratives found in test passages, shape (passages, narratives)."""
        return np.asarray(self.test.narratives >= self.thresholds)


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Figures of one system on the test side."""

    name: str
    macro_f1: Figure
    micro_f1: Figure
    average_precision: Figure
    stance_accuracy: Figure
    """Over the narratives that a passage carries."""
    stance_accuracy_of_found: Figure
    """Over those of them that the system finds."""
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
            "stance_accuracy_of_found": self.stance_accuracy_of_found.as_json(),
            "calibration_error": round(self.calibration_error, 4),
            "calibration_error_of_findings": round(self.calibration_error_of_findings, 4),
        }


def compare(system: System, groups: Rows) -> Comparison:
    """Measure a system on all test passages, with 95 % intervals over `groups`."""
    test, found = system.test, system.found()
    truth, probabilities = test.truth.reshape(-1), test.narratives.reshape(-1)
    met = probabilities >= MET
    carried = test.truth == 1
    return Comparison(
        name=system.name,
        macro_f1=bootstrap(lambda rows: macro_f1(test.truth[rows], found[rows]), groups),
        micro_f1=bootstrap(lambda rows: micro_f1(test.truth[rows], found[rows]), groups),
        average_precision=bootstrap(
            lambda rows: mean_average_precision(test.truth[rows], test.narratives[rows]), groups
        ),
        stance_accuracy=bootstrap(stance_accuracy(test, carried), groups),
        stance_accuracy_of_found=bootstrap(stance_accuracy(test, carried & found), groups),
        calibration_error=calibration_error(truth, probabilities),
        calibration_error_of_findings=calibration_error(truth[met], probabilities[met]),
    )


def difference(one: System, other: System, groups: Rows) -> dict[str, Figure]:
    """Return `one` minus `other` on the same resamples (paired bootstrap), macro F1 and stance."""
    first, second = one.found(), other.found()
    truth = one.test.truth
    stance_one = stance_accuracy(one.test, truth == 1)
    stance_other = stance_accuracy(other.test, truth == 1)
    return {
        "macro_f1": bootstrap(
            lambda rows: macro_f1(truth[rows], first[rows]) - macro_f1(truth[rows], second[rows]),
            groups,
        ),
        "stance_accuracy": bootstrap(lambda rows: stance_one(rows) - stance_other(rows), groups),
    }


def stance_accuracy(readout: Readout, pairs: NDArray[np.bool_]) -> Callable[[Rows], float]:
    """Return a measure of rows: the share of `pairs` in them whose stance is the right one."""
    right = readout.stances.argmax(-1) == readout.stance_truth

    def measure(rows: Rows) -> float:
        flags = right[rows][pairs[rows]]
        return float(flags.mean()) if len(flags) else float("nan")

    return measure
