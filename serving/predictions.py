"""The prediction object: the same over HTTP and from the command line."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

Probability = Annotated[float, Field(ge=0, le=1)]
Decision = Literal["accept", "review"]


class Words(BaseModel):
    """A run of words that carries a finding."""

    begin: int = Field(ge=0, description="first code point of the run in the text as given")
    end: int = Field(ge=0, description="code point after the run's last")
    weight: Probability = Field(description="confidence that the finding loses without it")


class Finding(BaseModel):
    """One narrative in one passage."""

    narrative: str = Field(description="the narrative's id in the model's taxonomy")
    confidence: Probability = Field(description="probability that the passage carries it")
    decision: Decision = Field(description="accept: rely on it; review: a person should look")
    stance: str = Field(description="how the passage stands to the narrative")
    stance_confidence: Probability = Field(description="probability of that stance")
    begin: int = Field(ge=0, description="first code point of the passage in the text as given")
    end: int = Field(ge=0, description="code point after the passage's last")
    explanation: list[Words] | None = Field(
        default=None, description="the words that carry it, weightiest first, if asked"
    )


class Caution(BaseModel):
    """Something that makes a prediction less reliable than usual."""

    code: Literal["unsupported-language", "unsure-language"]
    detail: str


class Prediction(BaseModel):
    """What the model says of one text."""

    id: str | None = Field(default=None, description="the caller's, given back")
    language: str = Field(description="ISO 639-1 code, or und where nothing tells it")
    narratives: list[Finding] = Field(description="at or above review, best first")
    scores: dict[str, Probability] | None = Field(
        default=None, description="every narrative's highest confidence over the passages, if asked"
    )
    warnings: list[Caution] | None = Field(default=None, description="absent if there are none")
    model: str = Field(description="name and version of the model folder")

    def as_json(self) -> dict[str, object]:
        """Return the object as it is sent: what is absent is left out."""
        return self.model_dump(mode="json", exclude_none=True)
