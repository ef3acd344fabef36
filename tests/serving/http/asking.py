"""Many callers at once over bare sockets, and whether each of them was answered for itself."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from tests.serving.http.hostile import Answer, parsed

TOLERANCE = 2e-3
"""Batches of other neighbours change a confidence's fourth decimal."""

Prediction = dict[str, Any]


async def ask(port: int, content: bytes) -> list[Answer]:
    """Send bytes over a connection of their own; return the answers until it is closed.

    Raises:
        OSError: the connection broke off.
        HTTPException: an answer is not whole.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(content)
        await writer.drain()
        return parsed(await reader.read())
    finally:
        writer.close()


def body(asked: Prediction) -> bytes:
    """Return the body of a request, which asks for all scores and nothing remembered."""
    return json.dumps({**asked, "scores": True, "cache": False}).encode()


def is_for(answer: Prediction, expected: Prediction) -> bool:
    """Whether an answer says what the model says of the text, and not of another one."""
    ends = [{found["end"] for found in each["narratives"]} for each in (answer, expected)]
    near = all(
        abs(answer["scores"][name] - value) <= TOLERANCE
        for name, value in expected["scores"].items()
    )
    return answer.get("id") == expected.get("id") and ends[0] == ends[1] and near


def wrong_pairings(answers: Sequence[Prediction], expected: Sequence[Prediction]) -> list[str]:
    """Return the ids of answers that say what should have been said to another caller."""
    return [
        each["id"]
        for answer, each in zip(answers, expected, strict=True)
        if not is_for(answer, each)
    ]
