"""The shape of text-embeddings-inference's `/predict`, for clients who need another address only.

A label is a narrative's id, its score the probability that the text carries it.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Literal

import numpy as np
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, RootModel, StrictBool, StrictStr

from serving.classifier import Item, check_text
from serving.decisions import Array
from serving.http.access import may
from serving.http.body import reader
from serving.http.problems import Problem, RefusedError, shaped
from serving.http.routes import body_of, check_count, described
from serving.http.service import Answer, Service, service_of

PATH = "/predict"

_SURE = 1e-6
"""Raw scores of probabilities nearer to 0 or 1 than this would be infinite."""


class PredictRequest(BaseModel):
    """One text, or a list of lists of one text each."""

    model_config = ConfigDict(extra="ignore")

    inputs: StrictStr | list[StrictStr | list[StrictStr]]
    raw_scores: StrictBool = Field(default=False, description="log-odds instead of probabilities")
    truncate: StrictBool = Field(default=False, description="no effect: long texts are read whole")


class Scored(BaseModel):
    """A narrative and how it scores."""

    score: float
    label: str


class PredictAnswer(RootModel[list[Scored] | list[list[Scored]]]):
    """Narratives, best first; a list of such lists where a list was sent."""


class PredictError(BaseModel):
    """An error as their clients expect it."""

    error: str
    error_type: Literal["Validation", "Empty", "Overloaded", "Unhealthy", "Backend"]


_CODES = {
    HTTPStatus.INTERNAL_SERVER_ERROR: (HTTPStatus.FAILED_DEPENDENCY, "Backend"),
    HTTPStatus.GATEWAY_TIMEOUT: (HTTPStatus.FAILED_DEPENDENCY, "Backend"),
    HTTPStatus.TOO_MANY_REQUESTS: (HTTPStatus.TOO_MANY_REQUESTS, "Overloaded"),
    HTTPStatus.SERVICE_UNAVAILABLE: (HTTPStatus.SERVICE_UNAVAILABLE, "Unhealthy"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Validation"),
    HTTPStatus.UNAUTHORIZED: (HTTPStatus.UNAUTHORIZED, "Validation"),
    HTTPStatus.FORBIDDEN: (HTTPStatus.FORBIDDEN, "Validation"),
}
_EMPTY = ("text-empty", "inputs-empty")


def as_theirs(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Write a problem as their clients expect it."""
    unprocessable = (HTTPStatus.UNPROCESSABLE_ENTITY, "Validation")
    code, kind = _CODES.get(HTTPStatus(found.status), unprocessable)
    if found.limit in _EMPTY:
        code, kind = HTTPStatus.BAD_REQUEST, "Empty"
    error = {"error": found.detail, "error_type": kind}
    return JSONResponse(error, status_code=code, headers=headers)


router = APIRouter(dependencies=[Depends(shaped(as_theirs)), Depends(may("classify"))])


@router.post(
    PATH,
    response_model=PredictAnswer,
    responses={
        **described(431),
        **described(
            *(400, 401, 403, 413, 422, 424, 429, 503),
            schema=PredictError.model_json_schema(),
            kind="application/json",
        ),
    },
    openapi_extra=body_of(
        PredictRequest.model_json_schema(), {"inputs": "NATO is preparing to attack Belarus."}
    ),
)
async def predict(
    body: Annotated[PredictRequest, Depends(reader(PredictRequest))],
    service: Annotated[Service, Depends(service_of)],
    request: Request,
) -> JSONResponse:
    """Score one text, or several, as text-embeddings-inference would."""
    texts = _texts(body.inputs)
    check_count(len(texts), service)
    for text in texts:
        check_text(text, longest=service.settings.max_text)
    answers = await service.answer(request, [Item(text) for text in texts])
    found = [_labels(answer, raw=body.raw_scores) for answer in answers]
    batch = isinstance(body.inputs, list) and isinstance(body.inputs[0], list)
    return JSONResponse(found if batch else found[0])


def _texts(inputs: str | list[str | list[str]]) -> list[str]:
    if inputs == []:
        raise _invalid("inputs is empty: send at least one text.", "inputs-empty")
    several = inputs if isinstance(inputs, list) and isinstance(inputs[0], list) else [inputs]
    texts = [each if isinstance(each, list) else [each] for each in several]
    if any(len(parts) != 1 or not isinstance(parts[0], str) for parts in texts):
        raise _invalid("inputs: one text each is taken, not pairs.", "inputs-pair")
    return [str(parts[0]) for parts in texts]


def _labels(answer: Answer, *, raw: bool) -> list[dict[str, object]]:
    highest: Array = answer.reading.narratives.max(0)
    if raw:
        sure = np.clip(highest, _SURE, 1 - _SURE)
        highest = np.log(sure) - np.log1p(-sure)
    return [
        {"score": round(float(highest[at]), 4), "label": answer.narratives[at]}
        for at in np.argsort(-highest, kind="stable")
    ]


def _invalid(detail: str, limit: str) -> RefusedError:
    return RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail, limit)
