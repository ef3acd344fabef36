"""The passages that wait for the network, and the choice of the next batch.

Whose turn it is follows fair queueing (Demers, Keshav and Shenker 1989): each caller advances by
the tokens that it sends, so a batch of thousands does not hold up a single question that comes
after it. What runs beside the passage whose turn it is are those nearest to it in length.
"""

import heapq
from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import count

from anyio import Event

from serving.engine import BATCH_TOKENS, Scores

PADDING_TOKENS = 32
"""Padding that a batch may always have: about what starting another batch would cost."""
PADDING_SHARE = 1 / 16
"""Of a large batch, the share that may be padding."""


@dataclass(eq=False)
class Turn:
    """One caller's place: how many tokens it has asked for, on the queue's virtual clock."""

    at: float = 0
    waiting: int = 0


@dataclass(eq=False)
class Job:
    """One passage that is asked for by one or more callers.

    `begun` and `ended` are seconds of `time.perf_counter`, `scores` is of shape (1, ...).
    """

    ids: list[int]
    key: bytes
    turn: Turn
    callers: int = 1
    keep: bool = True
    waiting: bool = False
    order: int = 0
    begun: float = 0
    ended: float = 0
    scores: Scores | None = None
    error: Exception | None = None
    done: Event = field(default_factory=Event)


class Queue:
    """Waiting jobs, by turn and by length."""

    def __init__(self) -> None:
        """Start empty."""
        self.tokens = 0
        self._clock = 0.0
        self._callers = 0
        self._order = count()
        self._by_turn: list[tuple[float, int, Job]] = []
        self._by_length: list[tuple[int, int, Job]] = []

    def __len__(self) -> int:
        return len(self._by_length)

    def add(self, job: Job) -> None:
        """Let a job wait for its caller's turn."""
        job.order, job.waiting = next(self._order), True
        insort(self._by_length, (len(job.ids), job.order, job))
        self.tokens += len(job.ids)
        self._callers += not job.turn.waiting
        job.turn.waiting += 1
        self.ask(job, job.turn)

    def ask(self, job: Job, turn: Turn) -> None:
        """Let a waiting job run at the turn of another caller too, if that is earlier."""
        rank = max(turn.at, self._clock)
        turn.at = rank + len(job.ids)
        heapq.heappush(self._by_turn, (rank, next(self._order), job))

    def drop(self, job: Job) -> None:
        """Forget a job that nobody waits for any more."""
        if job.waiting:
            del self._by_length[self._place(job)]
            self._leave(job)

    def take(self) -> list[Job]:
        """Return the next batch; empty if nothing waits."""
        while self._by_turn:
            first = heapq.heappop(self._by_turn)[2]
            if first.waiting:
                break
        else:
            return []
        begin, end = self._alike(self._place(first))
        batch = [job for _, _, job in self._by_length[begin:end]]
        del self._by_length[begin:end]
        # The clock shows what each of the callers would have had if all were served at once.
        self._clock += sum(len(job.ids) for job in batch) / self._callers
        for job in batch:
            self._leave(job)
        return batch

    def _place(self, job: Job) -> int:
        return bisect_left(self._by_length, (len(job.ids), job.order))

    def _leave(self, job: Job) -> None:
        job.waiting = False
        self.tokens -= len(job.ids)
        job.turn.waiting -= 1
        self._callers -= not job.turn.waiting

    def _alike(self, at: int) -> tuple[int, int]:
        """Widen from one job to its neighbours in length, the cheaper to pad first."""
        lengths = self._by_length
        begin, end, total = at, at + 1, lengths[at][0]
        while True:
            longest = lengths[end - 1][0]
            options = []
            if begin:
                options.append((longest - lengths[begin - 1][0], begin - 1, end, longest))
            if end < len(lengths):
                longer = lengths[end][0]
                options.append(((longer - longest) * (end - begin), begin, end + 1, longer))
            if not options:
                return begin, end
            _, first, last, longest = min(options)
            size = (last - first) * longest
            grown = total + lengths[first if first < begin else end][0]
            if size > BATCH_TOKENS or size - grown > max(PADDING_TOKENS, size * PADDING_SHARE):
                return begin, end
            begin, end, total = first, last, grown
