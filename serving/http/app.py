"""The application: settings and a model folder in, an ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI

from serving.classifier import Classifier
from serving.http import inference, pages, perspective, problems
from serving.http.body import check_header
from serving.http.observe import Observe
from serving.http.routes import router
from serving.http.service import Service
from serving.settings import Settings


def create_app(settings: Settings, classifier: Classifier | None = None) -> FastAPI:
    """Make the application; without a `classifier` the settings' model is loaded at start.

    Raises:
        ModelFolderError: at start, if the folder is not as released.
        ServingError: the file of keys is not one.
    """
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with service.running(classifier):
            yield

    app = FastAPI(
        title="Narrascope",
        summary="Labels passages of text with the propaganda narratives that they carry.",
        version=version("narrascope"),
        lifespan=lifespan,
        dependencies=[Depends(check_header)],
        docs_url=None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.service = service
    app.state.settings = settings
    for each in (router, perspective.router, inference.router, pages.router):
        app.include_router(each)
    app.openapi = lambda: _description(app, service)  # type: ignore[method-assign]
    problems.install(app)
    app.add_middleware(Observe, metrics=service.metrics)
    return app


def _description(app: FastAPI, service: Service) -> dict[str, Any]:
    """Return the OpenAPI description; its examples name narratives of the model that answers."""
    description = FastAPI.openapi(app)
    if service.slot.filled:
        narrative = service.slot.batcher.classifier.narratives[0]
        body = description["paths"][perspective.PATH]["post"]["requestBody"]
        body["content"]["application/json"]["example"] = perspective.example(narrative)
    return description
