"""What is sent and answered over HTTP, beside the prediction object."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from serving.classifier import LONGEST, LONGEST_ID
from serving.http.problems import Problem
from serving.model_folder import Label, NarrativeDecision
from serving.predictions import Prediction

# Described here and checked by `check_text`, which names the rule that a text breaks.
_RULES = {"minLength": 1, "maxLength": LONGEST, "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
Text = Annotated[StrictStr, Field(json_schema_extra=dict(_RULES))]
Identifier = Annotated[StrictStr, Field(max_length=LONGEST_ID)]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")

    scores: StrictBool = Field(default=False, description="answer every narrative's confidence")
    cache: StrictBool = Field(
        default=True, description="scores may come from, and stay in, the memory of recent passages"
    )


class ClassifyRequest(_Request):
    """One text."""

    text: Text
    id: Identifier | None = None
    explain: StrictBool = Field(
        default=False, description="answer which words carried each finding"
    )


class BatchItem(BaseModel):
    """One text of several; checked on its own, so that a bad one does not fail the others."""

    model_config = ConfigDict(extra="forbid")

    id: Identifier
    text: Text


class StreamItem(BaseModel):
    """One line of a stream."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    id: Identifier | None = None


class BatchRequest(_Request):
    """Several texts; each item is a `BatchItem`."""

    items: list[Any] = Field(min_length=1)


class FailedItem(BaseModel):
    """An item of a batch that could not be classified; without an id if it has no usable one."""

    id: str | None = None
    error: Problem


class BatchAnswer(BaseModel):
    """One result an item, in the order of the request."""

    results: list[Prediction | FailedItem]


class ModelAnswer(BaseModel):
    """The manifest in short."""

    model: str
    taxonomy_version: str
    narratives: list[Label]
    stances: list[Label]
    thresholds: dict[str, NarrativeDecision]
    languages: dict[str, int]
    metrics: dict[str, object]


class Health(BaseModel):
    """A state in a word."""

    status: str
