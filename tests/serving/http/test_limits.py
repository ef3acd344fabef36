"""Overload, deadlines, draining, and callers who go away: the others are answered all the same."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from serving.classifier import Classifier
from serving.engine import Engine, Scores
from serving.http.app import create_app
from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]

WAIT_S = 60
ASKED = {"text": "The red tractor is good."}


class Gate:
    """Holds the network until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.began = threading.Semaphore(0)
        self.passages = 0


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate, score = Gate(), Engine.score

    def held(engine: Engine, ids: Sequence[Sequence[int]]) -> Scores:
        gate.began.release()
        assert gate.opened.wait(WAIT_S)
        gate.passages += len(ids)
        return score(engine, ids)

    monkeypatch.setattr(Engine, "score", held)
    yield gate
    gate.opened.set()


@pytest.fixture
def small(settings: Settings, classifier: Classifier) -> Iterator[TestClient]:
    """A service whose queue has room for little more than one text."""
    update = {"max_queue_tokens": 20, "cache": 0}
    app = create_app(settings.model_copy(update=update), classifier)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def test_beyond_the_queue_requests_are_told_when_to_come_again(
    small: TestClient, gate: Gate, refused: Refused
) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(small.post, "/v1/classify", json=ASKED)
        assert gate.began.acquire(timeout=WAIT_S)
        response = small.post("/v1/classify", json={"text": "Blue boats. " * 10})
        problem = refused(response, 429, "queue-tokens")
        assert "20 tokens" in problem["detail"]
        assert int(response.headers["retry-after"]) >= 1
        # What only asks how things are is answered.
        assert small.get("/healthz").status_code == 200
        gate.opened.set()
        assert first.result(WAIT_S).status_code == 200
    assert small.post("/v1/classify", json={"text": "Blue boats. " * 10}).status_code == 200


def test_a_deadline_ends_the_wait_and_takes_the_work_with_it(
    small: TestClient, gate: Gate, refused: Refused
) -> None:
    batcher = small.app.state.service.slot.batcher
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(small.post, "/v1/classify", json={"text": "A boat."})
        assert gate.began.acquire(timeout=WAIT_S)
        late = small.post("/v1/classify", json={"text": "Tea."}, headers={"X-Timeout-Ms": "50"})
        assert "50 ms" in refused(late, 504, "timeout")["detail"]
        assert batcher.waiting_tokens == 0
        gate.opened.set()
        assert first.result(WAIT_S).status_code == 200
    assert gate.passages == 1


@pytest.mark.parametrize("given", ["600000", "100000"])
def test_a_deadline_that_is_not_met_changes_nothing(client: TestClient, given: str) -> None:
    response = client.post("/v1/classify", json=ASKED, headers={"X-Timeout-Ms": given})
    assert response.status_code == 200


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "soon", "", "600001", "9" * 5000, "1e3"])
def test_a_deadline_that_is_no_number_of_milliseconds_is_refused(
    client: TestClient, refused: Refused, given: str
) -> None:
    response = client.post("/v1/classify", json=ASKED, headers={"X-Timeout-Ms": given})
    assert "X-Timeout-Ms" in refused(response, 400, "timeout-ms")["detail"]


def test_while_draining_what_was_accepted_is_answered_and_nothing_else(
    small: TestClient, gate: Gate, refused: Refused
) -> None:
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(small.post, "/v1/classify", json=ASKED)
        assert gate.began.acquire(timeout=WAIT_S)
        small.app.state.service.admission.draining = True
        assert "stopping" in refused(small.get("/readyz"), 503)["detail"]
        late = small.post("/v1/classify", json={"text": "A boat."})
        refused(late, 503, "draining")
        assert late.headers["connection"] == "close"
        gate.opened.set()
        assert first.result(WAIT_S).status_code == 200


def test_a_caller_who_goes_away_takes_its_waiting_passages_along(
    small: TestClient, gate: Gate
) -> None:
    batcher = small.app.state.service.slot.batcher
    body = b'{"text": "Tea."}'
    waiting = threading.Event()
    seen: list[int] = []

    async def receive() -> dict[str, Any]:
        if not waiting.is_set():
            waiting.set()
            return {"type": "http.request", "body": body, "more_body": False}
        with anyio.fail_after(WAIT_S):
            while not batcher.waiting_tokens:
                await anyio.sleep(0.001)
        seen.append(batcher.waiting_tokens)
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            seen.append(message["status"])

    headers = [(b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/classify",
        "raw_path": b"/v1/classify",
        "query_string": b"",
        "headers": headers,
        "client": ("testclient", 1),
        "server": ("testserver", 80),
    }
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(small.post, "/v1/classify", json={"text": "A boat."})
        assert gate.began.acquire(timeout=WAIT_S)
        assert small.portal is not None
        small.portal.call(small.app, scope, receive, send)
        assert seen[0] > 0
        assert seen[1:] == [499]
        assert batcher.waiting_tokens == 0
        gate.opened.set()
        assert first.result(WAIT_S).status_code == 200
    assert gate.passages == 1


def test_many_callers_at_once_get_their_own_answers(client: TestClient) -> None:
    texts = {f"id-{n}": f"The red tractor number {n} is good. " * (1 + n % 5) for n in range(80)}
    alone = {
        name: client.post("/v1/classify", json={"id": name, "text": text, "scores": True}).json()
        for name, text in texts.items()
    }

    def ask(name: str) -> dict[str, Any]:
        asked = {"id": name, "text": texts[name], "scores": True, "cache": False}
        return client.post("/v1/classify", json=asked).json()

    with ThreadPoolExecutor(16) as pool:
        together = dict(zip(texts, pool.map(ask, texts), strict=True))
    for name, answer in together.items():
        assert answer["id"] == name
        assert answer["scores"] == pytest.approx(alone[name]["scores"], abs=1e-3)
        spans = {(found["begin"], found["end"]) for found in answer["narratives"]}
        assert spans == {(f["begin"], f["end"]) for f in alone[name]["narratives"]}
