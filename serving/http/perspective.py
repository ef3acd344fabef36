"""The shape of Perspective API's `comments:analyze`, for clients who need another address only.

A requested attribute is a narrative's id; its score is the probability that the text carries it.
Where the model was not trained on the text's language the answer is an error, as it was there.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictStr

from serving.classifier import Item, check_text
from serving.http.access import may
from serving.http.body import reader
from serving.http.problems import Problem, RefusedError, shaped
from serving.http.routes import described
from serving.http.service import Answer, Service, service_of
from serving.language import UNDETERMINED

PATH = "/v1alpha1/comments:analyze"

_ERROR = "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_KINDS = {
    "text-empty": "COMMENT_EMPTY",
    "text-length": "COMMENT_TOO_LONG",
    "no-attributes": "NO_REQUESTED_ATTRIBUTES",
    "language-unknown": "LANGUAGE_DETECTION_FAILED",
    "language-not-supported": "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE",
}
_INVALID = 400


Language = Annotated[StrictStr, Field(max_length=100)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Comment(_Part):
    """The text."""

    text: StrictStr = ""
    type: StrictStr = "PLAIN_TEXT"


class Attribute(_Part):
    """How an attribute is wanted."""

    scoreType: StrictStr = "PROBABILITY"  # noqa: N815 - their name
    scoreThreshold: float = Field(default=0, ge=0, le=1)  # noqa: N815


class AnalyzeRequest(_Part):
    """What their clients send; what means nothing here (context, sessionId) is passed over."""

    comment: Comment
    requestedAttributes: dict[str, Attribute] = Field(default_factory=dict)  # noqa: N815
    languages: list[Language] = Field(default_factory=list, max_length=20)
    doNotStore: StrictBool = False  # noqa: N815
    spanAnnotations: StrictBool = False  # noqa: N815
    clientToken: StrictStr | None = Field(default=None, max_length=1000)  # noqa: N815


class Error(BaseModel):
    """An error as their clients know it."""

    code: int
    message: str
    status: str
    details: list[dict[str, Any]] | None = None


class Failed(BaseModel):
    """What holds the error."""

    error: Error


class Score(BaseModel):
    """A probability."""

    value: float = Field(ge=0, le=1)
    type: str


class SpanScore(BaseModel):
    """The score of code points `begin` to `end` of the text."""

    begin: int
    end: int
    score: Score


class AttributeScore(BaseModel):
    """What is told of an attribute."""

    spanScores: list[SpanScore]  # noqa: N815
    summaryScore: Score  # noqa: N815


class AnalyzeAnswer(BaseModel):
    """Scores by attribute."""

    attributeScores: dict[str, AttributeScore]  # noqa: N815
    languages: list[str]
    detectedLanguages: list[str]  # noqa: N815
    clientToken: str | None = None  # noqa: N815


class _LanguageProblem(Problem):
    attribute: str
    languages: list[str]


def as_theirs(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Write a problem as their clients expect it."""
    code = found.status if found.status in _STATUS else _INVALID
    error: dict[str, Any] = {"code": code, "message": found.detail, "status": _STATUS[code]}
    if code == _INVALID:
        detail: dict[str, Any] = {"@type": _ERROR}
        detail["errorType"] = _KINDS.get(found.limit or "", "INVALID_REQUEST")
        if isinstance(found, _LanguageProblem):
            detail["languageNotSupportedByAttributeError"] = {
                "detectedLanguages": found.languages,
                "attribute": found.attribute,
            }
        error["details"] = [detail]
    return JSONResponse({"error": error}, status_code=code, headers=headers)


router = APIRouter(dependencies=[Depends(shaped(as_theirs)), Depends(may("classify"))])


def example(narrative: str) -> dict[str, object]:
    """Return a request that the model with this narrative answers."""
    return {
        "comment": {"text": "The government said on Monday that NATO was to attack Belarus."},
        "languages": ["en"],
        "requestedAttributes": {narrative: {}},
        "doNotStore": True,
    }


