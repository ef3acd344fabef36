"""Shards as Parquet: lists of structs for findings, moments in UTC, nothing to cast."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

_WORDS = pa.struct([("begin", pa.int64()), ("end", pa.int64()), ("weight", pa.float64())])
_FINDING = pa.struct(
    [
        ("narrative", pa.string()),
        ("confidence", pa.float64()),
        ("decision", pa.string()),
        ("stance", pa.string()),
        ("stance_confidence", pa.float64()),
        ("begin", pa.int64()),
        ("end", pa.int64()),
        ("explanation", pa.list_(_WORDS)),
    ]
)
_CAUTION = pa.struct([("code", pa.string()), ("detail", pa.string())])
_MOMENT = pa.timestamp("us", tz="UTC")


def schema(narratives: Sequence[str]) -> Any:
    """Return the columns of a shard; `scores` has a field for each narrative."""
    return pa.schema(
        [
            ("source", pa.string()),
            ("position", pa.int64()),
            ("id", pa.string()),
            ("copy_of", pa.string()),
            ("copy_of_source", pa.string()),
            ("date", pa.string()),
            ("published_at", _MOMENT),
            ("title", pa.string()),
            ("url", pa.string()),
            ("source_language", pa.string()),
            ("language", pa.string()),
            ("narratives", pa.list_(_FINDING)),
            ("scores", pa.struct([(name, pa.float64()) for name in narratives])),
            ("warnings", pa.list_(_CAUTION)),
            ("text", pa.string()),
            ("model", pa.string()),
            ("taxonomy_version", pa.string()),
            ("scored_at", _MOMENT),
        ]
    )


class Parquet:
    """A shard whose rows are one row group: they are held until it closes."""

    def __init__(self, path: Path, narratives: Sequence[str]) -> None:
        """Choose the file's place and its schema."""
        self._path, self._schema = path, schema(narratives)
        self._rows: list[dict[str, Any]] = []

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows."""
        self._rows.extend(rows)

    def close(self) -> None:
        """Write the file."""
        table = pa.Table.from_pylist(self._rows, schema=self._schema)
        pq.write_table(table, self._path, compression="zstd")
