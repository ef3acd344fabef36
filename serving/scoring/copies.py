"""Finds exact and near copies of texts that a run has read already.

An exact copy has the same words: normalised as the model reads them, case and white space apart. A
near copy shares at least `NEAR` of its three-word runs (Jaccard, estimated by MinHash, found by
locality-sensitive hashing), and has as many words that deny, or a rebuttal would be taken for the
claim that it repeats. The index is an SQLite file, so memory stays flat; a first text takes
about 1 kB of disk. It is made anew by each run, in the order of the records, so that a run that
goes on decides as one that was never stopped. What watches feeds keeps it from round to round.
"""

import hashlib
import re
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import numpy as np
from datasketch import MinHash

from serving.normalise import normalise
from serving.scoring.records import Link, Record

Mode = Literal["near", "exact"]
NEAR = 0.85
FEWEST_RUNS = 8
"""A text of fewer runs has no near copies: in a short one a word is a difference of meaning."""
_RUN = 3
_BANDS, _ROWS = 16, 8
_PERMUTATIONS = _BANDS * _ROWS
_CACHE_KIB = 32_768
_DENIALS = re.compile(
    r"\b(?:not|no|never|nobody|false|falsely|fake|untrue|hoax|denie[sd]|deny|debunk\w*|refut\w*"
    r"|не|нет|ні|ни|нема|фейк\w*|ложн\w*|ложь|неправд\w*|вигад\w*|опровер\w*|спросту\w*|запереч\w*"
    r"|жоқ|емес|жалған|жоққа|nicht|kein\w*|nie|nein|falsch\w*|non|pas|jamais|faux|nu|nunca|falso)\b"
    r"|\w+n['’]t\b"
)
"""Words of denial in the languages that are met most; in others only the runs count."""
# Scripts without spaces give a token for each of their characters.
_TOKEN = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]|\w+")


class Copies:
    """The index; a context manager, whose file is gone afterwards unless it is kept."""

    def __init__(self, path: Path, mode: Mode, *, keep: int | None = None) -> None:
        """Make an empty index at `path`, over what an earlier run left there.

        With `keep` the index that is there goes on with its first so many texts, and stays.
        """
        self._path, self._mode, self._kept = path, mode, keep is not None
        if not self._kept:
            path.unlink(missing_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None)
        # One that does not outlive the run needs neither journal nor syncing.
        safety = ("WAL", "FULL") if self._kept else ("OFF", "OFF")
        self._db.execute(f"PRAGMA journal_mode={safety[0]}")
        self._db.execute(f"PRAGMA synchronous={safety[1]}")
        self._db.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS firsts (n INTEGER PRIMARY KEY, id TEXT, source TEXT, "
            "signature BLOB, denials INTEGER)"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS exact (hash BLOB PRIMARY KEY, n INTEGER) WITHOUT ROWID"
        )
        self._db.execute(
            "CREATE TABLE IF NOT EXISTS bands "
            "(key INTEGER, n INTEGER, PRIMARY KEY (key, n)) WITHOUT ROWID"
        )
        self._db.execute("BEGIN")
        if keep is not None:
            for table in ("firsts", "exact", "bands"):
                self._db.execute(f"DELETE FROM {table} WHERE n > ?", (keep,))  # noqa: S608
            self.commit()

    def commit(self) -> None:
        """Put what was linked so far on the disk."""
        self._db.execute("COMMIT")
        self._db.execute("BEGIN")

    def __enter__(self) -> Self:
        """Return the index."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the index, or what was not put on the disk of one that is kept."""
        self._db.close()
        if not self._kept:
            self._path.unlink(missing_ok=True)

    def link(self, record: Record, identifier: str) -> Link | None:
        """Return what the record is a copy of, or remember it as a first and return None."""
        words = " ".join(normalise(record.text).text.casefold().split())
        key = hashlib.blake2b(words.encode(), digest_size=16).digest()
        same = self._db.execute("SELECT n FROM exact WHERE hash = ?", (key,)).fetchone()
        if same:
            return self._first(same[0])
        signature = _signature(words) if self._mode == "near" else None
        denials = len(_DENIALS.findall(words))
        if signature is not None and (near := self._nearest(signature, denials)) is not None:
            return self._first(near)
        blob = None if signature is None else signature.tobytes()
        n = self._db.execute(
            "INSERT INTO firsts (id, source, signature, denials) VALUES (?, ?, ?, ?)",
            (identifier, record.source, blob, denials),
        ).lastrowid
        self._db.execute("INSERT INTO exact VALUES (?, ?)", (key, n))
        if signature is not None:
            rows = ((band, n) for band in _bands(signature))
            self._db.executemany("INSERT OR IGNORE INTO bands VALUES (?, ?)", rows)
        return None

    def _first(self, n: int) -> Link:
        row = self._db.execute("SELECT id, source FROM firsts WHERE n = ?", (n,)).fetchone()
        return Link(*row)

    def _nearest(
        self, signature: "np.ndarray[tuple[int], np.dtype[np.uint32]]", denials: int
    ) -> int | None:
        """Return the first that is most alike, the earliest of several, if it is near."""
        bands = _bands(signature)
        marks = ",".join("?" * len(bands))
        rows = self._db.execute(
            "SELECT n, signature FROM firsts WHERE n IN "  # noqa: S608 (only question marks)
            f"(SELECT n FROM bands WHERE key IN ({marks})) AND denials = ? ORDER BY n",
            [*bands, denials],
        )
        best, nearest = NEAR, None
        for n, blob in rows:
            alike = float(np.mean(np.frombuffer(blob, np.uint32) == signature))
            if alike > best or (nearest is None and alike >= NEAR):
                best, nearest = alike, n
        return nearest


def _signature(words: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]] | None":
    tokens = _TOKEN.findall(words)
    runs = {
        " ".join(tokens[at : at + _RUN]).encode() for at in range(max(0, len(tokens) - _RUN + 1))
    }
    if len(runs) < FEWEST_RUNS:
        return None
    sketch = MinHash(num_perm=_PERMUTATIONS, seed=1)
    sketch.update_batch(sorted(runs))
    return np.asarray(sketch.hashvalues, np.uint32)


def _bands(signature: "np.ndarray[tuple[int], np.dtype[np.uint32]]") -> list[int]:
    keys = []
    for band in range(_BANDS):
        rows = signature[band * _ROWS : (band + 1) * _ROWS].tobytes()
        digest = hashlib.blake2b(bytes([band]) + rows, digest_size=8).digest()
        keys.append(int.from_bytes(digest, "big", signed=True))
    return keys