def _schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the schemas of requests and errors, in one piece each: they are in no components."""
    request = AnalyzeRequest.model_json_schema()
    parts, fields = request.pop("$defs"), request["properties"]
    fields["comment"] = parts["Comment"]
    fields["requestedAttributes"]["additionalProperties"] = parts["Attribute"]
    failed = Failed.model_json_schema()
    failed["properties"]["error"] = failed.pop("$defs")["Error"]
    return request, failed


_REQUEST, _FAILED = _schemas()


@router.post(
    PATH,
    response_model=AnalyzeAnswer,
    responses={
        **described(431),
        **described(*(400, 401, 403, 429, 500, 503, 504), schema=_FAILED, kind="application/json"),
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _REQUEST}},
        }
    },
)
async def analyze(
    body: Annotated[AnalyzeRequest, Depends(reader(AnalyzeRequest))],
    service: Annotated[Service, Depends(service_of)],
    request: Request,
) -> JSONResponse:
    """Score a comment as Perspective API would, by narrative instead of toxicity."""
    _check(body, service)
    item = Item(body.comment.text)
    [answer] = await service.answer(request, [item], cache=not body.doNotStore)
    detected = answer.reading.language.code
    _check_languages(body, service, detected)
    scores = {
        name: score
        for name, wanted in body.requestedAttributes.items()
        if (score := _score(name, wanted, body, answer)) is not None
    }
    found: dict[str, object] = {
        "attributeScores": scores,
        "languages": body.languages or [detected],
        "detectedLanguages": [detected],
    }
    if body.clientToken is not None:
        found["clientToken"] = body.clientToken
    return JSONResponse(found)


def _check(body: AnalyzeRequest, service: Service) -> None:
    if body.comment.type not in ("PLAIN_TEXT", "TEXT_TYPE_UNSPECIFIED"):
        raise _invalid("comment.type: only PLAIN_TEXT is taken.")
    check_text(body.comment.text, longest=service.settings.max_text)
    if not body.requestedAttributes:
        raise _invalid("requestedAttributes is missing: name at least one.", "no-attributes")
    known = service.slot.batcher.classifier.narratives
    for name, wanted in body.requestedAttributes.items():
        if name not in known:
            raise _invalid(f"An attribute is not known; the model has {', '.join(known)}.")
        if wanted.scoreType not in ("PROBABILITY", "SCORE_TYPE_UNSPECIFIED"):
            raise _invalid(f"The score type of {name}: only PROBABILITY is told.")


def _check_languages(body: AnalyzeRequest, service: Service, detected: str) -> None:
    if not body.languages and detected == UNDETERMINED:
        raise _invalid("The language cannot be told: name it in languages.", "language-unknown")
    supported = service.slot.batcher.classifier.manifest.languages
    given = body.languages or [detected]
    if not any(language.split("-")[0].lower() in supported for language in given):
        name = next(iter(body.requestedAttributes))
        detail = f"{name} is not told in this language; the model knows {', '.join(supported)}."
        refused = _invalid(detail, "language-not-supported")
        refused.problem = _LanguageProblem(
            **refused.problem.model_dump(), attribute=name, languages=[detected]
        )
        raise refused


def _score(
    name: str, wanted: Attribute, body: AnalyzeRequest, answer: Answer
) -> dict[str, object] | None:
    if name not in answer.narratives:
        return None  # the model was exchanged meanwhile for one of another taxonomy
    values = answer.reading.narratives[:, answer.narratives.index(name)]
    highest = float(values.max())
    if highest < wanted.scoreThreshold:
        return None
    spans = [(0, len(body.comment.text), highest)]
    if body.spanAnnotations:
        places = answer.reading.spans
        spans = [(s.begin, s.end, float(v)) for s, v in zip(places, values, strict=True)]
    return {
        "spanScores": [{"begin": b, "end": e, "score": _value(v)} for b, e, v in spans],
        "summaryScore": _value(highest),
    }


def _value(probability: float) -> dict[str, object]:
    return {"value": round(probability, 4), "type": "PROBABILITY"}


def _invalid(detail: str, limit: str | None = None) -> RefusedError:
    return RefusedError(HTTPStatus.BAD_REQUEST, detail, limit)
