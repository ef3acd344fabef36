"""Parts of the test side: by language, origin, register, length, and by narrative and stance."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from training.evaluation.measured import Measured
from training.evaluation.system import MET, Rows, stance_accuracy
from training.labels.records import Written
from training.labels.sources import Passage
from training.metrics import (
    Labels,
    Rate,
    at_least_one,
    bootstrap,
    calibration_error,
    macro_f1,
    mean_average_precision,
    micro_f1,
    rate,
    share,
)

REAL, WRITTEN = "real text", "written for the project"
LENGTHS = (100, 200, 400, 800)
"""Code points that end the bands of length."""


def origin(passage: Passage) -> str:
    """Tell real text from what was written for the project."""
    return WRITTEN if passage.source == "written" else REAL


def _register(passage: Passage) -> str | None:
    return passage.record.register_ if isinstance(passage.record, Written) else None


def _length(passage: Passage) -> str:
    start = 0
    for end in LENGTHS:
        if len(passage.text) <= end:
            return f"{start + 1} to {end} code points"
        start = end
    return f"more than {start} code points"


Key = Callable[[Passage], str | None]
KEYS: dict[str, Key] = {
    "origin": origin,
    "language": lambda passage: passage.lang,
    "language and origin": lambda passage: f"{passage.lang}, {origin(passage)}",
    "register": _register,
    "source": lambda passage: passage.source,
    "length": _length,
}
"""What the test side is cut by; a passage whose key is None is in no part."""


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Figures of a part of the test side; None where there is nothing to divide by."""

    name: str
    passages: int
    carrying: int
    macro_f1: float | None
    macro_f1_interval: tuple[float, float] | None
    stance_accuracy: float | None
    false_positives: float | None
    """Share of passages without narrative in which one is accepted."""
    calibration_error: float
    calibration_error_of_findings: float | None


def slices(measured: Measured, key: Key) -> list[Slice]:
    """Measure the parts of the test side that `key` makes, largest first."""
    names = [key(passage) for passage in measured.passages]
    found = [
        _slice(measured, name, np.flatnonzero([other == name for other in names]))
        for name in sorted({name for name in names if name is not None})
    ]
    return sorted(found, key=lambda part: -part.passages)


def _slice(measured: Measured, name: str, rows: NDArray[np.int64]) -> Slice:
    test, found = measured.system.test, measured.system.found()[rows]
    truth, probabilities = test.truth[rows], test.narratives[rows]
    neutral = ~at_least_one(truth)
    met = probabilities >= MET
    figure = None
    if truth.any():
        figure = bootstrap(partial(_macro_f1, truth, found), measured.groups[rows])
    return Slice(
        name=name,
        passages=len(rows),
        carrying=int((~neutral).sum()),
        macro_f1=figure.value if figure else None,
        macro_f1_interval=(figure.low, figure.high) if figure else None,
        stance_accuracy=stance_accuracy(test, test.truth == 1)(rows) if truth.any() else None,
        false_positives=share(at_least_one(measured.accepted[rows][neutral])),
        calibration_error=calibration_error(truth.reshape(-1), probabilities.reshape(-1)),
        calibration_error_of_findings=calibration_error(truth[met], probabilities[met])
        if met.any()
        else None,
    )


@dataclass(frozen=True, kw_only=True)
class NarrativeFigures:
    """Figures of one narrative on the test side; None where there is nothing to divide by."""

    name: str
    carrying: int
    f1: float | None
    f1_interval: tuple[float, float] | None
    average_precision: float | None
    accept_precision: float | None
    accept_recall: float | None
    review_recall: float | None


def by_narrative(measured: Measured, names: Sequence[str]) -> list[NarrativeFigures]:
    """Measure each narrative, at dev's best threshold and at its two operating points."""
    test, found = measured.system.test, measured.system.found()
    result = []
    for n, name in enumerate(names):
        truth, said = test.truth[:, [n]], found[:, [n]]
        carried = truth[:, 0] == 1
        figure = None
        if carried.any():
            figure = bootstrap(partial(_f1, truth, said), measured.groups)
        result.append(
            NarrativeFigures(
                name=name,
                carrying=int(carried.sum()),
                f1=figure.value if figure else None,
                f1_interval=(figure.low, figure.high) if figure else None,
                average_precision=mean_average_precision(truth, test.narratives[:, [n]])
                if carried.any()
                else None,
                accept_precision=share(carried[measured.accepted[:, n]]),
                accept_recall=share(measured.accepted[carried, n]),
                review_recall=share(measured.reviewed[carried, n]),
            )
        )
    return result


@dataclass(frozen=True, kw_only=True)
class StanceFigures:
    """Figures of one stance over all narratives: pairs of passage and narrative that bear it."""

    name: str
    pairs: int
    found: float | None
    """Share whose narrative is found, in whatever stance."""
    right: float | None
    """Share of those whose stance is told right."""
    f1: float | None
    """Of narrative and stance together."""


def by_stance(measured: Measured, names: Sequence[str]) -> list[StanceFigures]:
    """Measure each stance, at dev's best threshold of each narrative."""
    test, found = measured.system.test, measured.system.found()
    chosen = test.stances.argmax(-1)
    result = []
    for index, name in enumerate(names):
        true = test.stance_truth == index
        said = found & (chosen == index)
        result.append(
            StanceFigures(
                name=name,
                pairs=int(true.sum()),
                found=share(found[true]),
                right=share((chosen == index)[true & found]),
                f1=micro_f1(true.astype(np.int64), said) if true.any() else None,
            )
        )
    return result


def neutral_false_positives(measured: Measured) -> dict[str, dict[str, Rate]]:
    """Count neutral passages with an accepted finding: origin -> language or `all` -> rate."""
    neutral = ~at_least_one(measured.system.test.truth)
    flagged = at_least_one(measured.accepted)
    origins = np.array([origin(passage) for passage in measured.passages])
    languages = np.array([passage.lang for passage in measured.passages])
    result = {}
    for name in (REAL, WRITTEN):
        rows = neutral & (origins == name)
        rates = {"all": rate(flagged[rows])}
        rates |= {lang: rate(flagged[rows & (languages == lang)]) for lang in np.unique(languages)}
        result[name] = {str(lang): found for lang, found in rates.items() if found.total}
    return result


def _macro_f1(truth: Labels, found: NDArray[np.bool_], rows: Rows) -> float:
    return macro_f1(truth[rows], found[rows])


def _f1(truth: Labels, found: NDArray[np.bool_], rows: Rows) -> float:
    return micro_f1(truth[rows], found[rows])
