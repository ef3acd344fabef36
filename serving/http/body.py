"""Reads a request's JSON body within limits, before anything else looks at it.

The framework would read a body of any size, take any encoding that Python's JSON parser guesses,
and let NaN, half surrogates and keys that stand twice pass. Here each is a 4xx that names itself.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from typing import Any, TypeVar

from anyio import current_time, fail_after
from anyio.lowlevel import checkpoint
from fastapi import Request
from pydantic import BaseModel, ValidationError

from serving.http.encodings import PIECE, decoder
from serving.http.problems import RefusedError, of_validation, printable

Model = TypeVar("Model", bound=BaseModel)

SLOWEST = 1000
"""Bytes a second that a body has to come at: a caller who drips holds a connection for little."""


def reader(model: type[Model]) -> Callable[[Request], Awaitable[Model]]:
    """Return a dependency that reads a body of the shape `model`."""

    async def read(request: Request) -> Model:
        content = await _content(request)
        try:
            return model.model_validate(parse(content))
        except ValidationError as error:
            found = of_validation(error)
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, found.detail) from error

    return read


async def check_header(request: Request) -> None:
    """Refuse a header that is larger than the service takes.

    Raises:
        RefusedError: with the limit.
    """
    limit = request.app.state.settings.max_header_bytes
    if sum(len(name) + len(value) for name, value in request.headers.raw) > limit:
        raise RefusedError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
            f"The header is larger than {limit} bytes: send fewer or shorter fields.",
            "header-bytes",
        )


def check_type(request: Request, *kinds: str) -> None:
    """Refuse a body of another content type than `kinds`.

    Raises:
        RefusedError: with the types that are taken.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind not in kinds:
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            f"The body is sent as {printable(kind[:80]) or 'no type'}: send {' or '.join(kinds)}.",
        )


async def chunks(request: Request, *, endless: bool = False) -> AsyncIterator[bytes]:
    """Yield the body as it comes, decompressed, in pieces of bounded size.

    A body that is not `endless` is bounded as it was sent too, and has to come at `SLOWEST`.

    Raises:
        RefusedError: its encoding is not known or broken, it is too large, or it came to a halt.
    """
    settings = request.app.state.settings
    seconds = settings.body_seconds
    begun, taken = current_time(), 0
    decode = decoder(request.headers.get("content-encoding", ""))
    stream = request.stream()
    while True:
        try:
            late = begun + seconds + taken / SLOWEST - current_time()
            with fail_after(seconds if endless else min(seconds, late)):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise RefusedError(
                HTTPStatus.REQUEST_TIMEOUT,
                f"The body came to a halt for {seconds:g} s, or comes at less than {SLOWEST} bytes "
                "a second: send it without a pause.",
                "body-seconds",
                {"Connection": "close"},
            ) from error
        if chunk is None:
            decode.finish()
            return
        taken += len(chunk)
        if not endless and taken > settings.max_body_bytes:
            raise _too_large(settings.max_body_bytes)
        for begin in range(0, len(chunk), PIECE):
            for piece in decode.pieces(chunk[begin : begin + PIECE]):
                yield piece
                # A thousandfold of what came may come out: others have their turn in between.
                await checkpoint()


async def _content(request: Request) -> bytes:
    check_type(request, "application/json")
    limit = request.app.state.settings.max_body_bytes
    content = bytearray()
    async for chunk in chunks(request):
        content += chunk
        if len(content) > limit:
            raise _too_large(limit)
    return bytes(content)


def _too_large(limit: int) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The body is larger than {limit} bytes: send fewer or shorter texts.",
        "body-bytes",
    )


def parse(content: bytes) -> Any:
    """Read strict JSON.

    Raises:
        RefusedError: it is not JSON, or not UTF-8.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError(
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
    raise RefusedError(HTTPStatus.BAD_REQUEST, f"The body is not JSON: {reason}.", "body-json")


class _StrictnessError(ValueError):
    """The body is JSON to Python's parser and not to the standard, or to us."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(found := dict(pairs)) < len(pairs):
        raise _StrictnessError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> None:
    raise _StrictnessError(f"{name} is no JSON value")
