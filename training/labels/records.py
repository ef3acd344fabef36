"""Label records: one JSON object a line, either written for the project or stand-off."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from training.errors import LabelError
from training.taxonomy import Taxonomy

MOST_NARRATIVES = 3
"""A passage carries at most so many: the clearly present ones."""

Labels = dict[str, str]
"""Narrative id -> stance id; empty if the passage carries none."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(min_length=1)
    lang: str = Field(pattern=r"^[a-z]{2,3}$")
    labels: Labels = Field(max_length=MOST_NARRATIVES)
    annotator: str = Field(min_length=1, description="who decided the labels")
    date: date
    annotations: dict[str, Labels] = Field(
        default={}, description="annotator -> labels, where more than one read the passage"
    )
    reason: str = Field(default="", description="why the annotators' disagreement ended as it did")


class Written(_Record):
    """A passage written for the project: the record holds its text."""

    how: Literal["written"]
    text: str = Field(min_length=1, pattern=r"\S")
    register_: str = Field(alias="register", min_length=1)
    set: str | None = Field(default=None, description="the minimal set it belongs to")

    @property
    def key(self) -> str:
        """A name of the record that is unique in the corpus."""
        return f"written:{self.id}"


class StandOff(_Record):
    """Labels of a row of a source that stays where it is: the record holds a hash of its text."""

    how: Literal["stand-off"]
    source: str = Field(pattern=r"^[\w-]+$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the stripped text in UTF-8")
    picked: str = Field(min_length=1, description="how the row came to be read")
    rows: int = Field(
        default=1, ge=1, description="so many of the source's rows, from this one on, are joined"
    )

    @property
    def key(self) -> str:
        """A name of the record that is unique in the corpus."""
        return f"{self.source}:{self.id}"


Record = Written | StandOff

_ADAPTER: TypeAdapter[Record] = TypeAdapter(Annotated[Record, Field(discriminator="how")])


def dump(record: Record) -> dict[str, Any]:
    """Return the fields of a record as its line has them; what it leaves out stays out."""
    return record.model_dump(mode="json", by_alias=True, exclude_unset=True)


def read(folder: Path, taxonomy: Taxonomy) -> list[Record]:
    """Return all records of the JSONL files under `folder`, in the order of file names and lines.

    Raises:
        LabelError: lists every bad line with file, line and field.
    """
    records, problems = check(folder, taxonomy)
    if problems:
        raise LabelError("\n".join(problems))
    if not records:
        raise LabelError(f"no labels under {folder}: it should hold *.jsonl files.")
    return records


def check(folder: Path, taxonomy: Taxonomy) -> tuple[list[Record], list[str]]:
    """Return the good records under `folder` and a sentence for each bad line."""
    records: list[Record] = []
    problems: list[str] = []
    seen: dict[str, str] = {}
    for path in sorted(folder.rglob("*.jsonl")):
        for number, line in _lines(path):
            where = f"{path}:{number}"
            parsed = _parse(line, taxonomy)
            if isinstance(parsed, list):
                problems += [f"{where}: {problem}" for problem in parsed]
            elif parsed.key in seen:
                problems.append(
                    f"{where}: id: {parsed.key!r} stands already at {seen[parsed.key]}."
                )
            else:
                seen[parsed.key] = where
                records.append(parsed)
    return records, problems


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield number, line


def _parse(line: bytes, taxonomy: Taxonomy) -> Record | list[str]:
    try:
        fields = _Strict.loads(line)
    except UnicodeDecodeError as error:
        return [f"the line is not UTF-8 (byte {error.start})."]
    except json.JSONDecodeError as error:
        return [f"the line is not JSON: {error.msg} at column {error.colno}."]
    return parse(fields, taxonomy)


def parse(fields: object, taxonomy: Taxonomy) -> Record | list[str]:
    """Return the record that has these fields, or a sentence for each that is wrong."""
    try:
        record = _ADAPTER.validate_python(fields)
    except ValidationError as error:
        return [f"{_field(problem['loc'])}: {problem['msg']}." for problem in error.errors()]
    problems = list(_unknown_labels("labels", record.labels, taxonomy))
    for annotator, labels in record.annotations.items():
        problems += _unknown_labels(f"annotations.{annotator}", labels, taxonomy)
    return problems or record


def _field(location: tuple[int | str, ...]) -> str:
    # The discriminator's tag is the first part of a location; it is no field of the record.
    parts = [str(part) for part in location if part not in ("written", "stand-off")]
    return ".".join(parts) or "how"


def _unknown_labels(field: str, labels: Labels, taxonomy: Taxonomy) -> Iterator[str]:
    for narrative, stance in labels.items():
        if narrative not in taxonomy.narrative_ids:
            yield (
                f"{field}: {narrative!r} is no narrative of the taxonomy {taxonomy.version}; "
                f"it knows {', '.join(taxonomy.narrative_ids)}."
            )
        elif stance not in taxonomy.stance_ids:
            yield (
                f"{field}.{narrative}: {stance!r} is no stance of the taxonomy {taxonomy.version}; "
                f"it knows {', '.join(taxonomy.stance_ids)}."
            )


class _Strict:
    """JSON in which a key that stands twice is an error: the second label would hide the first."""

    @staticmethod
    def loads(line: bytes) -> object:
        return json.loads(line.decode("utf-8"), object_pairs_hook=_Strict._pairs)

    @staticmethod
    def _pairs(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            twice = next(key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1)
            raise json.JSONDecodeError(f"the key {twice!r} stands twice", "", 0)
        return found
