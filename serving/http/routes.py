"""The routes of the service."""

from functools import partial
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError

from serving.classifier import LONGEST_ID, Item, check_text
from serving.errors import TextError
from serving.http.access import may
from serving.http.body import reader
from serving.http.metrics import CONTENT_TYPE
from serving.http.problems import (
    MEDIA_TYPE,
    Problem,
    RefusedError,
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
    StreamItem,
)
from serving.http.service import Service, service_of
from serving.http.stream import MEDIA_TYPE as NDJSON
from serving.http.stream import NdjsonAnswer
from serving.predictions import Prediction

router = APIRouter()
MAY_CLASSIFY = Depends(may("classify"))

Responses = dict[int | str, dict[str, object]]


def described(
    *statuses: int, schema: dict[str, object] | None = None, kind: str = MEDIA_TYPE
) -> Responses:
    """Describe a route's refusals: problems, unless another `schema` is given."""
    content = {kind: {"schema": schema or Problem.model_json_schema()}}
    return {
        status: {"description": HTTPStatus(status).phrase, "content": content}
        for status in statuses
    }


PROBLEMS = described(400, 401, 403, 408, 413, 415, 422, 429, 431, 500, 503, 504)
ALWAYS = described(431, 500)
"""What any route may answer."""
LOCKED = described(401, 403, 431, 500)


def body_of(
    schema: dict[str, object], example: object, kind: str = "application/json"
) -> dict[str, object]:
    """Describe a body; it is read by our own reader, so the framework cannot."""
    content = {"schema": schema, "example": example}
    return {"requestBody": {"required": True, "content": {kind: content}}}


def _batch_schema() -> dict[str, object]:
    schema = BatchRequest.model_json_schema()
    schema["properties"]["items"]["items"] = BatchItem.model_json_schema()
    return schema


@router.post(
    "/v1/classify",
    response_model=Prediction,
    responses=PROBLEMS,
    dependencies=[MAY_CLASSIFY],
    openapi_extra=body_of(
        ClassifyRequest.model_json_schema(),
        {"text": "Беспорядки в Алма-Ате организованы из-за рубежа.", "scores": True},
    ),
)
async def classify(
    body: Annotated[ClassifyRequest, Depends(reader(ClassifyRequest))],
    service: Annotated[Service, Depends(service_of)],
    request: Request,
) -> JSONResponse:
    """Label one text with the narratives that it carries."""
    check_text(body.text, longest=service.settings.max_text)
    [answer] = await service.answer(
        request,
        [Item(body.text, body.id)],
        scores=body.scores,
        cache=body.cache,
        explain=body.explain,
    )
    return JSONResponse(answer.prediction.as_json())


@router.post(
    "/v1/classify/batch",
    response_model=BatchAnswer,
    responses=PROBLEMS,
    dependencies=[MAY_CLASSIFY],
    openapi_extra=body_of(
        _batch_schema(), {"items": [{"id": "a1", "text": "NATO is preparing to attack Belarus."}]}
    ),
)
async def classify_batch(
    body: Annotated[BatchRequest, Depends(reader(BatchRequest))],
    service: Annotated[Service, Depends(service_of)],
    request: Request,
) -> JSONResponse:
    """Label several texts; an item that cannot be classified answers with its own error."""
    check_count(len(body.items), service)
    checked = [checked_item(item, longest=service.settings.max_text) for item in body.items]
    good = [item for item in checked if isinstance(item, Item)]
    answers = iter(await service.answer(request, good, scores=body.scores, cache=body.cache))
    results = [
        next(answers).prediction.as_json()
        if isinstance(item, Item)
        else item.model_dump(mode="json", exclude_none=True)
        for item in checked
    ]
    return JSONResponse({"results": results})


def check_count(items: int, service: Service) -> None:
    """Refuse a batch of too many items.

    Raises:
        RefusedError: it has more than the service takes.
    """
    most = service.settings.max_items
    if items > most:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
            f"The batch has {items} items; at most {most} are taken. Split it.",
            "batch-items",
        )


def checked_item(
    raw: object, *, longest: int, model: type[BatchItem | StreamItem] = BatchItem
) -> Item | FailedItem:
    """Check one item of several; a bad one is answered with its own error."""
    given = raw.get("id") if isinstance(raw, dict) else None
    try:
        item = model.model_validate(raw)
        check_text(item.text, longest=longest)
    except TextError as error:
        return FailedItem(id=given, error=of_text(error))
    except ValidationError as error:
        usable = isinstance(given, str) and len(given) <= LONGEST_ID and printable(given) == given
        return FailedItem(id=given if usable else None, error=of_validation(error))
    return Item(item.text, item.id)


@router.post(
    "/v1/classify/stream",
    response_class=Response,
    responses={**PROBLEMS, 200: {"content": {NDJSON: {"schema": {"type": "string"}}}}},
    dependencies=[MAY_CLASSIFY],
    openapi_extra=body_of(
        {"type": "string", "description": "one object a line"},
        '{"id": "a1", "text": "NATO is preparing to attack Belarus."}\n'
        '{"id": "a2", "text": "The weather will be fine."}\n',
        NDJSON,
    ),
)
async def classify_stream(
    service: Annotated[Service, Depends(service_of)],
    request: Request,
    scores: bool = False,
    cache: bool = True,
) -> NdjsonAnswer:
    """Label any number of texts, one a line, answered in order as they are done.

    The last line has the counts. Read while you send: a caller who does not read is not read from.
    """
    check = partial(checked_item, longest=service.settings.max_text, model=StreamItem)
    return NdjsonAnswer(request, service, check, scores=scores, cache=cache)


@router.get("/v1/model", responses=LOCKED, dependencies=[MAY_CLASSIFY])
async def model(service: Annotated[Service, Depends(service_of)]) -> ModelAnswer:
    """Describe the model that answers."""
    manifest = service.slot.batcher.classifier.manifest
    return ModelAnswer(
        model=manifest.name,
        taxonomy_version=manifest.taxonomy_version,
        narratives=manifest.narratives,
        stances=manifest.stances,
        thresholds=manifest.decisions,
        languages=manifest.languages,
        metrics=manifest.metrics,
    )


@router.get(
    "/metrics",
    response_class=Response,
    responses={**LOCKED, 200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    dependencies=[Depends(may("metrics"))],
)
async def metrics(service: Annotated[Service, Depends(service_of)]) -> Response:
    """Tell what was counted, in Prometheus' text format."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/healthz", responses=ALWAYS)
async def healthz() -> Health:
    """Tell that the process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Health, responses=described(431, 500, 503))
async def readyz(service: Annotated[Service, Depends(service_of)]) -> JSONResponse:
    """Tell whether the model is loaded and new requests are taken."""
    if service.ready:
        return JSONResponse({"status": "ready"})
    stopping = service.admission.draining
    detail = "The service is stopping." if stopping else "The model is still being loaded."
    return respond(problem(HTTPStatus.SERVICE_UNAVAILABLE, detail))
