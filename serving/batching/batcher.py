"""Answers many callers at once with one classifier."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from anyio import CapacityLimiter, to_thread

from serving.batching.cache import Cache
from serving.batching.queue import Turn
from serving.batching.scorer import Batch, Scorer, Ticket
from serving.classifier import Classifier, Prepared, Reading
from serving.decisions import Array

TOKENISERS = 2
"""Texts that are cut and tokenised at the same time, over all callers."""


@dataclass
class Cost:
    """What a request took: seconds by stage, tokens, and passages that were known already.

    `queue` lasts until the first of its passages runs, `infer` from then on to the end of the last.
    """

    tokenise: float = 0
    queue: float = 0
    infer: float = 0
    tokens: int = 0
    passages: int = 0
    hits: int = 0


class Batcher:
    """A classifier whose callers share its network; `run` must be running."""

    def __init__(
        self,
        classifier: Classifier,
        *,
        workers: int = 1,
        cache: int = 0,
        measured: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """Take a classifier, the batches that may run at once, and the passages to remember."""
        self.classifier = classifier
        self._scorer = Scorer(
            classifier.score, workers=workers, cache=Cache(cache), measured=measured
        )
        self._tokenisers = CapacityLimiter(TOKENISERS)
        self._busy = 0
        self._closing = False

    async def run(self) -> None:
        """Work until `close` is called and every question that was asked before is answered."""
        await self._scorer.run()

    def close(self) -> None:
        """Let `run` end when nobody is being answered."""
        self._closing = True
        if not self._busy:
            self._scorer.close()

    @property
    def waiting_tokens(self) -> int:
        """Tokens that wait for the network."""
        return self._scorer.queue.tokens

    async def read(
        self,
        texts: Sequence[str],
        *,
        cache: bool = True,
        turn: Turn | None = None,
        cost: Cost | None = None,
    ) -> list[Reading]:
        """Read texts, in order; a caller that is cancelled takes its passages with it.

        Args:
            texts: what `check_text` has passed.
            cache: whether scores may come from, and be kept in, the cache.
            turn: the caller's place in the queue, if it asks more than once.
            cost: filled in with what was spent.
        """
        turn, cost = turn or Turn(), cost or Cost()
        with self._open() as claims:
            claimed: list[tuple[Prepared, Ticket]] = []
            asked = time.perf_counter()
            for text in texts:
                prepared = await self._prepare(text)
                ticket = self._scorer.submit(prepared.ids, turn, cache=cache)
                claims.callback(ticket.leave)
                claimed.append((prepared, ticket))
            cost.tokenise += (tokenised := time.perf_counter() - asked)
            readings = [
                self.classifier.reading(prepared, await ticket.scores())
                for prepared, ticket in claimed
            ]
            _add(cost, [ticket for _, ticket in claimed], asked + tokenised)
        return readings

    async def weigh(self, passages: Sequence[str], turn: Turn) -> Array:
        """Return P(narrative) of normalised passages as they are, shape (passages, narratives)."""
        with self._open() as claims:
            ids = await to_thread.run_sync(
                self.classifier.encode, passages, limiter=self._tokenisers
            )
            ticket = self._scorer.submit(ids, turn, cache=False)
            claims.callback(ticket.leave)
            return self.classifier.weights(await ticket.scores())

    @contextmanager
    def _open(self) -> Iterator[ExitStack]:
        self._busy += 1
        try:
            with ExitStack() as claims:
                yield claims
        finally:
            self._busy -= 1
            if self._closing:
                self.close()

    async def _prepare(self, text: str) -> Prepared:
        # One text after another, so that a long batch does not take every place.
        [prepared] = await to_thread.run_sync(
            self.classifier.prepare, [text], limiter=self._tokenisers
        )
        return prepared


def _add(cost: Cost, tickets: Sequence[Ticket], tokenised: float) -> None:
    jobs = [job for ticket in tickets for job in ticket.jobs]
    if not jobs:
        return
    begun = min(job.begun for job in jobs)
    cost.queue += max(0.0, begun - tokenised)
    cost.infer += max(job.ended for job in jobs) - begun
    cost.tokens += sum(len(job.ids) for job in jobs)
    cost.passages += len(jobs)
    cost.hits += sum(ticket.hits for ticket in tickets)
