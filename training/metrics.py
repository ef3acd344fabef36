"""Figures: F1, average precision, calibration error, shares, each with its interval."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest
from sklearn.metrics import average_precision_score, precision_recall_curve

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
RESAMPLES = 1000
BINS = 15


@dataclass(frozen=True)
class Figure:
    """A figure with its 95 % interval (percentile bootstrap; Efron and Tibshirani 1993)."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"

    def as_json(self) -> dict[str, float]:
        """Return the three numbers, rounded."""
        return {
            "value": round(self.value, 4),
            "low": round(self.low, 4),
            "high": round(self.high, 4),
        }


@dataclass(frozen=True)
class Rate:
    """So many of so many, with an exact 95 % interval (Clopper and Pearson 1934).

    A bootstrap of nothing but zeros has an interval of no width; this one still says how much
    nought of fifty leaves open. Cases are taken as independent.
    """

    count: int
    total: int

    @property
    def value(self) -> float:
        """The share, nan of nothing."""
        return self.count / self.total if self.total else float("nan")

    def as_json(self) -> dict[str, float] | None:
        """Return count, total and the share with its interval; None of nothing."""
        if not self.total:
            return None
        interval = binomtest(self.count, self.total).proportion_ci(0.95)
        return {
            "count": self.count,
            "total": self.total,
            "value": round(self.value, 4),
            "low": round(float(interval.low), 4),
            "high": round(float(interval.high), 4),
        }


def rate(flags: NDArray[np.bool_]) -> Rate:
    """Count the flags that are set."""
    return Rate(int(flags.sum()), len(flags))


def at_least_one(flags: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows of flags (passages, narratives) have one that is set."""
    return np.asarray(flags.any(1))


def share(flags: NDArray[np.bool_]) -> float | None:
    """Return the share of flags that are set; None if there is none."""
    return float(flags.mean()) if len(flags) else None


def bootstrap(
    measure: Callable[[NDArray[np.int64]], float], groups: NDArray[np.int64], seed: int = 0
) -> Figure:
    """Measure on all rows, then on resamples of whole groups.

    Passages of one group (a case, a speech, a minimal set) are not independent; resampling rows
    would make the interval too narrow.

    Args:
        measure: takes row indices, returns the figure.
        groups: group number of each row.
        seed: of the resampling.
    """
    generator = np.random.default_rng(seed)
    _, inverse, lengths = np.unique(groups, return_inverse=True, return_counts=True)
    grouped = np.argsort(inverse, kind="stable")
    starts = np.cumsum(lengths) - lengths
    values = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(RESAMPLES):
            drawn = generator.integers(len(lengths), size=len(lengths))
            sizes = lengths[drawn]
            within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
            values.append(measure(grouped[np.repeat(starts[drawn], sizes) + within]))
        value = measure(np.arange(len(groups)))
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Figure(float(value), float(low), float(high))


def macro_f1(truth: Labels, found: NDArray[np.bool_]) -> float:
    """Return the mean F1 over the narratives that occur, arrays (passages, narratives)."""
    true, said = truth == 1, found.astype(bool)
    f1 = _f1((true & said).sum(0), true.sum(0), said.sum(0))
    present = true.any(0)
    return float(f1[present].mean()) if present.any() else float("nan")


def micro_f1(truth: Labels, found: NDArray[np.bool_]) -> float:
    """Return F1 over all decisions together."""
    true, said = truth == 1, found.astype(bool)
    return float(_f1((true & said).sum(), true.sum(), said.sum()))


def _f1(both: Any, true: Any, said: Any) -> Any:
    # scikit-learn reads a table of one column as two classes and would average over both.
    return 2 * both / np.maximum(true + said, 1)


def mean_average_precision(truth: Labels, scores: Array) -> float:
    """Return the mean area under the precision-recall curve over the narratives that occur."""
    present = np.flatnonzero(truth.any(0))
    values = [average_precision_score(truth[:, n], scores[:, n]) for n in present]
    return float(np.mean(values)) if values else float("nan")


def calibration_error(truth: NDArray[np.int64], probabilities: Array) -> float:
    """Return the expected calibration error over bins of equal count (Nixon et al. 2019).

    Most of the pairs of passage and narrative have a probability near zero; bins of equal width
    would put nearly all of them in one.
    """
    if not len(truth):
        return float("nan")
    order = np.argsort(probabilities, kind="stable")
    bins = np.array_split(order, BINS)
    gaps = [
        abs(truth[rows].mean() - probabilities[rows].mean()) * len(rows)
        for rows in bins
        if len(rows)
    ]
    return float(sum(gaps) / len(truth))


def best_f1_threshold(truth: NDArray[np.int64], scores: Array) -> float:
    """Return the threshold with the highest F1 of one narrative (scores at or above it count)."""
    if not truth.any():
        return float(scores.max()) + 1
    precision, recall, thresholds = precision_recall_curve(truth, scores)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    return float(thresholds[int(f1[:-1].argmax())])
