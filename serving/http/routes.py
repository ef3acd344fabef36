"""The routes of the service."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import ValidationError

from serving.classifier import LONGEST_ID, Classifier, Item, check_text
from serving.errors import TextError
from serving.explanations import explained
from serving.http.body import reader
from serving.http.problems import (
    MEDIA_TYPE,
    Problem,
    of_text,
    of_validation,
    printable,
    problem,
    respond,
)
from serving.http.schemas import (
    BatchAnswer,
    BatchItem,
    BatchRequest,
    ClassifyRequest,
    FailedItem,
    Health,
    ModelAnswer,
)
from serving.predictions import Prediction
from serving.settings import Settings

router = APIRouter()

_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: {"schema": Problem.model_json_schema()}},
    }
    for status in (400, 413, 415, 422, 503)
}


def _body(schema: dict[str, object], example: dict[str, object]) -> dict[str, object]:
    # The body is read by our own reader, so it is described here.
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _batch_schema() -> dict[str, object]:
    schema = BatchRequest.model_json_schema()
    schema["properties"]["items"]["items"] = BatchItem.model_json_schema()
    return schema


def _classifier(request: Request) -> Classifier:
    classifier: Classifier = request.app.state.classifier
    return classifier


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def _predict(request: Request, items: list[Item], *, scores: bool) -> list[Prediction]:
    classify = partial(_classifier(request).predict, items, scores=scores)
    return await to_thread.run_sync(classify, limiter=request.app.state.limiter)


@router.post(
    "/v1/classify",
    response_model=Prediction,
    responses=_PROBLEMS,
    openapi_extra=_body(
        ClassifyRequest.model_json_schema(),
        {"text": "Беспорядки в Алма-Ате организованы из-за рубежа.", "scores": True},
    ),
)
async def classify(
    body: Annotated[ClassifyRequest, Depends(reader(ClassifyRequest))],
    settings: Annotated[Settings, Depends(_settings)],
    request: Request,
) -> JSONResponse:
    """Label one text with the narratives that it carries."""
    check_text(body.text, longest=settings.max_text)
    [prediction] = await _predict(request, [Item(body.text, body.id)], scores=body.scores)
    if body.explain:
        explain = partial(explained, _classifier(request), body.text, prediction)
        prediction = await to_thread.run_sync(explain, limiter=request.app.state.limiter)
    return JSONResponse(prediction.as_json())


@router.post(
    "/v1/classify/batch",
    response_model=BatchAnswer,
    responses=_PROBLEMS,
    openapi_extra=_body(
        _batch_schema(), {"items": [{"id": "a1", "text": "NATO is preparing to attack Belarus."}]}
    ),
)
async def classify_batch(
    body: Annotated[BatchRequest, Depends(reader(BatchRequest))],
    settings: Annotated[Settings, Depends(_settings)],
    request: Request,
) -> JSONResponse:
    """Label several texts; an item that cannot be classified answers with its own error."""
    if len(body.items) > settings.max_items:
        detail = f"The batch has {len(body.items)} items; at most {settings.max_items} are taken."
        return respond(
            problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"{detail} Split it.", "batch-items")
        )
    checked = [_checked(item, longest=settings.max_text) for item in body.items]
    good = [item for item in checked if isinstance(item, Item)]
    predictions = iter(await _predict(request, good, scores=body.scores))
    answer = [
        next(predictions).as_json()
        if isinstance(item, Item)
        else item.model_dump(mode="json", exclude_none=True)
        for item in checked
    ]
    return JSONResponse({"results": answer})


def _checked(raw: object, *, longest: int) -> Item | FailedItem:
    given = raw.get("id") if isinstance(raw, dict) else None
    try:
        item = BatchItem.model_validate(raw)
        check_text(item.text, longest=longest)
    except TextError as error:
        return FailedItem(id=given, error=of_text(error))
    except ValidationError as error:
        usable = isinstance(given, str) and len(given) <= LONGEST_ID and printable(given) == given
        return FailedItem(id=given if usable else None, error=of_validation(error))
    return Item(item.text, item.id)


@router.get("/v1/model")
async def model(classifier: Annotated[Classifier, Depends(_classifier)]) -> ModelAnswer:
    """Describe the model that answers."""
    manifest = classifier.manifest
    return ModelAnswer(
        model=manifest.name,
        taxonomy_version=manifest.taxonomy_version,
        narratives=manifest.narratives,
        stances=manifest.stances,
        thresholds=manifest.decisions,
        languages=manifest.languages,
        metrics=manifest.metrics,
    )


@router.get("/healthz")
async def healthz() -> Health:
    """Tell that the process answers."""
    return Health(status="ok")


@router.get("/readyz", responses={503: _PROBLEMS[503]})
async def readyz(request: Request) -> JSONResponse:
    """Tell whether the model is loaded and has answered once."""
    if getattr(request.app.state, "ready", False):
        return JSONResponse({"status": "ready"})
    return respond(problem(HTTPStatus.SERVICE_UNAVAILABLE, "The model is still being loaded."))
