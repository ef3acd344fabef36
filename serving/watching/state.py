"""What a watch remembers, in SQLite: its feeds, what it has seen of them, and what is to be scored.

What a poll found and what it says of the feed are kept in one step, so a stop between two polls
neither loses an entry nor brings one twice. Entries wait in a queue, numbered without gaps from 1;
the manifest of the output tells how many of them are written.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from serving.scoring.records import Entry, Record, Reject

NAME = "watch.sqlite"
_PART = 256


@dataclass(frozen=True, kw_only=True)
class Feed:
    """A feed: `url` as it is listed, `address` where it is now, `due` when it may be asked.

    `failures` are those since it last answered; `due` is in seconds since 1970.
    """

    url: str
    address: str
    validators: Mapping[str, str] = field(default_factory=dict)
    due: float = 0.0
    failures: int = 0
    error: str | None = None


class State:
    """The memory of a watch; a context manager, for one thread."""

    def __init__(self, folder: Path) -> None:
        """Open the memory in the output's folder, or begin it."""
        self._db = sqlite3.connect(folder / NAME, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")
        self._db.execute("CREATE TABLE IF NOT EXISTS feeds (url TEXT PRIMARY KEY, about TEXT)")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS seen "
            "(feed TEXT, id TEXT, hash BLOB, PRIMARY KEY (feed, id)) WITHOUT ROWID"
        )
        # AUTOINCREMENT: numbers go on when what was written is removed.
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS queue (n INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT)"
        )

    def __enter__(self) -> Self:
        """Return the memory."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close it."""
        self._db.close()

    def feed(self, url: str) -> Feed:
        """Return what is known of a feed."""
        found = self._db.execute("SELECT about FROM feeds WHERE url = ?", (url,)).fetchone()
        return Feed(**json.loads(found[0])) if found else Feed(url=url, address=url)

    def keep(self, feed: Feed, entries: Iterable[Entry] = ()) -> int:
        """Remember a feed, queue those of its entries that are new, and return how many are.

        An entry is new if the feed had none of its id, or one with other words.
        """
        new = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for entry in entries:
                new += self._add(feed.url, entry)
            self._db.execute(
                "INSERT OR REPLACE INTO feeds VALUES (?, ?)",
                (feed.url, json.dumps(asdict(feed))),
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")
        return new

    def _add(self, feed: str, entry: Entry) -> bool:
        identifier, words = _identity(entry)
        known = self._db.execute(
            "SELECT hash FROM seen WHERE feed = ? AND id = ?", (feed, identifier)
        ).fetchone()
        if known and known[0] == words:
            return False
        self._db.execute("INSERT OR REPLACE INTO seen VALUES (?, ?, ?)", (feed, identifier, words))
        kind = "record" if isinstance(entry, Record) else "reject"
        self._db.execute(
            "INSERT INTO queue (entry) VALUES (?)", (json.dumps({kind: asdict(entry)}),)
        )
        return True

    def waiting(self) -> Iterator[Entry]:
        """Yield the entries that are to be scored, in order."""
        last = 0
        # In parts, as what is written meanwhile leaves the queue.
        while part := self._db.execute(
            "SELECT n, entry FROM queue WHERE n > ? ORDER BY n LIMIT ?", (last, _PART)
        ).fetchall():
            for last, line in part:  # noqa: B007 (it is where the next part begins)
                entry = json.loads(line)
                yield Record(**entry["record"]) if "record" in entry else Reject(**entry["reject"])

    def written(self, count: int) -> None:
        """Let go of the first `count` entries of all times."""
        self._db.execute("DELETE FROM queue WHERE n <= ?", (count,))


def _identity(entry: Entry) -> tuple[str, bytes]:
    if isinstance(entry, Record):
        said = json.dumps([entry.text, entry.title])
        return f"id:{entry.id}", _hash(said)
    # What is broken has no id that could be trusted; the same fault in the same words is one.
    said = json.dumps([entry.reason, entry.raw])
    return f"broken:{_hash(said).hex()}", _hash(said)


def _hash(said: str) -> bytes:
    return hashlib.blake2b(said.encode(), digest_size=16).digest()
