"""How well annotators agree: Krippendorff's alpha for nominal data (Krippendorff 2011).

The one kept package for alpha that bootstraps quickly is under the GPL, the others count a thousand
resamples for minutes; with counts per unit the coefficient is a line of arithmetic.

Whether a narrative is there is one value for each passage and annotator. Slices (a language, an
origin) pool these values over all narratives. Stance is compared where at least two annotators
found the narrative.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.labels import groups
from training.labels.records import Record, Written
from training.metrics import RESAMPLES, Figure
from training.taxonomy import Taxonomy

Counts = NDArray[np.float64]
"""How many annotators gave each value, shape (units, values)."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Alpha over a part of the corpus; None where it is not defined: nothing varies."""

    read: int
    """Passages of the part."""
    read_twice: int
    both: int
    """Pairs of passage and narrative that at least two annotators found."""
    one: int
    """Pairs on which annotators differ."""
    narrative: Figure | None
    stance: Figure | None

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for machines."""
        return {
            "passages": self.read,
            "read_twice": self.read_twice,
            "found_by_both": self.both,
            "found_by_one": self.one,
            "alpha": self.narrative and self.narrative.as_json(),
            "stance_alpha": self.stance and self.stance.as_json(),
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """Agreement over the whole corpus and its parts: title -> name of the part -> agreement."""

    whole: Agreement
    parts: dict[str, dict[str, Agreement]]

    def as_json(self) -> dict[str, Any]:
        """Return the numbers for machines."""
        parts = {
            f"by_{title}": {name: part.as_json() for name, part in slices.items()}
            for title, slices in self.parts.items()
        }
        return {**self.whole.as_json(), **parts}

    def as_table(self) -> str:
        """Return the numbers as Markdown."""
        lines = [
            f"{self.whole.read_twice} of {self.whole.read} passages were read by at least two "
            "annotators. 95 % intervals by bootstrap.",
        ]
        for title, slices in ({"": {"all": self.whole}} | self.parts).items():
            lines += [
                "",
                f"| {title} | passages | read twice | found by both | by one only | alpha | "
                "alpha of stance |",
                "|---|" + "---|" * 6,
                *(_row(name, part) for name, part in slices.items()),
            ]
        return "\n".join(lines)


def _row(name: str, part: Agreement) -> str:
    figures = (part.narrative, part.stance)
    cells = [str(n) for n in (part.read, part.read_twice, part.both, part.one)]
    cells += ["-" if figure is None else _short(figure) for figure in figures]
    return f"| {name} | " + " | ".join(cells) + " |"


def _short(figure: Figure) -> str:
    return f"{figure.value:.2f} [{figure.low:.2f}, {figure.high:.2f}]"


def alpha(counts: Counts) -> float | None:
    """Return alpha, or None where no unit has two values or all values are the same."""
    value = _alphas(counts, np.ones((1, len(counts))))[0]
    return None if np.isnan(value) else float(value)


def _alphas(counts: Counts, weights: Counts) -> NDArray[np.float64]:
    """Return alpha for each row of `weights` (resamples, units); nan where it is undefined."""
    raters = counts.sum(1)
    paired = raters > 1
    counts, raters, weights = counts[paired], raters[paired], weights[:, paired]
    differing = (raters**2 - (counts**2).sum(1)) / (raters - 1)
    totals = weights @ counts
    values = totals.sum(1)
    by_chance = values**2 - (totals**2).sum(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        alphas: NDArray[np.float64] = 1 - (values - 1) * (weights @ differing) / by_chance
    return np.where(by_chance > 0, alphas, np.nan)


def measure(records: Sequence[Record], taxonomy: Taxonomy, sides: Mapping[str, str]) -> Report:
    """Measure agreement over all records and by narrative, language, origin, annotators and side.

    Args:
        records: also those that were read once; they count for how much was read twice.
        taxonomy: gives narratives and stances.
        sides: key -> side of the split; records that it does not know have the side `-`.
    """
    keys: dict[str, Callable[[Record], str]] = {
        "language": lambda record: record.lang,
        "origin": origin,
        "side": lambda record: sides.get(record.key, "-"),
    }
    parts = {
        "narrative": {
            name: _agreement(records, [name], taxonomy) for name in taxonomy.narrative_ids
        }
    }
    for title, key in keys.items():
        members: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            members[key(record)].append(record)
        parts[title] = _parts(members, taxonomy)
    parts["annotators"] = _parts(_pairs(records), taxonomy)
    return Report(whole=_agreement(records, taxonomy.narrative_ids, taxonomy), parts=parts)


def _parts(members: Mapping[str, list[Record]], taxonomy: Taxonomy) -> dict[str, Agreement]:
    ordered = sorted(members.items(), key=lambda item: (-len(item[1]), item[0]))
    return {name: _agreement(part, taxonomy.narrative_ids, taxonomy) for name, part in ordered}


def _pairs(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Return, for each pair of annotators, what both read, with their two readings alone."""
    members: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        for one, other in combinations(sorted(record.annotations), 2):
            readings = {name: record.annotations[name] for name in (one, other)}
            members[f"{one} with {other}"].append(
                record.model_copy(update={"annotations": readings})
            )
    return members


