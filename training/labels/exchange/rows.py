"""What every format carries: a record's fields, its key, and the text, also of stand-off records.

A blind row has no more than `key`, `lang` and `text`; its `labels` are None until somebody reads
it. That is not `{}`, which says that the passage carries no narrative.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from training.labels import records
from training.labels.records import StandOff, Written
from training.labels.sources import Passage

Fields = dict[str, Any]

NAMES = (
    "key",
    "lang",
    "text",
    "labels",
    *dict.fromkeys(
        field.alias or name
        for model in (Written, StandOff)
        for name, field in model.model_fields.items()
        if (field.alias or name) not in ("lang", "text", "labels")
    ),
)
"""The fields of a row, those that an annotator reads first."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that was read: `reading` is what an annotator says of it, None if nothing yet."""

    where: str
    fields: Fields
    reading: Any


@dataclass(frozen=True, kw_only=True)
class Reject:
    """A row that cannot be taken in, and why."""

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


def whole(passages: Iterable[Passage]) -> list[Fields]:
    """Return rows that hold everything."""
    return [
        # A written record's own text may have white space around it; it goes as it is.
        {"key": p.key, "text": p.text, **records.dump(p.record)}
        for p in passages
    ]


def blind(passages: Iterable[Passage]) -> list[Fields]:
    """Return rows that show a second reader nothing of the first reading."""
    return [{"key": p.key, "lang": p.lang, "text": p.text, "labels": None} for p in passages]
