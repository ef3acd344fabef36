"""A network that tells passages apart, and runs only when a test lets it."""

import threading
from collections.abc import Sequence

import numpy as np
import pytest

from serving.engine import Scores

WAIT_S = 30
"""Longer than anything takes: who waits this long waits for ever."""


class Network:
    """Scores each passage by its own tokens; remembers the batches that it was given."""

    def __init__(self) -> None:
        self.batches: list[list[list[int]]] = []
        self.threads: set[str] = set()
        self.began = threading.Semaphore(0)
        self.bad: set[int] = set()
        self._gate = threading.Event()
        self._gate.set()

    def hold(self) -> None:
        self._gate.clear()

    def release(self) -> None:
        self._gate.set()

    def __call__(self, ids: Sequence[Sequence[int]]) -> Scores:
        self.batches.append([list(row) for row in ids])
        self.threads.add(threading.current_thread().name)
        self.began.release()
        assert self._gate.wait(WAIT_S)
        if any(row[0] in self.bad for row in ids):
            raise RuntimeError("the network failed")
        narratives = np.array([[row[0], sum(row), len(row)] for row in ids], np.float32)
        return Scores(narratives, np.repeat(narratives[:, :, None], 2, -1))

    @property
    def passages(self) -> list[list[int]]:
        return [row for batch in self.batches for row in batch]


@pytest.fixture
def network() -> Network:
    return Network()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
