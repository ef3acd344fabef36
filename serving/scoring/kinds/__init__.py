"""The kinds of source, a module each: how a kind is told, and what reads it.

A module is imported when a source of its kind is met, so a run over JSONL loads no Arrow.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import PurePosixPath
from typing import BinaryIO, Protocol, cast

from serving.scoring.columns import Columns
from serving.scoring.compression import bare_name
from serving.scoring.limits import Limits
from serving.scoring.records import Entry

HEAD = 4096
"""Bytes of a source that are looked at."""
LISTINGS = {"opml", "sitemap"}
"""Kinds that hold no text: they name other sources."""

_MODULES = {
    "jsonl": "jsonl",
    "csv": "table",
    "tsv": "table",
    "parquet": "parquet",
    "arrow": "arrow",
    "warc": "warc",
    "text": "text",
    "html": "html",
    "feed": "feed",
}
_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".ipc": "arrow",
    ".feather": "arrow",
    ".warc": "warc",
    ".wet": "warc",
    ".txt": "text",
    ".md": "text",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".rss": "feed",
    ".atom": "feed",
    ".opml": "opml",
}
_MAGIC = {b"PAR1": "parquet", b"ARROW1\0\0": "arrow", b"WARC/": "warc"}
_ROOTS = {
    "rss": "feed",
    "rdf": "feed",
    "feed": "feed",
    "opml": "opml",
    "urlset": "sitemap",
    "sitemapindex": "sitemap",
    "html": "html",
}
_ROOT = re.compile(r"<(?:[a-z_][\w.-]*:)?([a-z_][\w.-]*)", re.IGNORECASE)
_NO_ROOT = re.compile(r"<!--.*?-->|<\?.*?\?>|<![^>]*>", re.DOTALL)


@dataclass(frozen=True)
class Reading:
    """How sources are read: columns as given, limits, and who is told what was chosen.

    `tell` is given a source and the columns chosen for it.
    """

    columns: Columns = field(default_factory=Columns)
    limits: Limits = field(default_factory=Limits)
    tell: Callable[[str, str], None] = lambda *_: None


class Reader(Protocol):
    """Reads the entries of a stream, in order.

    Raises:
        SourceError: the stream, or the rest of it, is not of the kind.
    """

    def __call__(self, stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
        """Yield the entries."""


def reader(kind: str) -> Reader:
    """Return what reads a kind."""
    return cast(Reader, import_module(f"{__name__}.{_MODULES[kind]}").read)


def kind_of(name: str, head: bytes) -> str | None:
    """Tell a source's kind by its name and first bytes (decompressed); None if nothing tells.

    Bytes that can be of one kind alone go before the suffix, and that before looking at the text.
    """
    for magic, kind in _MAGIC.items():
        if head.startswith(magic):
            return kind
    suffix = PurePosixPath(bare_name(name)).suffix.lower()
    return _SUFFIXES.get(suffix) or _kind_of_text(head)


def _kind_of_text(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    text = head.decode("utf-8-sig", "replace").lstrip()
    if text.startswith("{"):
        return "jsonl"
    if text.startswith("<"):
        root = _ROOT.search(_NO_ROOT.sub("", text))
        name = root[1].lower() if root else ""
        # A page that was cut out of another may begin with any element.
        return _ROOTS.get(name, "html" if not text.startswith("<?xml") else None)
    return "text" if text else None
