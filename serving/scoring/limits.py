"""Bounds on what a source may ask of us."""

from dataclasses import dataclass

from serving.classifier import LONGEST

SOURCE_BYTES = 64 << 30
"""Bytes of a source, decompressed."""
DOCUMENT_BYTES = 20 << 20
"""Bytes of what must be held as a whole: a page, a plain text."""
LINE_BYTES = 16 << 20
"""Bytes of a line of JSONL or CSV."""
ADDRESSES = 10_000
"""Addresses of the web that a run fetches."""
MEMORY_BYTES = 128 << 20
"""Bytes that a decompressor may claim for its window: the stream names it, and may be hostile."""


@dataclass(frozen=True)
class Limits:
    """What may be chosen: decompressed bytes of a source, code points of a record."""

    source_bytes: int = SOURCE_BYTES
    characters: int = LONGEST
