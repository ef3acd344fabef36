"""Sources: folders of `<source>.jsonl.gz`, from which stand-off records get their text."""

import gzip
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import LabelError
from training.labels.records import Labels, Record, StandOff, Written

Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Passage:
    """A labelled passage with its text; `row` is the source's whole row (empty if written)."""

    key: str
    text: str
    lang: str
    labels: Labels
    source: str
    record: Record
    row: Row = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The passages whose text could be had, and the keys of the others by reason."""

    passages: list[Passage]
    without_source: list[str]
    changed: list[str]


def digest(text: str) -> str:
    """Return the sha256 of the stripped text, as stand-off records hold it."""
    return hashlib.sha256(text.strip().encode("utf-8")).hexdigest()


def resolve(records: Iterable[Record], folder: Path | None) -> Resolved:
    """Give every record its text.

    A stand-off record whose source is not in `folder` is left out (`without_source`), so is one
    whose row is gone or has another text than the one that was labelled (`changed`).
    """
    records = list(records)
    wanted: dict[str, dict[str, int]] = defaultdict(dict)
    for record in records:
        if isinstance(record, StandOff):
            wanted[record.source][record.id] = record.rows
    rows = {source: _rows(folder, source, spans) for source, spans in wanted.items()}

    passages, without_source, changed = [], [], []
    for record in records:
        if isinstance(record, Written):
            passages.append(_passage(record, record.text.strip(), {}))
            continue
        found = rows[record.source]
        if found is None:
            without_source.append(record.key)
        elif record.id not in found or digest(found[record.id]["text"]) != record.sha256:
            changed.append(record.key)
        else:
            row = found[record.id]
            passages.append(_passage(record, row["text"].strip(), row))
    return Resolved(passages=passages, without_source=without_source, changed=changed)


def _passage(record: Record, text: str, row: Row) -> Passage:
    source = record.source if isinstance(record, StandOff) else "written"
    return Passage(
        key=record.key,
        text=text,
        lang=record.lang,
        labels=record.labels,
        source=source,
        record=record,
        row=row,
    )


def _rows(folder: Path | None, source: str, spans: dict[str, int]) -> dict[str, Row] | None:
    """Return the rows that `spans` asks for by id, with the texts of as many rows joined by spaces.

    `joined` names the rows that went into one.
    """
    path = folder / f"{source}.jsonl.gz" if folder else None
    if path is None or not path.exists():
        return None
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found: dict[str, Row] = {}
            unfinished: dict[str, list[Row]] = {}
            for row in map(json.loads, lines):
                if row["id"] in spans:
                    unfinished[row["id"]] = []
                for first, parts in list(unfinished.items()):
                    parts.append(row)
                    if len(parts) == spans[first]:
                        found[first] = _join(unfinished.pop(first))
            return found
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise LabelError(
            f"{path} is damaged ({error}): get it anew, or pass another --sources."
        ) from error


def _join(parts: list[Row]) -> Row:
    if len(parts) == 1:
        return parts[0]
    text = " ".join(part["text"].strip() for part in parts)
    return {**parts[0], "text": text, "joined": [part["id"] for part in parts]}
