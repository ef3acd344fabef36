"""CSV and TSV, with a row of names at the top."""

import csv
from collections.abc import Iterator
from itertools import zip_longest
from typing import BinaryIO

from serving.errors import SourceError
from serving.scoring.columns import Columns
from serving.scoring.kinds import Reading
from serving.scoring.limits import LINE_BYTES
from serving.scoring.lines import Lines
from serving.scoring.records import Entry, checked, reject

_DELIMITERS = ",;\t|"
_BOM = b"\xef\xbb\xbf"


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each row; positions count rows from 1, which is the row of names."""
    # The module has one limit for the process; ours is the bound on what a row may hold.
    csv.field_size_limit(LINE_BYTES)
    lines = Lines(stream)
    decoded = _decoded(lines)
    top = next(decoded, None)
    if top is None:
        return
    delimiter = max(_DELIMITERS, key=top.count)
    rows = csv.reader(_again(top, decoded), delimiter=delimiter, strict=True)
    try:
        names = next(rows)
    except csv.Error as error:
        raise SourceError(f"The row of names is not CSV: {error}.") from error
    columns = reading.columns.choose(names)
    reading.tell(source, columns.described())
    number = 1
    while True:
        number += 1
        lines.cut = False
        first_line = rows.line_num + 1
        try:
            row = next(rows, None)
        except csv.Error as error:
            # A quote that is never closed takes rows with it, which the lines tell.
            where = f"lines {first_line} to {rows.line_num}"
            yield reject(source, number, f"The row is not CSV ({where}): {error}.")
            continue
        if row is None:
            return
        if lines.cut:
            yield reject(source, number, f"The row has a line of more than {LINE_BYTES} bytes.")
        elif row:
            yield _entry(row, names, columns, source, number, reading.limits.characters)


def _entry(
    row: list[str], names: list[str], columns: Columns, source: str, number: int, longest: int
) -> Entry:
    raw = ",".join(row)
    if len(row) > len(names):
        reason = f"The row has {len(row)} fields, the row of names {len(names)}."
        return reject(source, number, reason, raw)
    if any("\udc80" <= char <= "\udcff" for field in row for char in field):
        return reject(source, number, "The row is not UTF-8.", raw)
    values = {name: value or None for name, value in zip_longest(names, row, fillvalue="")}
    # An empty text is told as such, not as a missing field.
    if columns.text is not None and values.get(columns.text) is None:
        values[columns.text] = ""
    return checked(
        lambda: columns.record(values, source, number), source, number, longest=longest, raw=raw
    )


def _decoded(lines: Lines) -> Iterator[str]:
    for index, line in enumerate(lines):
        bare = line.removeprefix(_BOM) if index == 0 else line
        # What is not UTF-8 is kept apart by its code points, so that only its row is lost.
        yield bare.decode("utf-8", "surrogateescape")


def _again(first: str, rest: Iterator[str]) -> Iterator[str]:
    yield first
    yield from rest
