"""The manifest of a run: what it was asked for, and a line for each shard that is finished.

`manifest.jsonl` is only ever added to, and each line is on the disk before the next shard begins.
A line that was cut off by a stop stands for a shard that is made again.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from serving import model_folder
from serving.errors import ServingError
from serving.scoring.durable import publish, unfinished
from serving.scoring.options import Options

NAME = "manifest.jsonl"
FORMAT = 1
_SHOWN = 5
"""Differences that are shown of those between two runs."""


@dataclass(frozen=True, kw_only=True)
class Totals:
    """What became of the records: `read` is the sum of the others."""

    read: int = 0
    scored: int = 0
    duplicates: int = 0
    rejected: int = 0

    def __add__(self, other: "Totals") -> "Totals":
        """Return the sums."""
        return Totals(
            read=self.read + other.read,
            scored=self.scored + other.scored,
            duplicates=self.duplicates + other.duplicates,
            rejected=self.rejected + other.rejected,
        )

    def __str__(self) -> str:
        """Return the sum for a reader."""
        return (
            f"read {self.read} = scored {self.scored} + duplicates {self.duplicates} "
            f"+ rejected {self.rejected}"
        )


@dataclass(frozen=True, kw_only=True)
class File:
    """A file of a shard; `file` is its path in the output, with slashes."""

    file: str
    sha256: str
    rows: int


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A finished shard: one file, or one in each folder of a partition.

    `input` is the sha256 of the records that it was made of, and `rejects_bytes` how long the file
    of rejects was after it.
    """

    files: list[File]
    input: str
    rejects_bytes: int
    read: int
    scored: int
    duplicates: int
    rejected: int

    @property
    def totals(self) -> Totals:
        """Return the shard's counts."""
        return Totals(
            read=self.read,
            scored=self.scored,
            duplicates=self.duplicates,
            rejected=self.rejected,
        )


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a run was asked for. Only `scored_at` may differ when it goes on."""

    sources: list[dict[str, Any]]
    model: dict[str, str]
    taxonomy: str
    options: dict[str, Any]
    scored_at: str

    @classmethod
    def of(
        cls,
        sources: Iterable[tuple[str, int]],
        model: model_folder.Manifest,
        options: Options,
        now: datetime,
    ) -> Self:
        """Return the header of a run that begins `now`; `sources` are names and sizes in bytes."""
        return cls(
            sources=[{"source": name, "bytes": size} for name, size in sources],
            model={
                "name": model.name,
                "sha256": hashlib.sha256(model.model_dump_json().encode()).hexdigest(),
            },
            taxonomy=model.taxonomy_version,
            options=options.as_json(),
            scored_at=now.astimezone(UTC).replace(microsecond=0).isoformat(),
        )


class Manifest:
    """The manifest in a folder, for one process at a time; a context manager."""

    def __init__(self, folder: Path, header: Header) -> None:
        """Open the run in `folder`, or begin it.

        Raises:
            ServingError: another run is there, or another process works on this one.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / NAME
        self._lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise ServingError(f"{folder} is being written by another process.") from error
        self.complete = False
        self.shards: list[Shard] = []
        try:
            self.header = self._read(folder, header) if self._path.exists() else self._begin(header)
            self._sink = self._path.open("ab")
        except BaseException:
            os.close(self._lock)
            raise

    def __enter__(self) -> Self:
        """Return the manifest."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the folder go."""
        self._sink.close()
        os.close(self._lock)

    def add(self, shard: Shard) -> None:
        """Enter a shard whose file is in place."""
        self._write(asdict(shard))
        self.shards.append(shard)

    def finish(self, totals: Totals) -> None:
        """Enter that nothing is to come."""
        self._write({"complete": True, **asdict(totals)})
        self.complete = True

    def _write(self, entry: dict[str, Any]) -> None:
        self._sink.write(_line(entry))
        self._sink.flush()
        os.fsync(self._sink.fileno())

    def _begin(self, header: Header) -> Header:
        begun = unfinished(self._path)
        begun.write_bytes(_line({"format": FORMAT, **asdict(header)}))
        publish(begun, self._path)
        return header

    def _read(self, folder: Path, header: Header) -> Header:
        whole = 0
        with self._path.open("rb") as lines:
            for number, line in enumerate(lines):
                if not line.endswith(b"\n"):
                    break
                try:
                    entry = json.loads(line)
                    if number == 0:
                        found = _header(entry)
                    elif entry.pop("complete", False):
                        self.complete = True
                    else:
                        self.shards.append(_shard(entry))
                except (ValueError, TypeError, AttributeError, KeyError) as error:
                    raise ServingError(
                        f"{self._path}:{number + 1} is no line of a manifest: "
                        "remove the folder, or pass another --out."
                    ) from error
                whole += len(line)
        if whole == 0:
            raise ServingError(f"{self._path} is empty: remove it, or pass another --out.")
        os.truncate(self._path, whole)
        if differing := differences(found, header):
            more = len(differing) - _SHOWN
            shown = "; ".join(differing[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
            raise ServingError(
                f"{folder} holds another run ({shown}): remove it, or pass another --out."
            )
        return found


def differences(old: Header, new: Header) -> list[str]:
    """Return how two runs differ, each as "what: old -> new"."""
    before, after = _flat(asdict(old)), _flat(asdict(new))
    return [
        f"{name}: {before.get(name, 'none')} -> {after.get(name, 'none')}"
        for name in dict.fromkeys([*before, *after])
        if before.get(name) != after.get(name)
    ]


def _flat(header: dict[str, Any]) -> dict[str, Any]:
    flat = {f"source {s['source']}": f"{s['bytes']} bytes" for s in header["sources"]}
    flat |= {f"model {key}": value for key, value in header["model"].items()}
    flat["taxonomy"] = header["taxonomy"]
    for key, value in header["options"].items():
        if isinstance(value, dict):
            flat |= {f"{key} {inner}": chosen for inner, chosen in value.items()}
        else:
            flat[key] = value
    # The order of the sources is the order of the output.
    flat["order of sources"] = ", ".join(s["source"] for s in header["sources"])
    return flat


def _header(entry: dict[str, Any]) -> Header:
    if entry.pop("format") != FORMAT:
        raise ValueError("another format")
    return Header(**entry)


def _shard(entry: dict[str, Any]) -> Shard:
    if "file" in entry:
        # So was a shard entered before there were partitions.
        rows = entry["scored"] + entry["duplicates"]
        entry["files"] = [{"file": entry.pop("file"), "sha256": entry.pop("sha256"), "rows": rows}]
    return Shard(**entry | {"files": [File(**file) for file in entry["files"]]})


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, ensure_ascii=False).encode() + b"\n"
