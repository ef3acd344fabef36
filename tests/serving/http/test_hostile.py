"""Hostile requests on real sockets: each has its answer, and the connection's next one is right."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving.http import hostile
from tests.serving.http.hostile import Answer, Case
from tests.serving.http.running import WAIT_S, Running

SECRET = b"Zanzibarquux"


@pytest.fixture(scope="module")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tiny_model, tmp_path_factory.mktemp("served"))
    yield started
    started.kill()


@pytest.mark.parametrize("case", hostile.cases(), ids=lambda case: case.name)
def test_a_hostile_request_is_answered_by_its_rule_and_the_next_one_rightly(
    served: Running, case: Case
) -> None:
    first, *rest = hostile.send(served.port, case, WAIT_S)
    assert first.status == case.status, first.body[:500]
    assert SECRET not in first.body
    if case.goes_on:
        assert [json.loads(answer.body) for answer in rest] == [{"status": "ok"}]
        _is_what_it_says(first)
    else:
        assert all(answer.status == 400 for answer in rest)


def _is_what_it_says(answer: Answer) -> None:
    lines = answer.body.splitlines() if "ndjson" in answer.kind else [answer.body]
    found = [json.loads(line) for line in lines]
    if answer.kind == "application/problem+json":
        assert found[0]["status"] == answer.status
    assert all(found)


def test_cases_have_distinct_names_and_bytes() -> None:
    found = hostile.cases()
    assert len({case.name for case in found}) == len({case.sent for case in found}) == len(found)


def test_after_all_of_it_the_service_is_what_it_was(served: Running) -> None:
    for case in hostile.cases()[-3:]:
        hostile.send(served.port, case, WAIT_S)
    assert served.process.poll() is None
    assert b"narrascope_accepted_tokens 0.0" in served.get("/metrics")
    assert b"narrascope_queue_tokens 0.0" in served.get("/metrics")
    entries = [json.loads(line) for line in served.told().splitlines()]
    assert not [entry for entry in entries if entry["level"] == "error"]
    assert not [entry for entry in entries if entry.get("status", 0) >= 500]
