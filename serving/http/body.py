"""Reads a request's JSON body within limits, before anything else looks at it.

The framework would read a body of any size, take any encoding that Python's JSON parser guesses,
and let NaN, half surrogates and keys that stand twice pass. Here each is a 4xx that names itself.
"""

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from serving.http.problems import Problem, of_validation, printable, problem

Model = TypeVar("Model", bound=BaseModel)


class BodyError(Exception):
    """The body cannot be taken; `problem` says why."""

    def __init__(self, found: Problem) -> None:
        """Make the error with what is answered."""
        super().__init__(found.detail)
        self.problem = found


def reader(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """Return a dependency that reads a body of the shape `model`."""

    async def read(request: Request) -> Model:
        content = await _content(request, limit=request.app.state.settings.max_body_bytes)
        try:
            return model.model_validate(_parse(content))
        except ValidationError as error:
            raise BodyError(of_validation(error)) from error

    return read


async def _content(request: Request, *, limit: int) -> bytes:
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        raise _bad(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent as {printable(kind[:80]) or 'no type'}: send application/json.",
        )
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise _bad(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"The body is larger than {limit} bytes: send fewer or shorter texts.",
                "body-bytes",
            )
    return bytes(content)


def _parse(content: bytes) -> Any:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _bad(
            HTTPStatus.BAD_REQUEST,
            f"The body is not UTF-8 (byte {error.start}): encode it as UTF-8.",
            "body-encoding",
        ) from error
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        reason = f"{error.msg.split('(')[0].strip()} at character {error.pos}"
    except RecursionError:
        reason = "it nests too deep"
    except _StrictnessError as error:
        reason = str(error)
    except ValueError:
        reason = "a number in it is too long"
    raise _bad(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {reason}.", "body-json")


class _StrictnessError(ValueError):
    """The body is JSON to Python's parser and not to the standard, or to us."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise _StrictnessError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise _StrictnessError(f"{name} is no JSON value")


def _bad(status: HTTPStatus, detail: str, limit: str | None = None) -> BodyError:
    return BodyError(problem(status, detail, limit))
