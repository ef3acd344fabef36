"""Ends the work for a caller who has gone away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import create_task_group
from fastapi import Request


class AbandonedError(Exception):
    """The caller went away before its answer was there."""


@asynccontextmanager
async def while_present(request: Request) -> AsyncIterator[None]:
    """Run a block for as long as the caller stays connected; the body must have been read.

    Raises:
        AbandonedError: the caller went away.
    """
    gone = False

    async def watch() -> None:
        nonlocal gone
        while (await request.receive())["type"] != "http.disconnect":
            pass
        gone = True
        tasks.cancel_scope.cancel()

    try:
        async with create_task_group() as tasks:
            tasks.start_soon(watch)
            yield
            tasks.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        # One of the block's own: the watch raises nothing.
        raise group.exceptions[0] from None
    if gone:
        raise AbandonedError
