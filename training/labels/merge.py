"""Merging rows from outside into the corpus: new records, second readings, and what is refused.

A reading never changes decided labels: it stands beside them in `annotations`, and where it differs
somebody has to adjudicate.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from training.labels import records
from training.labels.exchange.rows import NAMES, Reject, Row
from training.labels.records import Labels, Record, Written
from training.labels.sources import digest
from training.taxonomy import Taxonomy

PICKED = "import"
"""How a stand-off row came to be read, if the file does not say."""


@dataclass(kw_only=True)
class Merged:
    """What became of each row; `differing` are keys of those read otherwise than decided."""

    added: list[Record] = field(default_factory=list)
    changed: list[Record] = field(default_factory=list)
    unchanged: list[Record] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)


class _RowError(Exception):
    """Why a row is refused."""


def merge(
    rows: Iterable[Row | Reject],
    known: Mapping[str, Record],
    taxonomy: Taxonomy,
    *,
    annotator: str | None,
    day: date,
) -> Merged:
    """Merge rows into the known records.

    Args:
        rows: in order; of two rows of one passage the second meets what the first made.
        known: key -> record.
        taxonomy: what labels must know.
        annotator: whose readings the rows hold. None: the rows are whole records.
        day: on which they were read.
    """
    corpus, merged = dict(known), Merged()
    for row in rows:
        if isinstance(row, Reject):
            merged.rejects.append(row)
            continue
        try:
            record = _record(row, corpus, taxonomy, annotator, day)
        except _RowError as error:
            merged.rejects.append(Reject(where=row.where, reason=f"{error}"))
            continue
        before = corpus.get(record.key)
        corpus[record.key] = record
        if before is None:
            merged.added.append(record)
        else:
            (merged.unchanged if before == record else merged.changed).append(record)
        if annotator and row.reading != record.labels:
            merged.differing.append(record.key)
    return merged


def _record(
    row: Row, corpus: Mapping[str, Record], taxonomy: Taxonomy, annotator: str | None, day: date
) -> Record:
    fields = {name: row.fields[name] for name in NAMES if row.fields.get(name) is not None}
    text = fields.get("text")
    if text is not None and not _is_text(text):
        raise _RowError("text: it is no text in Unicode.")
    if annotator is None:
        if row.reading is not None and row.reading != fields.get("labels"):
            raise _RowError("it holds an annotation: pass --annotator NAME to import it.")
        record = _parse(_placed(fields), taxonomy)
        if corpus.get(record.key, record) != record:
            raise _RowError(f"{record.key} is known and differs: pass --annotator for a reading.")
        return record
    if row.reading is None:
        raise _RowError("labels: nobody has read it yet.")
    placed = _placed(fields, annotator)
    source = "written" if placed["how"] == "written" else placed.get("source")
    before = corpus.get(f"{source}:{placed.get('id')}")
    if before is None:
        decided = {"labels": row.reading, "annotator": annotator, "date": day.isoformat()}
        others = ("annotations", "reason")
        own = {name: value for name, value in placed.items() if name not in others}
        return _parse({**own, **decided}, taxonomy)
    return _beside(before, text, row.reading, annotator, taxonomy)


def _is_text(value: object) -> bool:
    try:
        return isinstance(value, str) and bool(value.encode("utf-8").strip())
    except UnicodeEncodeError:
        return False


def _placed(fields: dict[str, Any], annotator: str | None = None) -> dict[str, Any]:
    """Return the fields of a record, with those that follow from the key and the text."""
    text = fields.get("text")
    placed = {name: value for name, value in fields.items() if name != "key"}
    source, _, name = str(fields.get("key") or "").partition(":")
    if "how" not in placed:
        placed["how"] = "stand-off" if name and source != "written" else "written"
    if name:
        placed.setdefault("id", name)
    if placed["how"] == "stand-off":
        placed.pop("text", None)
        if name:
            placed.setdefault("source", source)
        if text is not None and placed.setdefault("sha256", digest(text)) != digest(text):
            raise _RowError("text: it is not the one that was labelled (sha256).")
        placed.setdefault("picked", PICKED)
    elif "id" not in placed and text and annotator:
        placed["id"] = f"{annotator.casefold()}-{digest(text)[:12]}"
    return placed


def _parse(fields: dict[str, Any], taxonomy: Taxonomy) -> Record:
    parsed = records.parse(fields, taxonomy)
    if isinstance(parsed, list):
        raise _RowError(" ".join(parsed))
    return parsed


def _beside(
    record: Record, text: str | None, labels: Labels, annotator: str, taxonomy: Taxonomy
) -> Record:
    if text is not None:
        own = digest(record.text) if isinstance(record, Written) else record.sha256
        if digest(text) != own:
            raise _RowError(f"text: it is not the one that was labelled as {record.key}.")
    readings = dict(record.annotations) or {record.annotator: record.labels}
    if readings.setdefault(annotator, labels) != labels:
        raise _RowError(f"{record.key}: {annotator} has already read it, and otherwise.")
    if len(readings) == 1:
        return record
    return _parse({**records.dump(record), "annotations": readings}, taxonomy)
