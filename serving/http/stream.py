"""NDJSON in, NDJSON out: any number of lines in constant memory, answered as they are done.

A window of lines is in the works at a time. Nothing more is read from a caller who does not read
its answers, and the answers come in the order of the lines.
"""

import json
import logging
import traceback
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus

from anyio import (
    CancelScope,
    Event,
    create_memory_object_stream,
    create_task_group,
    move_on_after,
    sleep,
)
from anyio.abc import ObjectSendStream, TaskGroup
from fastapi import Request
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serving.batching.admission import DrainingError, OverloadError
from serving.batching.queue import Turn
from serving.classifier import Item
from serving.http.body import check_type, chunks, parse
from serving.http.calls import call_of
from serving.http.problems import RefusedError, of_error, problem
from serving.http.schemas import FailedItem
from serving.http.service import Service

MEDIA_TYPE = "application/x-ndjson"
TAKEN = (MEDIA_TYPE, "application/ndjson", "application/jsonl")
WINDOW = 64
"""Lines of one caller in the works: some full batches of passages of middling length."""
PATIENCE_S = 1
"""How long a line waits before it tries a full queue again."""
LOOK_S = 0.1
"""How often a stream looks whether the service is stopping."""

Check = Callable[[object], Item | FailedItem]

_FAILED = "The service failed on this line; the operator's log says where."
_LOG = logging.getLogger("narrascope.stream")


@dataclass
class _Line:
    answer: dict[str, object] = field(default_factory=dict)
    done: Event = field(default_factory=Event)


class NdjsonAnswer(Response):
    """Reads lines and answers them; an error after the first answer is a line too."""

    def __init__(
        self, request: Request, service: Service, check: Check, *, scores: bool, cache: bool
    ) -> None:
        """Take a request whose body is unread, and what makes an item of a line.

        Raises:
            RefusedError: the body is not NDJSON, or the service is stopping.
        """
        check_type(request, *TAKEN)
        if service.admission.draining:
            raise DrainingError
        super().__init__(media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self._request = request
        self._service = service
        self._check = check
        self._scores = scores
        self._cache = cache
        self._call = call_of(request.scope)
        self._turn = Turn()
        self._lines = self._classified = self._failed = 0
        self._stopped: Exception | None = None
        self._read_all = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the stream."""
        lines = _lines(chunks(self._request, endless=True), self._service.settings.max_body_bytes)
        abandoned = False
        try:
            # What is wrong before the first line (an unknown encoding) is an answer of its own.
            first = await anext(lines, None)
            headers = self.raw_headers
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async with create_task_group() as tasks:
                unanswered, answered = create_memory_object_stream[_Line](WINDOW)
                tasks.start_soon(self._read, first, lines, unanswered, tasks)
                async with answered:
                    async for line in answered:
                        await line.done.wait()
                        await self._write(send, line.answer)
        except* ClientDisconnect:
            abandoned = True
        if not abandoned:
            await self._write(send, self._summary())
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _read(
        self,
        first: "bytes | RefusedError | None",
        lines: "AsyncIterator[bytes | RefusedError]",
        unanswered: ObjectSendStream[_Line],
        tasks: TaskGroup,
    ) -> None:
        async with unanswered:
            with CancelScope() as reading:
                tasks.start_soon(self._stop_when_draining, reading)
                raw = first
                while raw is not None:
                    line = _Line()
                    await unanswered.send(line)
                    self._lines += 1
                    tasks.start_soon(self._finish, raw, line, self._lines)
                    try:
                        raw = await anext(lines, None)
                    except RefusedError as error:
                        self._stopped = error
                        break
            self._read_all = True

    async def _stop_when_draining(self, reading: CancelScope) -> None:
        # Lines that were read are answered; whoever is silent must not hold up the end.
        while not self._read_all:
            if self._service.admission.draining:
                self._stopped = DrainingError()
                reading.cancel()
                return
            await sleep(LOOK_S)

    async def _finish(self, raw: "bytes | RefusedError", line: _Line, number: int) -> None:
        try:
            if isinstance(raw, RefusedError):
                raise raw
            item = self._check(parse(raw))
            if isinstance(item, Item):
                line.answer = await self._predict(item)
                self._classified += 1
            else:
                line.answer = {"line": number, **_json(item)}
        except Exception as error:
            line.answer = {"line": number, "error": self._problem(error)}
        self._failed += "error" in line.answer
        line.done.set()

    async def _predict(self, item: Item) -> dict[str, object]:
        """Label one line, waiting where a request of its own would have been refused."""
        service, key = self._service, self._call.key
        while seconds := service.access.seconds_until(key, 1):
            await sleep(seconds)
        while True:
            try:
                [answer] = await service.predict(
                    self._call, [item], scores=self._scores, cache=self._cache, turn=self._turn
                )
            except OverloadError:
                await sleep(PATIENCE_S)
            else:
                return answer.prediction.as_json()

    def _problem(self, error: Exception) -> dict[str, object]:
        if found := of_error(error):
            return _json(found[0])
        where = "".join(traceback.format_tb(error.__traceback__))
        fields = {"request_id": self._call.id, "error": type(error).__name__, "where": where}
        _LOG.error("unforeseen", extra={"fields": fields})
        return _json(problem(HTTPStatus.INTERNAL_SERVER_ERROR, _FAILED))

    def _summary(self) -> dict[str, object]:
        done = {"lines": self._lines, "classified": self._classified, "failed": self._failed}
        if self._stopped is None:
            return {"done": done}
        return {"done": done, "error": self._problem(self._stopped)}

    async def _write(self, send: Send, value: dict[str, object]) -> None:
        body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
        with move_on_after(self._service.settings.body_seconds) as patience:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        if patience.cancelled_caught:
            # Who does not read its answers is not there.
            raise ClientDisconnect


async def _lines(
    pieces: AsyncIterator[bytes], longest: int
) -> "AsyncIterator[bytes | RefusedError]":
    """Cut a body into lines, without blank ones; one that is too long becomes its error."""
    kept = bytearray()
    skipping = False
    async for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for part in whole:
            line, kept = bytes(kept) + part, bytearray()
            if not skipping and line.strip():
                yield line if len(line) <= longest else _too_long(longest)
            skipping = False
        if not skipping:
            kept += rest
        if len(kept) > longest:
            yield _too_long(longest)
            kept, skipping = bytearray(), True
    if kept.strip():
        yield bytes(kept)


def _too_long(longest: int) -> RefusedError:
    return RefusedError(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The line is larger than {longest} bytes: send a shorter text.",
        "body-bytes",
    )


def _json(model: BaseModel) -> dict[str, object]:
    return model.model_dump(mode="json", exclude_none=True)
