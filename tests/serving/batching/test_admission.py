"""Admission: bounded by tokens, told when there is room again, closed while draining."""

import pytest

from serving.batching.admission import (
    LONGEST_WAIT_S,
    Admission,
    DrainingError,
    OverloadError,
    estimate,
)
from serving.batching.scorer import Batch


def _batch(tokens: int, seconds: float) -> Batch:
    return Batch(1, tokens, tokens, seconds)


def test_what_fits_is_taken_and_gives_its_room_back() -> None:
    admission = Admission(100)
    with admission.admit(60), admission.admit(40):
        assert admission.tokens == 100
        with pytest.raises(OverloadError), admission.admit(1):
            pass
    assert admission.tokens == 0


def test_room_is_given_back_after_a_failure_too() -> None:
    admission = Admission(100)
    with pytest.raises(KeyError), admission.admit(60):
        raise KeyError
    assert admission.tokens == 0


def test_one_request_that_is_larger_than_the_queue_is_taken_alone() -> None:
    admission = Admission(100)
    with admission.admit(1_000), pytest.raises(OverloadError), admission.admit(1):
        pass
    with admission.admit(1), pytest.raises(OverloadError), admission.admit(1_000):
        pass


def test_the_wait_is_told_from_the_measured_rate() -> None:
    admission = Admission(1_000)
    for _ in range(50):
        admission.measured(_batch(100, 1.0))
    with admission.admit(1_000), pytest.raises(OverloadError) as caught, admission.admit(500):
        pass
    # 500 tokens have to go, 100 go in a second.
    assert caught.value.retry_after == 5
    assert "5 s" in str(caught.value)


def test_the_rate_follows_the_latest_batches() -> None:
    admission = Admission(1_000)
    admission.measured(_batch(1, 1.0))
    for _ in range(60):
        admission.measured(_batch(1_000, 1.0))
    with admission.admit(1_000), pytest.raises(OverloadError) as caught, admission.admit(1_000):
        pass
    assert caught.value.retry_after in (1, 2)


@pytest.mark.parametrize("seconds", [0.0, 1e-9, 1e9])
def test_the_wait_is_always_within_its_bounds(seconds: float) -> None:
    admission = Admission(1_000)
    admission.measured(_batch(1, seconds))
    with admission.admit(1_000), pytest.raises(OverloadError) as caught, admission.admit(10_000):
        pass
    assert 1 <= caught.value.retry_after <= LONGEST_WAIT_S


def test_while_draining_nothing_new_is_taken_and_the_old_goes_on() -> None:
    admission = Admission(100)
    with admission.admit(10):
        admission.draining = True
        with pytest.raises(DrainingError), admission.admit(1):
            pass
        assert admission.tokens == 10
    assert admission.tokens == 0


@pytest.mark.parametrize("text", ["a", "word " * 100, "слово " * 100])
def test_every_text_is_estimated_at_a_token_at_least(text: str) -> None:
    assert 1 <= estimate(text) <= len(text)
