"""Rows of the output: the prediction object, and beside it where the text comes from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from serving.predictions import Prediction
from serving.scoring.dates import moment
from serving.scoring.records import Link, Record


@dataclass(frozen=True)
class Run:
    """What all rows of a run share; `plain` leaves prediction objects alone."""

    model: str
    taxonomy: str
    scored_at: datetime
    plain: bool = False
    with_text: bool = False


def identifier(record: Record) -> str:
    """Return a record's id, or its place if it has none."""
    return f"{record.source}#{record.position}" if record.id is None else record.id


def row(
    record: Record, run: Run, prediction: Prediction | None, link: Link | None
) -> dict[str, Any]:
    """Return the row of a record that was scored, or that is a copy of another."""
    said: dict[str, Any] = {"id": record.id, "model": run.model}
    if prediction is not None:
        said = prediction.as_json()
    copy = {"copy_of": link.id, "copy_of_source": link.source} if link else {}
    if run.plain:
        text = {"text": record.text} if run.with_text else {}
        return {key: value for key, value in (said | copy | text).items() if value is not None}
    return {
        "source": record.source,
        "position": record.position,
        **said,
        "id": identifier(record),
        **copy,
        "date": record.date,
        "published_at": moment(record.date),
        "title": record.title,
        "url": record.url,
        "source_language": record.language,
        "text": record.text if run.with_text else None,
        "taxonomy_version": run.taxonomy,
        "scored_at": run.scored_at,
    }
