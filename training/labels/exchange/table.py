"""CSV for spreadsheets: a row a passage, labels as `narrative=stance; narrative=stance` or `none`.

An empty cell of `labels` means that nobody has read the passage. Texts that a spreadsheet would run
as a formula get an apostrophe in front, which is taken away again (OWASP, "CSV injection").
"""

import csv
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from training.labels.exchange.rows import NAMES, Fields, Reject, Row
from training.taxonomy import Taxonomy

NONE = "none"
LONGEST_CELL = 10_000_000
"""Code points; the csv module's own limit is shorter than a long article."""
DELIMITERS = ",;\t"
FORMULA = re.compile(r"'*[=+\-@\t\r]")
APOSTROPHE = re.compile(r"'+[=+\-@\t\r]")


def write(rows: Iterable[Fields], path: Path, taxonomy: Taxonomy) -> None:
    """Write a table with the byte order mark by which spreadsheets know UTF-8."""
    del taxonomy
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(NAMES)
        for fields in rows:
            writer.writerow([_cell(name, fields.get(name)) for name in NAMES])


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "labels":
        return "; ".join(f"{narrative}={stance}" for narrative, stance in value.items()) or NONE
    if name == "annotations":
        return json.dumps(value, ensure_ascii=False)
    cell = str(value)
    return f"'{cell}" if FORMULA.match(cell) else cell


def read(path: Path) -> Iterator[Row | Reject]:
    """Read row after row; columns that no record has are passed over."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            yield from _rows(path, file)
    finally:
        csv.field_size_limit(before)


def _rows(path: Path, file: TextIO) -> Iterator[Row | Reject]:
    header = file.readline()
    file.seek(0)
    # Where the comma is the decimal mark, spreadsheets save with semicolons.
    reader = csv.DictReader(file, delimiter=max(DELIMITERS, key=header.count))
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(where=f"{path}:{reader.line_num}", reason=f"the row is no CSV: {error}.")
            continue
        where = f"{path}:{reader.line_num}"
        try:
            fields = {name: _value(name, cells[name]) for name in NAMES if cells.get(name)}
        except ValueError as error:
            yield Reject(where=where, reason=f"{error}")
            continue
        if None in cells:
            yield Reject(where=where, reason="the row has more cells than the first line.")
        else:
            yield Row(where=where, fields=fields, reading=fields.get("labels"))


def _value(name: str, cell: str) -> Any:
    if name == "labels":
        return _labels(cell)
    if name == "annotations":
        try:
            return json.loads(cell)
        except json.JSONDecodeError as error:
            raise ValueError(f"annotations: the cell is not JSON: {error}.") from error
    return cell[1:] if APOSTROPHE.match(cell) else cell


def _labels(cell: str) -> dict[str, str] | None:
    if not cell.strip():
        return None
    if cell.strip().casefold() == NONE:
        return {}
    labels: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[;,\n]", cell))):
        narrative, equals, stance = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise ValueError(f"labels: {part!r} is not of the form narrative=stance, nor {NONE!r}.")
        if narrative in labels:
            raise ValueError(f"labels: {narrative!r} stands twice.")
        labels[narrative] = stance
    return labels
