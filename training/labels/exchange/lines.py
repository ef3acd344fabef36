"""Plain JSONL: an object a line, `labels` as in a record or null."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from training.labels.exchange.rows import Fields, Reject, Row
from training.taxonomy import Taxonomy


def write(rows: Iterable[Fields], path: Path, taxonomy: Taxonomy) -> None:
    """Write a line for each row; the taxonomy is not needed."""
    del taxonomy
    with path.open("w", encoding="utf-8", newline="\n") as lines:
        lines.writelines(json.dumps(fields, ensure_ascii=False) + "\n" for fields in rows)


def read(path: Path) -> Iterator[Row | Reject]:
    """Read line after line; one that is no object of JSON is a reject."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                fields = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield Reject(where=where, reason=f"the line is not JSON in UTF-8: {error}.")
                continue
            if isinstance(fields, dict):
                yield Row(where=where, fields=fields, reading=fields.get("labels"))
            else:
                yield Reject(where=where, reason="the line is no JSON object.")
