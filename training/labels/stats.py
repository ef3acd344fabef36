"""Counts of a corpus, and how well annotators agree where more than one read a passage."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.labels.records import Labels, Record, Written
from training.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How two blind annotators agree on one narrative (or on all)."""

    both: int
    one: int
    alpha: float
    """Krippendorff's alpha for nominal data with two values (Krippendorff 2011)."""


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Counts of a corpus."""

    total: int
    real: int
    none: int
    by_language: dict[str, dict[str, int]]
    by_narrative: dict[str, dict[str, int]]
    read_twice: int
    agreement: dict[str, Agreement]
    stance_alike: int
    stance_compared: int

    def as_json(self) -> dict[str, Any]:
        """Return the counts for machines."""
        return {
            "total": self.total,
            "real": self.real,
            "written": self.total - self.real,
            "none": self.none,
            "by_language": {
                code: sum(counts.values()) for code, counts in self.by_language.items()
            },
            "by_narrative": self.by_narrative,
            "read_twice": self.read_twice,
            "alpha": {name: round(a.alpha, 3) for name, a in self.agreement.items()},
            "stance_agreement": [self.stance_alike, self.stance_compared],
        }

    def as_table(self) -> str:
        """Return the counts as Markdown."""
        lines = [
            f"{self.total} passages: {self.real} real text by stand-off, "
            f"{self.total - self.real} written for the project; {self.none} carry no narrative.",
            "",
            "| language | real | written |",
            "|---|---|---|",
            *(f"| {c} | {n['real']} | {n['written']} |" for c, n in self.by_language.items()),
            "",
            f"{self.read_twice} passages were read by two annotators, blind.",
            "",
            "| narrative | " + " | ".join(self._stances) + " | both | one only | alpha |",
            "|---|" + "---|" * (len(self._stances) + 3),
        ]
        for name, counts in self.by_narrative.items():
            a = self.agreement[name]
            cells = " | ".join(str(count) for count in counts.values())
            lines.append(f"| `{name}` | {cells} | {a.both} | {a.one} | {a.alpha:.2f} |")
        lines += [
            "",
            f"Stance, where both found the narrative: {self.stance_alike} of "
            f"{self.stance_compared} alike.",
        ]
        return "\n".join(lines)

    @property
    def _stances(self) -> list[str]:
        return list(next(iter(self.by_narrative.values())))


def count(records: Sequence[Record], taxonomy: Taxonomy) -> Statistics:
    """Count records and measure agreement."""
    languages: dict[str, dict[str, int]] = {}
    narratives = {n: dict.fromkeys(taxonomy.stance_ids, 0) for n in taxonomy.narrative_ids}
    for record in records:
        origin = "written" if isinstance(record, Written) else "real"
        languages.setdefault(record.lang, {"real": 0, "written": 0})[origin] += 1
        for narrative, stance in record.labels.items():
            narratives[narrative][stance] += 1
    pairs = [
        tuple(record.annotations.values())[:2] for record in records if len(record.annotations) > 1
    ]
    alike = [
        one[narrative] == other[narrative]
        for one, other in pairs
        for narrative in one.keys() & other.keys()
    ]
    return Statistics(
        total=len(records),
        real=sum(not isinstance(record, Written) for record in records),
        none=sum(not record.labels for record in records),
        by_language=dict(sorted(languages.items(), key=lambda item: -sum(item[1].values()))),
        by_narrative=narratives,
        read_twice=len(pairs),
        agreement={name: _agreement(pairs, name) for name in taxonomy.narrative_ids},
        stance_alike=sum(alike),
        stance_compared=len(alike),
    )


def _agreement(pairs: Sequence[tuple[Labels, ...]], narrative: str) -> Agreement:
    values = Counter((narrative in one) + (narrative in other) for one, other in pairs)
    units = 2 * len(pairs)
    ones = values[1] + 2 * values[2]
    expected = 2 * ones * (units - ones) / (units - 1) if units > 1 else 0.0
    alpha = 1 - values[1] * 2 / expected if expected else 1.0
    return Agreement(both=values[2], one=values[1], alpha=alpha)
