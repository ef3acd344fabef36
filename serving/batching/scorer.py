"""Runs the passages of all callers through the network: shared, batched, in threads of its own."""

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from anyio import Event, create_task_group

from serving.batching.cache import Cache, content_hash
from serving.batching.queue import Job, Queue, Turn
from serving.engine import Scores

Score = Callable[[Sequence[Sequence[int]]], Scores]
"""Scores passages (token ids), in order."""


@dataclass(frozen=True)
class Batch:
    """What one run of the network did, for those who measure."""

    passages: int
    tokens: int
    padded: int
    seconds: float


class Ticket:
    """A caller's claim to the scores of some passages, in order."""

    def __init__(self, jobs: list[Job], release: Callable[[Job], None], *, hits: int) -> None:
        """Hold the claim; `hits` of the passages were known already."""
        self.jobs = jobs
        self.hits = hits
        self._release = release

    async def scores(self) -> Scores:
        """Wait for all passages.

        Raises:
            Exception: what the network raised on one of them.
        """
        for job in self.jobs:
            await job.done.wait()
            if job.error is not None:
                raise job.error
        rows = [job.scores for job in self.jobs if job.scores is not None]
        return Scores(
            np.concatenate([row.narratives for row in rows]),
            np.concatenate([row.stances for row in rows]),
        )

    def leave(self) -> None:
        """Give the claim up; what nobody else waits for and has not begun is not computed."""
        for job in self.jobs:
            self._release(job)
        self.jobs = []


class Scorer:
    """The queue in front of a network; all but the network itself happens on the event loop."""

    def __init__(
        self,
        score: Score,
        *,
        workers: int = 1,
        cache: Cache | None = None,
        measured: Callable[[Batch], None] = lambda _: None,
    ) -> None:
        """Take the network, and how many batches may run at once."""
        self.queue = Queue()
        self._score = score
        self._workers = workers
        self._cache = Cache(0) if cache is None else cache
        self._measured = measured
        self._in_flight: dict[bytes, Job] = {}
        self._more = Event()
        self._closing = False

    async def run(self) -> None:
        """Work until `close` is called and nothing waits any more."""
        # Threads of its own, which stay: the engine keeps its buffers per thread.
        with ThreadPoolExecutor(self._workers, "engine") as threads:
            async with create_task_group() as tasks:
                for _ in range(self._workers):
                    tasks.start_soon(self._work, threads)

    def close(self) -> None:
        """Let `run` end when what waits is done."""
        self._closing = True
        self._more.set()

    def submit(self, rows: Sequence[list[int]], turn: Turn, *, cache: bool = True) -> Ticket:
        """Ask for the scores of passages; without `cache` they are computed anew and not kept."""
        known = len(self._in_flight)
        jobs = [self._job(ids, turn, cache=cache) for ids in rows]
        if len(self._in_flight) > known:
            self._more.set()
        return Ticket(jobs, self._release, hits=sum(job.done.is_set() for job in jobs))

    def _job(self, ids: list[int], turn: Turn, *, cache: bool) -> Job:
        key = content_hash(ids)
        if cache and (found := self._cache.get(key)) is not None:
            now = time.perf_counter()
            job = Job(ids, key, turn, begun=now, ended=now, scores=found)
            job.done.set()
            return job
        if (job_in_flight := self._in_flight.get(key)) is not None:
            job_in_flight.callers += 1
            # Kept only if every one of its callers lets it be kept.
            job_in_flight.keep &= cache
            if job_in_flight.waiting:
                self.queue.ask(job_in_flight, turn)
            return job_in_flight
        job = self._in_flight[key] = Job(ids, key, turn, keep=cache)
        self.queue.add(job)
        return job

    def _release(self, job: Job) -> None:
        job.callers -= 1
        if not job.callers and job.waiting:
            self.queue.drop(job)
            del self._in_flight[job.key]

    async def _work(self, threads: ThreadPoolExecutor) -> None:
        while True:
            if batch := self.queue.take():
                await self._run(batch, threads)
            elif self._closing:
                return
            else:
                # All workers wait for the same event; who comes first makes the next.
                if self._more.is_set():
                    self._more = Event()
                await self._more.wait()

    async def _run(self, batch: list[Job], threads: ThreadPoolExecutor) -> None:
        begun = time.perf_counter()
        for job in batch:
            job.begun = begun
        rows = [job.ids for job in batch]
        try:
            scores = await asyncio.get_running_loop().run_in_executor(threads, self._score, rows)
        except Exception as error:
            if len(batch) > 1:
                # One passage must not fail its neighbours, who may be other callers'.
                for job in batch:
                    await self._run([job], threads)
                return
            batch[0].error = error
        else:
            for row, job in enumerate(batch):
                # Copied, so that a kept row does not hold the whole batch.
                job.scores = Scores(
                    scores.narratives[row : row + 1].copy(), scores.stances[row : row + 1].copy()
                )
        ended = time.perf_counter()
        for job in batch:
            job.ended = ended
            del self._in_flight[job.key]
            if job.keep and job.scores is not None:
                self._cache.put(job.key, job.scores)
            job.done.set()
        lengths = [len(ids) for ids in rows]
        self._measured(Batch(len(rows), sum(lengths), len(rows) * max(lengths), ended - begun))
