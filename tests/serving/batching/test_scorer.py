"""The scorer: every passage its own score, shared, cancelled and failed without harm to others."""

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import numpy as np
import pytest
from anyio import to_thread

from serving.batching.cache import Cache
from serving.batching.queue import Turn
from serving.batching.scorer import Batch, Scorer, Ticket
from serving.engine import Scores
from tests.serving.batching.conftest import WAIT_S, Network

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def _running(network: Network, **options: Any) -> AsyncIterator[Scorer]:
    scorer = Scorer(network, **options)
    with anyio.fail_after(WAIT_S):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(scorer.run)
            try:
                yield scorer
            finally:
                network.release()
                scorer.close()


async def _began(network: Network) -> None:
    assert await to_thread.run_sync(network.began.acquire, True, WAIT_S)


async def _ask(scorer: Scorer, *rows: list[int], cache: bool = True) -> Scores:
    ticket = scorer.submit(rows, Turn(), cache=cache)
    try:
        return await ticket.scores()
    finally:
        ticket.leave()


def _is_of(scores: Scores, *rows: list[int]) -> bool:
    return scores.narratives.tolist() == [[row[0], sum(row), len(row)] for row in rows]


async def test_each_caller_gets_the_scores_of_its_own_passages_in_order(network: Network) -> None:
    draw = random.Random(0)
    asked = [
        [
            [draw.randrange(50) for _ in range(draw.randrange(1, 90))]
            for _ in range(draw.randrange(1, 9))
        ]
        for _ in range(60)
    ]
    got: dict[int, Scores] = {}

    async def caller(number: int) -> None:
        got[number] = await _ask(scorer, *asked[number])

    async with (
        _running(network, workers=2, cache=Cache(20)) as scorer,
        anyio.create_task_group() as tasks,
    ):
        for number in range(len(asked)):
            tasks.start_soon(caller, number)
    assert len(got) == len(asked)
    assert all(_is_of(got[number], *rows) for number, rows in enumerate(asked))


async def test_an_idle_network_begins_at_once_with_what_there_is(network: Network) -> None:
    async with _running(network) as scorer:
        network.hold()
        ticket = scorer.submit([[1, 2]], Turn())
        await _began(network)
        assert network.batches == [[[1, 2]]]
        network.release()
        assert _is_of(await ticket.scores(), [1, 2])


async def test_what_comes_while_the_network_is_busy_runs_together(network: Network) -> None:
    async with _running(network) as scorer:
        network.hold()
        first = scorer.submit([[1, 1]], Turn())
        await _began(network)
        rest = [scorer.submit([[n, 1]], Turn()) for n in range(2, 12)]
        network.release()
        for number, ticket in enumerate([first, *rest], 1):
            assert _is_of(await ticket.scores(), [number, 1])
    assert [len(batch) for batch in network.batches] == [1, 10]


async def test_the_event_loop_goes_on_while_the_network_runs(network: Network) -> None:
    async with _running(network) as scorer:
        network.hold()
        ticket = scorer.submit([[1]], Turn())
        await _began(network)
        for _ in range(100):
            await anyio.sleep(0)
        assert not ticket.jobs[0].done.is_set()
        network.release()
        await ticket.scores()
    assert all(name.startswith("engine") for name in network.threads)


async def test_identical_passages_in_flight_are_computed_once(network: Network) -> None:
    async with _running(network) as scorer:
        network.hold()
        running = scorer.submit([[9, 9]], Turn())
        await _began(network)
        waiting = scorer.submit([[5, 5], [5, 5]], Turn())
        same = [scorer.submit([[9, 9], [5, 5]], Turn()) for _ in range(5)]
        network.release()
        assert _is_of(await running.scores(), [9, 9])
        assert _is_of(await waiting.scores(), [5, 5], [5, 5])
        for ticket in same:
            assert _is_of(await ticket.scores(), [9, 9], [5, 5])
    assert network.passages == [[9, 9], [5, 5]]


async def test_a_known_passage_is_answered_without_the_network(network: Network) -> None:
    async with _running(network, cache=Cache(10)) as scorer:
        await _ask(scorer, [1, 2])
        ticket = scorer.submit([[1, 2], [3, 4]], Turn())
        assert _is_of(await ticket.scores(), [1, 2], [3, 4])
        assert ticket.hits == 1
    assert network.passages == [[1, 2], [3, 4]]


async def test_without_cache_a_passage_is_computed_anew_and_not_kept(network: Network) -> None:
    async with _running(network, cache=Cache(10)) as scorer:
        for cache in (False, False, True, False):
            assert _is_of(await _ask(scorer, [1, 2], cache=cache), [1, 2])
    assert network.passages == [[1, 2]] * 4


