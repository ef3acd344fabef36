"""A released model folder: its manifest, and the check that its files are those of the release.

The folder is the only contract between training and serving. Beside `manifest.json` it holds the
network (`network.xml`, `network.bin`), the embedding table (`embeddings.safetensors`) and the
tokenizer (`tokenizer.json`); every file's sha256 stands in the manifest.
"""

import hashlib
import json
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving.errors import ModelFolderError

FORMAT = 1
MANIFEST = "manifest.json"
NETWORK = "network.xml"
WEIGHTS = "network.bin"
EMBEDDINGS = "embeddings.safetensors"
TOKENIZER = "tokenizer.json"
LARGEST_BYTES = 85_000_000
"""A folder is kept in the repository, once per release."""


_REMEDY = "copy the whole released folder again."


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Label(_Part):
    """A narrative or a stance as a reader meets it."""

    id: str
    title: dict[str, str]


class NarrativeDecision(_Part):
    """Platt scaling of a narrative's raw score, and its two thresholds on the probability."""

    slope: float = Field(gt=0)
    intercept: float
    accept: float = Field(ge=0, le=1, description="at or above: rely on it")
    review: float = Field(ge=0, le=1, description="at or above: a person should look")

    @model_validator(mode="after")
    def _review_comes_first(self) -> Self:
        if self.review > self.accept:
            raise ValueError("review must not be above accept")
        return self


class StanceDecision(_Part):
    """Temperature of the stance scores, and the probability at which each can be relied on."""

    temperature: float = Field(gt=0)
    accept: dict[str, float]


class Reading(_Part):
    """How text becomes the network's input."""

    prefix: str = ""
    tokens: int = Field(gt=8, description="most tokens of a passage, the model's own included")


class Manifest(_Part):
    """Everything about a model but its weights."""

    format: Literal[1]
    name: str
    created: str
    taxonomy_version: str
    narratives: list[Label]
    stances: list[Label]
    decisions: dict[str, NarrativeDecision]
    stance: StanceDecision
    reading: Reading
    languages: dict[str, int] = Field(description="code -> labelled passages it was trained on")
    base: dict[str, str]
    data: dict[str, Any]
    training: dict[str, Any]
    metrics: dict[str, Any]
    files: dict[str, str] = Field(description="file -> sha256")

    @model_validator(mode="after")
    def _covers_every_label(self) -> Self:
        for kind, labels in (("narrative", self.narratives), ("stance", self.stances)):
            if len({label.id for label in labels}) < len(labels):
                raise ValueError(f"a {kind} must not stand twice")
        if {label.id for label in self.narratives} != set(self.decisions):
            raise ValueError("decisions must name every narrative once")
        if {label.id for label in self.stances} != set(self.stance.accept):
            raise ValueError("stance.accept must name every stance once")
        for file in (NETWORK, WEIGHTS, EMBEDDINGS, TOKENIZER):
            if file not in self.files:
                raise ValueError(f"files must name {file}")
        return self


def digest(path: Path) -> str:
    """Return a file's sha256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_folder(folder: Path) -> Manifest:
    """Read the manifest and check every file against it.

    Raises:
        ModelFolderError: the folder, its manifest or one of its files is not as released.
    """
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelFolderError(
            f"{folder} is no model folder (no {MANIFEST}): "
            "pass the path of a released folder under models/."
        ) from error
    except ValueError as error:
        raise ModelFolderError(f"{path} is not JSON ({error}): {_REMEDY}") from error
    except RecursionError as error:
        raise ModelFolderError(f"{path} is not JSON (it nests too deep): {_REMEDY}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ModelFolderError(
            f"{path} is not of format {FORMAT}: serve it with the release that made it."
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the manifest"
        raise ModelFolderError(f"{path}: {field}: {first['msg']}; {_REMEDY}") from error
    for name, expected in manifest.files.items():
        _check(folder, name, expected)
    return manifest


def _check(folder: Path, name: str, expected: str) -> None:
    if Path(name).name != name:
        raise ModelFolderError(
            f"{folder / MANIFEST} names {name!r}, which is not in its folder: {_REMEDY}"
        )
    file = folder / name
    try:
        found = digest(file)
    except OSError as error:
        raise ModelFolderError(f"{file} is missing or cannot be read: {_REMEDY}") from error
    if found != expected:
        raise ModelFolderError(
            f"{file} is not the released file (sha256 {found[:12]}..., "
            f"expected {expected[:12]}...): {_REMEDY}"
        )
