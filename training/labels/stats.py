"""Counts of a corpus, and how well annotators agree where more than one read a passage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.labels import agreement as agreements
from training.labels.records import Record
from training.taxonomy import Taxonomy


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How annotators agree on whether one narrative is there; `agreement` measures more."""

    both: int
    one: int
    alpha: float | None
    """None where nothing was read twice, or where it is nowhere found."""


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """Counts of a corpus."""

    total: int
    real: int
    none: int
    by_language: dict[str, dict[str, int]]
    by_narrative: dict[str, dict[str, int]]
    by_language_and_narrative: dict[str, dict[str, int]]
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
            "by_language_and_origin": self.by_language,
            "by_narrative": self.by_narrative,
            "by_language_and_narrative": self.by_language_and_narrative,
            "read_twice": self.read_twice,
            "alpha": {
                name: None if a.alpha is None else round(a.alpha, 3)
                for name, a in self.agreement.items()
            },
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
            *self.gaps(),
            "",
            f"{self.read_twice} passages were read by two annotators, blind.",
            "",
            "| narrative | " + " | ".join(self._stances) + " | both | one only | alpha |",
            "|---|" + "---|" * (len(self._stances) + 3),
        ]
        for name, counts in self.by_narrative.items():
            a = self.agreement[name]
            alpha = "-" if a.alpha is None else f"{a.alpha:.2f}"
            cells = " | ".join(str(count) for count in counts.values())
            lines.append(f"| `{name}` | {cells} | {a.both} | {a.one} | {alpha} |")
        lines += [
            "",
            f"Stance, where both found the narrative: {self.stance_alike} of "
            f"{self.stance_compared} alike.",
        ]
        return "\n".join(lines)

    def gaps(self) -> list[str]:
        """Return a line for each language that lacks a narrative."""
        missing = {
            code: [f"`{name}`" for name, count in counts.items() if not count]
            for code, counts in self.by_language_and_narrative.items()
        }
        lines = [f"- {code}: no {', '.join(names)}" for code, names in missing.items() if names]
        return lines or ["Every language has every narrative."]

    @property
    def _stances(self) -> list[str]:
        return list(next(iter(self.by_narrative.values())))


def count(records: Sequence[Record], taxonomy: Taxonomy) -> Statistics:
    """Count records and measure agreement."""
    languages: dict[str, dict[str, int]] = {}
    narratives = {n: dict.fromkeys(taxonomy.stance_ids, 0) for n in taxonomy.narrative_ids}
    matrix: dict[str, dict[str, int]] = {}
    for record in records:
        counts = languages.setdefault(record.lang, {"real": 0, "written": 0})
        counts[agreements.origin(record)] += 1
        row = matrix.setdefault(record.lang, dict.fromkeys(taxonomy.narrative_ids, 0))
        for narrative, stance in record.labels.items():
            narratives[narrative][stance] += 1
            row[narrative] += 1
    by_language = dict(sorted(languages.items(), key=lambda item: -sum(item[1].values())))
    read = agreements.twice(records)
    stances = agreements.stances(read, taxonomy.narrative_ids, taxonomy.stance_ids)
    compared = stances[stances.sum(1) > 1]
    return Statistics(
        total=len(records),
        real=sum(counts["real"] for counts in languages.values()),
        none=sum(not record.labels for record in records),
        by_language=by_language,
        by_narrative=narratives,
        by_language_and_narrative={code: matrix[code] for code in by_language},
        read_twice=len(read),
        agreement={name: _agreement(read, name) for name in taxonomy.narrative_ids},
        stance_alike=int(((compared > 0).sum(1) == 1).sum()),
        stance_compared=len(compared),
    )


def _agreement(read: Sequence[Record], narrative: str) -> Agreement:
    counts = agreements.presence(read, [narrative])
    return Agreement(
        both=int((counts[:, 1] > 1).sum()),
        one=int((counts > 0).all(1).sum()),
        alpha=agreements.alpha(counts),
    )
