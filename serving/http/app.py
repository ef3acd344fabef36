"""The application: settings and a model folder in, an ASGI app out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from serving.classifier import Classifier, Item
from serving.http import problems
from serving.http.body import BodyError
from serving.http.routes import router
from serving.settings import Settings

WARM_UP = "The first text compiles the kernels."


def create_app(settings: Settings, classifier: Classifier | None = None) -> FastAPI:
    """Make the application; without a `classifier` the settings' model is loaded at start.

    Raises:
        ModelFolderError: at start, if the folder is not as released.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loaded = classifier
        if loaded is None:
            loaded = await run_in_threadpool(_load, settings)
        await run_in_threadpool(loaded.predict, [Item(WARM_UP)])
        # One call at a time: the engine takes all cores for each, and more only cost memory.
        app.state.limiter = CapacityLimiter(1)
        app.state.classifier = loaded
        app.state.ready = True
        yield
        app.state.ready = False

    app = FastAPI(
        title="Narrascope",
        summary="Labels passages of text with the propaganda narratives that they carry.",
        version=version("narrascope"),
        lifespan=lifespan,
    )
    app.state.settings = settings
    app.include_router(router)
    problems.install(app)
    app.add_exception_handler(BodyError, _bad_body)
    return app


def _load(settings: Settings) -> Classifier:
    return Classifier.load(settings.model, threads=settings.threads)


async def _bad_body(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, BodyError)
    return problems.respond(error.problem)
