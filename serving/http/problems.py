"""Errors as RFC 9457 problem details: a sentence that helps, and the limit that was met."""

import logging
import traceback
from collections.abc import Callable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.batching.admission import DrainingError, OverloadError
from serving.errors import TextError
from serving.http.calls import call_of
from serving.http.presence import AbandonedError

MEDIA_TYPE = "application/problem+json"
CLIENT_CLOSED_REQUEST = 499

_LONGEST_PART = 80
"""Characters told of a place in a body: the keys of some objects are the caller's."""
_FAILED = "The service failed on this request; the operator's log says where. Try again later."
_LOG = logging.getLogger("uvicorn.error")


class Problem(BaseModel):
    """The body of every error, and of a batch item that failed."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="what is wrong, where, and what to do")
    limit: str | None = Field(default=None, description="the rule that was broken, if it is one")


class RefusedError(Exception):
    """A request that is not answered; `problem` says why, `headers` go with it."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        limit: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Make the error with what is answered."""
        super().__init__(detail)
        self.problem = problem(status, detail, limit)
        self.headers = headers


Shape = Callable[[Problem, Mapping[str, str] | None], Response]
"""Writes a problem as the clients of a route expect it."""


def shaped(shape: Shape) -> Callable[[Request], object]:
    """Return a dependency that has a route's errors written in another shape."""

    async def choose(request: Request) -> None:
        request.scope["error_shape"] = shape

    return choose


def problem(status: HTTPStatus, detail: str, limit: str | None = None) -> Problem:
    """Make a problem with the status's own title."""
    return Problem(title=status.phrase, status=status, detail=detail, limit=limit)


def of_text(error: TextError) -> Problem:
    """Make the problem of a text that cannot be classified."""
    too_long = error.limit == "text-length"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_long else HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(status, str(error), error.limit)


def of_validation(error: ValidationError) -> Problem:
    """Make the problem of a body, or an item, of the wrong shape.

    The messages of the library name rule and bound; nothing that was sent is repeated, not even the
    name of a field that is not ours.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    path = [printable(str(part)[:_LONGEST_PART]) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        path[-1] = "an unknown field"
    message = first["msg"] if path else "an object is wanted"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{'.'.join(path) or 'the body'}: {message}.")


def printable(value: str) -> str:
    """Return what can be sent of a caller's string: half surrogates are escaped."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8")


def respond(found: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Send a problem."""
    return JSONResponse(
        found.model_dump(exclude_none=True),
        status_code=found.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )


def of_error(error: Exception) -> tuple[Problem, Mapping[str, str] | None] | None:
    """Return what is answered to an error that was foreseen, and its headers."""
    if isinstance(error, RefusedError):
        return error.problem, error.headers
    if isinstance(error, TextError):
        return of_text(error), None
    if isinstance(error, OverloadError):
        found = problem(HTTPStatus.TOO_MANY_REQUESTS, str(error), "queue-tokens")
        return found, {"Retry-After": str(error.retry_after)}
    if isinstance(error, DrainingError):
        found = problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), "draining")
        return found, {"Retry-After": "1", "Connection": "close"}
    if isinstance(error, RequestValidationError):
        first = error.errors()[0]
        detail = f"{first['loc'][-1]} in the {first['loc'][0]}: {first['msg']}."
        return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail), None
    if isinstance(error, HTTPException):
        return problem(HTTPStatus(error.status_code), str(error.detail)), error.headers
    return None


_FORESEEN = (
    RefusedError,
    TextError,
    OverloadError,
    DrainingError,
    RequestValidationError,
    HTTPException,
)


def install(app: FastAPI) -> None:
    """Answer every kind of error with a problem."""
    for kind in _FORESEEN:
        app.add_exception_handler(kind, _foreseen)
    for gone in (AbandonedError, ClientDisconnect):
        app.add_exception_handler(gone, _abandoned)
    app.add_middleware(LastResort)


async def _abandoned(_: Request, __: Exception) -> Response:
    # Nobody reads it; the log and the metrics have nginx's number for it.
    return Response(status_code=CLIENT_CLOSED_REQUEST)


async def _foreseen(request: Request, error: Exception) -> Response:
    answer = of_error(error)
    assert answer is not None
    return _answer(request.scope, *answer)


def _answer(scope: Scope, found: Problem, headers: Mapping[str, str] | None = None) -> Response:
    call_of(scope).limit = found.limit or str(found.status)
    shape: Shape = scope.get("error_shape", respond)
    return shape(found, headers)


class LastResort:
    """Answers what nothing else caught, outside of everything that logs an exception's message.

    A message can quote the text that a caller sent. So it is kept from the log: what is logged is
    the exception's type and where it was raised.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything through; an exception becomes a 500, if no answer has begun."""
        begun = False

        async def watch(message: Message) -> None:
            nonlocal begun
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except Exception as error:
            if scope["type"] != "http":
                raise
            where = "".join(traceback.format_tb(error.__traceback__))
            _LOG.error("unforeseen %s\n%s", type(error).__name__, where)
            if not begun:
                failed = problem(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED)
                await _answer(scope, failed)(scope, receive, send)
