"""Errors as RFC 9457 problem details: a sentence that helps, and the limit that was met."""

import logging
import traceback
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from serving.errors import TextError

MEDIA_TYPE = "application/problem+json"

_FAILED = "The service failed on this request; the operator's log says where. Try again later."
_LOG = logging.getLogger("uvicorn.error")


class Problem(BaseModel):
    """The body of every error, and of a batch item that failed."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str = Field(description="what is wrong, where, and what to do")
    limit: str | None = Field(default=None, description="the rule that was broken, if it is one")


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
    path = [str(part) for part in first["loc"]]
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


def install(app: FastAPI) -> None:
    """Answer every kind of error with a problem."""
    app.add_exception_handler(TextError, _text)
    app.add_exception_handler(HTTPException, _http)
    app.add_middleware(LastResort)


async def _text(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TextError)
    return respond(of_text(error))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return respond(problem(HTTPStatus(error.status_code), str(error.detail)), error.headers)


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
                await respond(problem(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED))(
                    scope, receive, send
                )
