"""The choice of a batch: nobody is passed over, lengths are alike, the budget is kept."""

import random

import pytest

from serving.batching.queue import PADDING_SHARE, PADDING_TOKENS, Job, Queue, Turn
from serving.engine import BATCH_TOKENS


def _add(queue: Queue, length: int, turn: Turn | None = None) -> Job:
    job = Job([7] * length, b"", turn or Turn())
    queue.add(job)
    return job


def _lengths(batch: list[Job]) -> list[int]:
    return [len(job.ids) for job in batch]


def test_an_empty_queue_has_no_batch() -> None:
    assert Queue().take() == []


def test_a_single_passage_is_taken_at_once_whatever_its_length() -> None:
    queue = Queue()
    job = _add(queue, 3 * BATCH_TOKENS)
    assert queue.take() == [job]
    assert (queue.take(), len(queue), queue.tokens) == ([], 0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_every_passage_is_taken_once_within_budget_and_padding(seed: int) -> None:
    draw = random.Random(seed)
    queue = Queue()
    turns = [Turn() for _ in range(5)]
    jobs = {
        _add(queue, draw.choice([3, 20, 60, 180, 900]) + draw.randrange(9), t) for t in turns * 40
    }
    assert queue.tokens == sum(_lengths(list(jobs)))
    taken: list[Job] = []
    while batch := queue.take():
        lengths = _lengths(batch)
        size = len(lengths) * max(lengths)
        assert len(batch) == 1 or size <= BATCH_TOKENS
        assert size - sum(lengths) <= max(PADDING_TOKENS, size * PADDING_SHARE)
        taken += batch
    assert len(taken) == len(jobs)
    assert set(taken) == jobs
    assert (queue.tokens, len(queue)) == (0, 0)


def test_alike_lengths_fill_a_batch_and_others_wait() -> None:
    queue = Queue()
    first = _add(queue, 50)
    others = [_add(queue, length) for length in (400, 51, 5, 49, 50, 600)]
    assert sorted(_lengths(queue.take())) == [49, 50, 50, 51]
    assert first.waiting is False
    assert [job.waiting for job in others] == [True, False, True, False, False, True]


def test_a_single_question_is_not_held_up_by_a_large_batch_before_it() -> None:
    queue = Queue()
    many, one = Turn(), Turn()
    for _ in range(500):
        _add(queue, 100, many)
    queue.take()
    late = _add(queue, 10, one)
    batches = [queue.take(), queue.take()]
    assert any(late in batch for batch in batches)


def test_many_small_callers_do_not_starve_a_large_one() -> None:
    queue = Queue()
    large = Turn()
    _add(queue, 100, large)
    last = _add(queue, 500, large)
    for _ in range(100):
        _add(queue, 20)  # each of a caller of its own, again and again
        queue.take()
        if not last.waiting:
            return
    pytest.fail("the large caller was never served")


def test_callers_of_the_same_length_are_served_in_turns() -> None:
    queue = Queue()
    turns = [Turn(), Turn()]
    jobs = [_add(queue, BATCH_TOKENS, turn) for turn in turns for _ in range(3)]
    order = [jobs.index(queue.take()[0]) // 3 for _ in jobs]
    assert sorted(order[:2]) == sorted(order[2:4]) == sorted(order[4:]) == [0, 1]


def test_a_dropped_passage_is_never_taken_and_leaves_no_tokens() -> None:
    queue = Queue()
    jobs = [_add(queue, 40) for _ in range(5)]
    queue.drop(jobs[0])
    queue.drop(jobs[3])
    queue.drop(jobs[3])
    assert queue.tokens == 120
    assert queue.take() == [jobs[1], jobs[2], jobs[4]]
    queue.drop(jobs[1])
    assert queue.tokens == 0


def test_a_passage_that_an_earlier_caller_asks_for_too_moves_ahead() -> None:
    queue = Queue()
    behind = Turn(at=10_000)
    shared = _add(queue, 600, behind)
    between = _add(queue, 900, Turn(at=5_000))
    queue.ask(shared, Turn())
    assert queue.take() == [shared]
    assert queue.take() == [between]
    assert queue.take() == []
