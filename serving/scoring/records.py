"""What sources are made of: records, and what had to be rejected."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.classifier import check_id, check_text
from serving.errors import TextError

LONGEST_RAW = 1_000_000
"""Characters of a rejected line that are kept, so that it can be mended and scored."""
LONGEST_METADATA = 2_000
"""Characters that a date, title, address or language keeps."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """A text with its place and what the source says of it.

    `position` counts lines, rows, entries or pages of the source, from 1.
    """

    source: str
    position: int
    text: str
    id: str | None = None
    date: str | None = None
    title: str | None = None
    url: str | None = None
    language: str | None = None


@dataclass(frozen=True, kw_only=True)
class Reject:
    """What could not be scored, and why; `raw` is what stood there, where it can be mended."""

    source: str
    position: int
    reason: str
    raw: str | None = None


@dataclass(frozen=True)
class Link:
    """The record that a copy is of."""

    id: str
    source: str


Entry = Record | Reject


def checked(
    make: Callable[[], Record],
    source: str,
    position: int,
    *,
    longest: int,
    raw: str | bytes | None = None,
) -> Entry:
    """Return the record that `make` makes, or why it cannot be classified.

    `longest` is in code points.
    """
    try:
        record = make()
        check_text(record.text, longest=longest)
        if record.id is not None:
            check_id(record.id)
    except TextError as error:
        return reject(source, position, str(error), raw)
    return record


def reject(source: str, position: int, reason: str, raw: str | bytes | None = None) -> Reject:
    """Return a reject whose reason is one line and whose raw text can be written anywhere."""
    if isinstance(raw, bytes):
        raw = raw[: 4 * LONGEST_RAW].decode("utf-8", "backslashreplace")
    if raw is not None:
        raw = writable(raw.rstrip("\r\n"))[:LONGEST_RAW]
    line = " ".join(writable(reason).split())
    return Reject(source=source, position=position, reason=line, raw=raw)


def writable(text: str) -> str:
    """Return a text that can be encoded: half a surrogate pair becomes its escape."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def metadata(value: object) -> str | None:
    """Return what a source says of a record as a bounded text, or None if it says nothing."""
    if value is None or value == "":
        return None
    return writable(str(value))[:LONGEST_METADATA]
