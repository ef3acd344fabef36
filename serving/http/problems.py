"""Errors as RFC 9457 problem details: a sentence that helps, and the limit that was met."""

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from serving.errors import TextError

MEDIA_TYPE = "application/problem+json"
LONGEST_FIELD = 80


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

    The messages of the library name rule and bound; what was sent is not repeated, and of a field's
    name no more than its beginning.
    """
    first = error.errors(include_input=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"])[:LONGEST_FIELD] or "the body"
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{printable(field)}: {first['msg']}.")


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
    app.add_exception_handler(Exception, _unforeseen)


async def _text(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, TextError)
    return respond(of_text(error))


async def _http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return respond(problem(HTTPStatus(error.status_code), str(error.detail)), error.headers)


async def _unforeseen(_: Request, __: Exception) -> JSONResponse:
    detail = "The service failed on this request; the operator's log says why. Try again later."
    return respond(problem(HTTPStatus.INTERNAL_SERVER_ERROR, detail))