async def test_a_shared_passage_is_not_kept_if_one_of_its_callers_forbids_it(
    network: Network,
) -> None:
    async with _running(network, cache=Cache(10)) as scorer:
        network.hold()
        one = scorer.submit([[1, 2]], Turn(), cache=True)
        other = scorer.submit([[1, 2]], Turn(), cache=False)
        network.release()
        for ticket in (one, other):
            await ticket.scores()
        await _ask(scorer, [1, 2])
    assert network.passages == [[1, 2]] * 2


async def test_passages_of_a_cancelled_caller_are_not_computed(network: Network) -> None:
    async with _running(network) as scorer:
        network.hold()
        busy = scorer.submit([[1]], Turn())
        await _began(network)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_ask, scorer, [2], [3])
                kept = scorer.submit([[4]], Turn())
                await anyio.sleep(0)
                scope.cancel()
        assert scorer.queue.tokens == 1
        network.release()
        assert _is_of(await busy.scores(), [1])
        assert _is_of(await kept.scores(), [4])
    assert network.passages == [[1], [4]]


async def test_a_passage_that_another_caller_waits_for_outlives_a_cancelled_one(
    network: Network,
) -> None:
    async with _running(network) as scorer:
        network.hold()
        busy = scorer.submit([[1]], Turn())
        await _began(network)
        gone, stays = (scorer.submit([[2]], Turn()) for _ in range(2))
        gone.leave()
        gone.leave()
        network.release()
        assert _is_of(await stays.scores(), [2])
        await busy.scores()
    assert network.passages == [[1], [2]]


async def test_a_cancelled_passage_that_was_running_can_be_asked_for_again(
    network: Network,
) -> None:
    async with _running(network) as scorer:
        network.hold()
        scorer.submit([[1]], Turn()).leave()  # never begun
        ticket = scorer.submit([[1]], Turn())
        await _began(network)
        ticket.leave()  # running
        network.release()
        assert _is_of(await _ask(scorer, [1]), [1])


async def test_a_passage_that_fails_fails_alone(network: Network) -> None:
    network.bad = {13}
    async with _running(network, cache=Cache(10)) as scorer:
        network.hold()
        busy = scorer.submit([[1, 0]], Turn())
        await _began(network)
        good = [scorer.submit([[n, 0]], Turn()) for n in (2, 3)]
        bad = scorer.submit([[13, 0], [4, 0]], Turn())
        network.release()
        with pytest.raises(RuntimeError, match="network failed"):
            await bad.scores()
        assert _is_of(await busy.scores(), [1, 0])
        for number, ticket in zip((2, 3), good, strict=True):
            assert _is_of(await ticket.scores(), [number, 0])


async def test_after_a_failure_the_same_passage_is_tried_again(network: Network) -> None:
    async with _running(network, cache=Cache(10)) as scorer:
        network.bad = {13}
        with pytest.raises(RuntimeError):
            await _ask(scorer, [13])
        network.bad = set()
        assert _is_of(await _ask(scorer, [13]), [13])


async def test_closing_answers_what_was_asked_before(network: Network) -> None:
    tickets: list[Ticket] = []
    async with _running(network) as scorer:
        network.hold()
        tickets += [scorer.submit([[n] * n], Turn()) for n in (1, 2, 300)]
        await _began(network)
        scorer.close()
    for number, ticket in zip((1, 2, 300), tickets, strict=True):
        assert _is_of(await ticket.scores(), [number] * number)


async def test_several_workers_run_batches_side_by_side(network: Network) -> None:
    async with _running(network, workers=2) as scorer:
        network.hold()
        tickets = [scorer.submit([[n] * length], Turn()) for n, length in ((1, 10), (2, 500))]
        await _began(network)
        await _began(network)
        assert len(network.batches) == 2
        network.release()
        for ticket in tickets:
            await ticket.scores()


async def test_what_each_batch_was_like_is_reported(network: Network) -> None:
    seen: list[Batch] = []
    async with _running(network, measured=seen.append) as scorer:
        network.hold()
        first = scorer.submit([[1]], Turn())
        await _began(network)
        second = scorer.submit([[2, 2, 2], [3, 3]], Turn())
        network.release()
        await first.scores()
        await second.scores()
    assert [(b.passages, b.tokens, b.padded) for b in seen] == [(1, 1, 1), (2, 5, 6)]
    assert all(batch.seconds >= 0 for batch in seen)


def test_a_kept_row_does_not_hold_its_batch(network: Network) -> None:
    seen: list[Scores] = []

    async def main() -> None:
        async with _running(network) as scorer:
            ticket = scorer.submit([[1], [2]], Turn())
            await ticket.scores()
            seen.extend(job.scores for job in ticket.jobs if job.scores is not None)

    anyio.run(main)
    assert len(seen) == 2
    assert all(row.narratives.base is None for row in seen)
    assert np.isfinite(seen[0].stances).all()