def origin(record: Record) -> str:
    """Return `written` or `real`."""
    return "written" if isinstance(record, Written) else "real"


def presence(records: Iterable[Record], narratives: Sequence[str]) -> Counts:
    """Return how many annotators found each narrative or not, a unit for every pair with a passage.

    The units of a record stand next to each other; records that were read once are left out.
    """
    rows = [
        (len(record.annotations) - found, found)
        for record in twice(records)
        for name in narratives
        for found in [sum(name in labels for labels in record.annotations.values())]
    ]
    return np.array(rows, np.float64).reshape(-1, 2)


def stances(records: Iterable[Record], narratives: Sequence[str], ids: Sequence[str]) -> Counts:
    """Return how many annotators gave each stance, in units and order as `presence`."""
    rows = [
        [
            sum(labels.get(name) == stance for labels in record.annotations.values())
            for stance in ids
        ]
        for record in twice(records)
        for name in narratives
    ]
    return np.array(rows, np.float64).reshape(-1, len(ids))


def twice(records: Iterable[Record]) -> list[Record]:
    """Return the records that at least two annotators read."""
    return [record for record in records if len(record.annotations) > 1]


def _agreement(
    records: Sequence[Record], narratives: Sequence[str], taxonomy: Taxonomy
) -> Agreement:
    read = twice(records)
    found = presence(read, narratives)
    weights = _resamples([groups.visible(record) for record in read])
    weights = np.repeat(weights, len(narratives), axis=1)
    return Agreement(
        read=len(records),
        read_twice=len(read),
        both=int((found[:, 1] > 1).sum()),
        one=int((found > 0).all(1).sum()),
        narrative=_figure(found, weights),
        stance=_figure(stances(read, narratives, taxonomy.stance_ids), weights),
    )


def _resamples(names: Sequence[str]) -> Counts:
    """Return how often each record is drawn, shape (resamples, records), drawing whole groups.

    Members of a minimal set or a case are not independent: see `metrics.bootstrap`.
    """
    unique, inverse = np.unique(np.array(names, dtype=str), return_inverse=True)
    if not len(unique):
        return np.zeros((RESAMPLES, 0))
    generator = np.random.default_rng(0)
    shares = np.full(len(unique), 1 / len(unique))
    drawn = generator.multinomial(len(unique), shares, size=RESAMPLES)
    return drawn[:, inverse].astype(np.float64)


def _figure(counts: Counts, weights: Counts) -> Figure | None:
    value = alpha(counts)
    if value is None:
        return None
    alphas = _alphas(counts, weights)
    low, high = np.nanpercentile(alphas, [2.5, 97.5])
    return Figure(value, float(low), float(high))
