"""The taxonomy: which narratives and stances there are, as data.

No narrative has a name in code. Another file of this shape trains another classifier.
"""

from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.errors import LabelError

Identifier = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64)]


CLAIM, REBUTTAL = "advances", "rebuts"
"""Stances by id, where the worst error is guarded against and counted: a debunk taken for a claim.

A taxonomy without both does without that; nothing else depends on a stance's name.
"""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Identifier
    title: dict[str, str] = Field(min_length=1, description="language code -> title")
    definition: str = Field(min_length=1)


class Stance(_Entry):
    """How a passage stands to a narrative that it carries."""


class Narrative(_Entry):
    """A claim that passages carry."""

    belongs: list[str] = Field(default=[], description="what falls under it")
    excludes: list[str] = Field(default=[], description="what looks alike and does not")
    examples: dict[str, list[str]] = Field(default={}, description="stance id -> passages")


class Taxonomy(BaseModel):
    """All narratives and stances, with the version that labels and models refer to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")
    narratives: list[Narrative] = Field(min_length=1)
    stances: list[Stance] = Field(min_length=1, description="one alone: labels without stance")

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Taxonomy":
        for kind, ids in (("narrative", self.narrative_ids), ("stance", self.stance_ids)):
            for entry in ids:
                if ids.count(entry) > 1:
                    raise ValueError(f"the {kind} {entry!r} stands twice")
        for narrative in self.narratives:
            for stance in narrative.examples:
                if stance not in self.stance_ids:
                    raise ValueError(f"{narrative.id} has examples of an unknown stance {stance!r}")
        return self

    @property
    def narrative_ids(self) -> list[str]:
        """The narratives in the order of the model's outputs."""
        return [narrative.id for narrative in self.narratives]

    @property
    def stance_ids(self) -> list[str]:
        """The stances in the order of the model's outputs."""
        return [stance.id for stance in self.stances]


def load(path: Path) -> Taxonomy:
    """Read a taxonomy file.

    Raises:
        LabelError: there is no such file, or it does not hold together; names the field.
    """
    try:
        return Taxonomy.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise LabelError(f"no taxonomy at {path}: pass --taxonomy FILE.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LabelError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "the file"
        raise LabelError(f"{path}: {field}: {first['msg']}.") from error
