"""A threshold with a promise: at most a given share of what is accepted is wrong.

Learn then Test (Angelopoulos et al. 2021, arXiv:2110.01052): for each level of a fixed grid the
hypothesis "at this level more than the risk is wrong" is tested on labelled findings, and the most
generous level at which it is rejected is taken. The tests go from strict to generous by the
fallback procedure (Wiens 2003), a fixed sequence with several starts, so that the chance of any
false promise is at most `delta` however many levels are tried. The p-value is the binomial tail.

What it takes for granted: the labelled texts are drawn like those that will come, and texts of
different groups do not depend on each other. Findings of one group do, so of those accepted at a
level one is drawn at random, and what is promised holds for a finding so drawn. The findings must
not have been used to fit the probabilities that the levels are on.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from training.metrics import Array

LEVELS = tuple(round(0.99 - 0.01 * step, 2) for step in range(50))
"""Tried in this order, fixed before any label is seen."""
STARTS = (0.95, 0.85, 0.7, 0.5)
"""Levels that get an equal part of `delta` each; too few findings at one leave the others."""
LEAST = 1.2
"""A smaller step up is not worth naming."""
MOST = 1_000_000
"""Findings beyond which no number of labels is named."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What was said of labelled texts, as arrays of one length.

    `sureness`: a finding is accepted at every level that is not above it. `wrong`: whether it is.
    `group`: of its text.
    """

    sureness: Array
    wrong: NDArray[np.bool_]
    group: NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """A level, and what was seen at it: findings drawn, one a group, and how many were wrong."""

    level: float
    drawn: int
    wrong: int


def certify(findings: Findings, *, risk: float, delta: float, seed: int = 0) -> Certificate | None:
    """Return the most generous level at which the promise can be given; None if there is none.

    Over repeated draws of the labels the chance that more than `risk` of what the returned level
    accepts is wrong is at most `delta`.
    """
    budget, best = 0.0, None
    for seen in _draws(findings, seed):
        budget += delta / len(STARTS) if seen.level in STARTS else 0.0
        if seen.drawn and binom.cdf(seen.wrong, seen.drawn, risk) <= budget:
            best = seen
        else:
            budget = 0.0
    return best


def needed(findings: Findings, *, risk: float, delta: float, seed: int = 0) -> float | None:
    """Return about how many times as many labels would do, should the errors stay as frequent.

    None if at no level the errors are rarer than the risk: more labels alone do not help then.
    """
    factors = []
    for seen in _draws(findings, seed):
        if seen.drawn and seen.wrong / seen.drawn < risk:
            # So few errors may be luck; half-way to the risk is the worst that is reckoned with.
            observed = seen.wrong / seen.drawn
            rate = min((seen.wrong + 1) / (seen.drawn + 2), (observed + risk) / 2)
            factors.append(_enough(rate, risk, delta / len(STARTS)) / seen.drawn)
    return max(LEAST, min(factors)) if factors else None


def _draws(findings: Findings, seed: int) -> list[Certificate]:
    """Return for each level how many groups have a finding, and how many drawn ones are wrong."""
    order = np.random.default_rng(seed).permutation(len(findings.wrong))
    seen = []
    for level in LEVELS:
        accepted = order[findings.sureness[order] >= level]
        _, first = np.unique(findings.group[accepted], return_index=True)
        drawn = accepted[first]
        seen.append(
            Certificate(level=level, drawn=len(drawn), wrong=int(findings.wrong[drawn].sum()))
        )
    return seen


def _enough(rate: float, risk: float, delta: float) -> int:
    """Return the smallest number of findings at which errors at `rate` pass the test."""
    low, high = 1, MOST
    while low < high:
        middle = (low + high) // 2
        if binom.cdf(np.floor(rate * middle), middle, risk) <= delta:
            high = middle
        else:
            low = middle + 1
    return low
