"""The generated blocks of the datasheet."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from training.generated import table
from training.labels import actors, agreement, shortcuts, stats
from training.labels.records import Record, StandOff, Written
from training.taxonomy import Taxonomy

NOT_AUDITED = "Not measured yet: run `narrascope labels shortcuts --json docs/shortcuts.json`."


def blocks(
    records: Sequence[Record],
    taxonomy: Taxonomy,
    sides: Mapping[str, str],
    audit: dict[str, Any] | None,
    known_actors: Mapping[str, Sequence[str]],
) -> dict[str, str]:
    """Return every block by name; all but `shortcuts` follow from records and split alone."""
    counted = stats.count(records, taxonomy)
    measured = agreement.measure(records, taxonomy, sides)
    return {
        "counts": _counts(counted),
        "languages": table(
            ["language", "real", "written"],
            [[code, *counts.values()] for code, counts in counted.by_language.items()],
        ),
        "narratives": table(
            ["narrative", *taxonomy.stance_ids, "all"],
            [
                [f"`{name}`", *counts.values(), sum(counts.values())]
                for name, counts in counted.by_narrative.items()
            ],
        ),
        "gaps": "\n".join(counted.gaps()),
        "sources": _tally(
            "source", (record.source for record in records if isinstance(record, StandOff))
        ),
        "registers": _tally(
            "register", (record.register_ for record in records if isinstance(record, Written))
        ),
        "picked": _tally(
            "picked", (record.picked for record in records if isinstance(record, StandOff))
        ),
        "actors": actors.shares(
            ((r.lang, r.text) for r in records if isinstance(r, Written) and r.labels),
            known_actors,
        ),
        "neutral": _neutral(records),
        "annotators": _tally("decided by", (record.annotator for record in records)),
        "sides": _sides(records, sides),
        "agreement": measured.as_table(),
        "shortcuts": shortcuts.markdown(audit) if audit else NOT_AUDITED,
    }


def _counts(counted: stats.Statistics) -> str:
    return (
        f"{counted.total} passages in {len(counted.by_language)} languages: {counted.real} of real "
        f"text by stand-off, {counted.total - counted.real} written for the project. "
        f"{counted.none} carry no narrative. {counted.read_twice} were read by at least two "
        "annotators."
    )


def _neutral(records: Sequence[Record]) -> str:
    written = [record for record in records if isinstance(record, Written)]
    neutral = sum(not record.labels for record in written)
    share = f" ({neutral / len(written):.1%})" if written else ""
    return f"{neutral} of {len(written)} written passages{share} carry no narrative."


def _sides(records: Sequence[Record], sides: Mapping[str, str]) -> str:
    counts = Counter((sides.get(record.key, "-"), agreement.origin(record)) for record in records)
    names = list(dict.fromkeys([*sorted(set(sides.values())), *(side for side, _ in counts)]))
    return table(
        ["side", "real", "written"],
        [[name, counts[name, "real"], counts[name, "written"]] for name in names],
    )


def _tally(title: str, values: Any) -> str:
    return table([title, "passages"], [[f"`{v}`", n] for v, n in sorted(Counter(values).items())])
