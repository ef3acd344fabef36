"""What is noted of one request while it is answered, for headers, logs, metrics and traces.

Nothing in it is text that a caller sent.
"""

import re
import uuid
from dataclasses import dataclass, field

from starlette.types import Scope

from serving.batching.batcher import Cost
from serving.keys import Key

_OURS = re.compile(r"[A-Za-z0-9._-]{1,64}")


@dataclass
class Call:
    """One request: its id, its key, what it cost and what went wrong."""

    id: str
    cost: Cost = field(default_factory=Cost)
    key: Key | None = None
    texts: int = 0
    model: str | None = None
    limit: str | None = None


def call_of(scope: Scope) -> Call:
    """Return what is noted of a request; made at the first look."""
    state = scope.setdefault("state", {})
    if "call" not in state:
        state["call"] = Call(_identifier(scope))
    call: Call = state["call"]
    return call


def _identifier(scope: Scope) -> str:
    """Take the caller's X-Request-ID if it is an identifier and nothing else."""
    for name, value in scope.get("headers", []):
        if name == b"x-request-id" and _OURS.fullmatch(given := value.decode("latin-1")):
            return str(given)
    return uuid.uuid4().hex
