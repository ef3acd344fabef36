"""Rows of Arrow batches: what Parquet and Arrow files have in common."""

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from serving.errors import SourceError
from serving.scoring.columns import Columns
from serving.scoring.kinds import Reading
from serving.scoring.records import Entry, checked

SLICE = 256
"""Rows that are turned into Python objects at a time."""


def choose(schema: Any, source: str, reading: Reading) -> Columns:
    """Choose the columns of a schema and tell of it.

    Raises:
        SourceError: there is none for the text, or it is of another type.
    """
    columns = reading.columns.choose(schema.names)
    kind = schema.field(columns.text).type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_text = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    if not any(check(kind) for check in is_text):
        raise SourceError(f"The column {columns.text!r} holds {kind}, no text.")
    reading.tell(source, columns.described())
    return columns


def entries(
    batches: Iterable[Any], columns: Columns, source: str, reading: Reading
) -> Iterator[Entry]:
    """Yield an entry for each row; positions are row numbers.

    Raises:
        SourceError: the batches have more bytes than a source may have.
    """
    position, size = 0, 0
    for batch in batches:
        # Compressed columns are a bomb like any other: what comes out is what counts.
        size += batch.nbytes
        if size > reading.limits.source_bytes:
            raise SourceError(
                f"The source has more than {reading.limits.source_bytes} bytes when "
                "decompressed: split it, or raise --max-source-bytes."
            )
        for begin in range(0, batch.num_rows, SLICE):
            for row in _rows(batch.slice(begin, SLICE), columns):
                position += 1
                yield _entry(row, columns, source, position, reading.limits.characters)


def _rows(batch: Any, columns: Columns) -> Iterator[dict[str, Any]]:
    used = columns.used()
    values = [_values(batch.column(name)) for name in used]
    for row in zip(*values, strict=True):
        yield dict(zip(used, row, strict=True))


def _values(column: Any) -> list[Any]:
    """Return a column's values; a string that is not UTF-8 stays bytes, and only its row is lost.

    Raises:
        pa.ArrowInvalid: the column contradicts itself. Arrow reads such a one without looking, from
            beyond its end.
    """
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        if pa.types.is_string(column.type):
            column = column.view(pa.binary())
        elif pa.types.is_large_string(column.type):
            column = column.view(pa.large_binary())
        else:
            raise
        column.validate(full=True)
        return [_decoded(value) for value in column.to_pylist()]
    values: list[Any] = column.to_pylist()
    return values


def _decoded(value: bytes | None) -> Any:
    try:
        return None if value is None else value.decode()
    except UnicodeDecodeError:
        return value


def _entry(
    row: dict[str, Any], columns: Columns, source: str, position: int, longest: int
) -> Entry:
    identifier = row.get(columns.id or "")
    # pandas writes whole numbers as floats where one of them is missing.
    if columns.id and isinstance(identifier, float) and identifier.is_integer():
        row[columns.id] = int(identifier)
    return checked(lambda: columns.record(row, source, position), source, position, longest=longest)
