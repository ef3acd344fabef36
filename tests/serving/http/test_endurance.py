"""What happens to a service and not to a request: crowds, kill -9, full disks, clocks that jump."""

import asyncio
import http.client
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving import keys
from serving.classifier import Classifier, Item
from tests.serving.http.asking import ask, body, is_for, wrong_pairings
from tests.serving.http.hostile import CLASSIFY, request, text
from tests.serving.http.running import WAIT_S, Running

CALLERS = 200
WORDS = ["red", "blue", "green", "tractor", "boat", "train", "good", "bad", "the", "is", "are"]
YEARS = (
    "import random as r, time as t; now = t.time; "
    "t.time = lambda: now() + r.choice([-5e8, 0, 3e9]); "
    "t.time_ns = lambda: int(t.time() * 1e9)"
)
"""Sets the clock of a process years back and forth, at every look."""


@pytest.fixture(scope="module")
def asked() -> list[dict[str, str]]:
    """Texts of distinct words and lengths."""
    generator = random.Random(0)
    return [
        {"id": f"id-{n}", "text": " ".join(generator.choices(WORDS, k=3 + n // 4)) + "!" * (n % 4)}
        for n in range(CALLERS)
    ]


@pytest.fixture(scope="module")
def expected(classifier: Classifier, asked: list[dict[str, str]]) -> list[dict[str, Any]]:
    """What the model says of each text when nobody else asks."""
    return [
        classifier.predict([Item(each["text"], each["id"])], scores=True)[0].as_json()
        for each in asked
    ]


@pytest.fixture(scope="module")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(tiny_model, tmp_path_factory.mktemp("served"))
    yield started
    started.kill()


def test_two_hundred_callers_at_once_are_each_answered_for_themselves(
    served: Running, asked: list[dict[str, str]], expected: list[dict[str, Any]]
) -> None:
    async def crowd() -> list[dict[str, Any]]:
        requests = [request(CLASSIFY, body(each), "connection: close") for each in asked]
        found = await asyncio.gather(*(ask(served.port, content) for content in requests))
        assert {answer.status for [answer] in found} == {200}
        return [json.loads(answer.body) for [answer] in found]

    assert wrong_pairings(asyncio.run(crowd()), expected) == []


def test_a_wrong_pairing_would_be_seen(expected: list[dict[str, Any]]) -> None:
    # Ids aside: an answer with the caller's id and another text's scores is the error to find.
    moved = [
        {**answer, "id": each["id"]}
        for answer, each in zip([*expected[1:], expected[0]], expected, strict=True)
    ]
    assert len(wrong_pairings(moved, expected)) == CALLERS


def test_kill_minus_nine_and_a_restart_under_load_give_nobody_a_wrong_answer(
    tiny_model: Path, tmp_path: Path, asked: list[dict[str, str]], expected: list[dict[str, Any]]
) -> None:
    first = Running(tiny_model, tmp_path)
    stop, right, wrong, lost = threading.Event(), [0], [], [0]

    def caller(number: int) -> None:
        turn = number
        while not stop.is_set():
            turn = (turn + 8) % CALLERS
            connection = first.connection()
            try:
                connection.request(
                    "POST", CLASSIFY, body(asked[turn]), {"content-type": "application/json"}
                )
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException):
                lost[0] += 1
                stop.wait(0.01)
                continue
            finally:
                connection.close()
            if response.status == 200 and is_for(answer, expected[turn]):
                right[0] += 1
            else:
                wrong.append((turn, response.status))

    callers = [threading.Thread(target=caller, args=(n,), daemon=True) for n in range(8)]
    for each in callers:
        each.start()
    first.until(lambda: right[0] > 20)
    first.kill()
    again = Running(tiny_model, tmp_path, port=first.port)
    try:
        before = right[0]
        again.until(lambda: right[0] > before + 20)
        stop.set()
        for each in callers:
            each.join(WAIT_S)
    finally:
        again.kill()
    assert wrong == []
    assert lost[0] > 0


@pytest.mark.parametrize("broken", ["full", "closed"])
def test_logs_that_cannot_be_written_cost_no_answer(
    tiny_model: Path, tmp_path: Path, broken: str
) -> None:
    before = "" if broken == "full" else "import os; os.close(1); os.close(2)"
    log = Path("/dev/full") if broken == "full" else None
    running = Running(tiny_model, tmp_path, before=before, log=log)
    try:
        for n in range(50):
            assert running.status("POST", CLASSIFY, text(f"The red tractor {n} is good.")) == 200
            assert running.status("POST", CLASSIFY, text("\0")) == 422
        # What is logged must not go where a caller reads.
        assert json.loads(running.get("/healthz")) == {"status": "ok"}
    finally:
        running.kill()


def test_a_clock_that_jumps_by_years_ends_no_deadline_and_gives_no_rate_away(
    tiny_model: Path, tmp_path: Path
) -> None:
    key = keys.mint(tmp_path / "keys.json", "one", ["classify"], per_minute=20)
    running = Running(tiny_model, tmp_path, before=YEARS)
    headers = {"Authorization": f"Bearer {key}", "X-Timeout-Ms": "600000"}
    try:
        content = text("The red tractor is good.")
        kept = running.connection()
        statuses = []
        for _ in range(40):
            kept.request("POST", CLASSIFY, content, {"content-type": "application/json", **headers})
            response = kept.getresponse()
            response.read()
            statuses.append(response.status)
        kept.close()
        assert statuses[:20] == [200] * 20
        # A minute of the true clock gives 20 more; a year of the other would give all.
        assert 429 in statuses[20:]
        times = [json.loads(line)["time"][:4] for line in running.told().splitlines()]
        assert len(set(times)) > 1, "the clock has not jumped"
    finally:
        running.kill()
