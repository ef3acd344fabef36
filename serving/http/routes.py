"""The routes of the service."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from serving.classifier import Classifier, Item, check_text
from serving.errors import TextError
from serving.http.body import reader
from serving.http.problems import Problem, of_text, problem, respond
from serving.http.schemas import BatchAnswer, BatchRequest, ClassifyRequest, Health, ModelAnswer
from serving.predictions import Prediction
from serving.settings import Settings

router = APIRouter()

_PROBLEMS: dict[int | str, dict[str, object]] = {
    status: {"model": Problem, "description": HTTPStatus(status).phrase}
    for status in (400, 413, 415, 422)
}


def _body(model: type, example: dict[str, object]) -> dict[str, object]:
    # The body is read by our own reader, so the description of it is given by hand.
    content = {"schema": model.model_json_schema(), "example": example}  # type: ignore[attr-defined]
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


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
        ClassifyRequest,
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
    predictions = await _predict(request, [Item(body.text, body.id)], scores=body.scores)
    return JSONResponse(predictions[0].as_json())


@router.post(
    "/v1/classify/batch",
    response_model=BatchAnswer,
    responses=_PROBLEMS,
    openapi_extra=_body(
        BatchRequest, {"items": [{"id": "a1", "text": "NATO is preparing to attack Belarus."}]}
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
    results: list[dict[str, object] | None] = []
    good: list[Item] = []
    for item in body.items:
        try:
            check_text(item.text, longest=settings.max_text)
        except TextError as error:
            failed = of_text(error).model_dump(exclude_none=True)
            results.append({"id": item.id, "error": failed})
        else:
            good.append(Item(item.text, item.id))
            results.append(None)
    predictions = iter(await _predict(request, good, scores=body.scores))
    answer = [next(predictions).as_json() if result is None else result for result in results]
    return JSONResponse({"results": answer})


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


@router.get("/readyz", responses={503: {"model": Problem}})
async def readyz(request: Request) -> JSONResponse:
    """Tell whether the model is loaded and has answered once."""
    if getattr(request.app.state, "ready", False):
        return JSONResponse({"status": "ready"})
    return respond(problem(HTTPStatus.SERVICE_UNAVAILABLE, "The model is still being loaded."))
