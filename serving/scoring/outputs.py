"""Formats of a shard: JSONL, or Parquet with a schema that readers take as it is."""

import json
from collections.abc import Sequence
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, cast

from serving.scoring.options import Format


class Output(Protocol):
    """Writes the rows of a shard; a file is whole when `close` has returned."""

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows."""

    def close(self) -> None:
        """Finish the file."""


def output(format_: Format, path: Path, narratives: Sequence[str]) -> Output:
    """Return what writes a shard at `path`; `narratives` are the model's, for the schema."""
    if format_ == "jsonl":
        return Jsonl(path)
    # Arrow is loaded only where it is asked for.
    parquet = import_module("serving.scoring.parquet_output")
    return cast(Output, parquet.Parquet(path, narratives))


class Jsonl:
    """An object a line; what a row lacks is left out."""

    def __init__(self, path: Path) -> None:
        """Create the file."""
        # It is not held open: a shard may have more files than a process may open.
        self._path = path
        path.write_bytes(b"")

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows."""
        with self._path.open("a", encoding="utf-8", newline="\n") as sink:
            for row in rows:
                sink.write(line({key: value for key, value in row.items() if value is not None}))

    def close(self) -> None:
        """Do nothing: every write leaves a whole file."""


def line(row: dict[str, Any]) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False, default=_moment) + "\n"


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds").replace("+00:00", "Z")
    raise TypeError(f"{value!r} cannot be written as JSON")
