"""Cuts what is read into shards, the same at every run, and a shard into calls of the model."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass

from serving.scoring.manifest import Totals
from serving.scoring.records import Entry, Link, Record, Reject

SHARD_TEXT = 4_000_000
"""Code points of a shard: what of the input is in memory at a time."""
CHUNK = 256
CHUNK_TEXT = 400_000
"""Records, and code points, that are scored together: full batches, and memory that stays flat."""


@dataclass(frozen=True)
class Item:
    """An entry, and what it is a copy of."""

    entry: Entry
    link: Link | None = None

    @property
    def size(self) -> int:
        """Return the code points that the entry holds."""
        held = self.entry.text if isinstance(self.entry, Record) else self.entry.raw
        return len(held or "")

    @property
    def to_score(self) -> Record | None:
        """Return the record if the model must read it."""
        return self.entry if isinstance(self.entry, Record) and self.link is None else None


@dataclass(frozen=True)
class Group:
    """The items of a shard, and which of the run's shards it is, from 0."""

    number: int
    items: list[Item]


def cut(items: Iterable[Item], records: int, text: int) -> Iterator[list[Item]]:
    """Yield the items in groups of at most `records`, ended as soon as they have `text` points."""
    group: list[Item] = []
    size = 0
    for item in items:
        group.append(item)
        size += item.size
        if len(group) >= records or size >= text:
            yield group
            group, size = [], 0
    if group:
        yield group


def totals(items: Iterable[Item]) -> Totals:
    """Count what became of items."""
    read = scored = duplicates = rejected = 0
    for item in items:
        read += 1
        if isinstance(item.entry, Reject):
            rejected += 1
        elif item.link:
            duplicates += 1
        else:
            scored += 1
    return Totals(read=read, scored=scored, duplicates=duplicates, rejected=rejected)


def rejects(items: Iterable[Item]) -> list[Reject]:
    """Return what of the items could not be scored."""
    return [item.entry for item in items if isinstance(item.entry, Reject)]


def digest(items: Iterable[Item]) -> str:
    """Return the sha256 of what a shard is made of."""
    sha = hashlib.sha256()
    for item in items:
        link = asdict(item.link) if item.link else None
        sha.update(json.dumps([asdict(item.entry), link]).encode() + b"\n")
    return sha.hexdigest()
