"""Errors outside of a body are problems too; a failure tells the reader nothing of the inside."""

import http.client
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
import uvicorn
from fastapi.testclient import TestClient

from serving.classifier import Classifier
from serving.http.app import create_app
from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]

SECRET = "Zanzibarquux"
"""A word of a reader's text: no error and no log may have it."""
JSON = {"content-type": "application/json"}
REQUESTS = {
    "/v1/classify": {"text": f"{SECRET} is here.", "id": "1"},
    "/v1/classify/batch": {"items": [{"id": "1", "text": f"{SECRET} is here."}]},
}
WRONG_METHODS = [
    ("GET", "/v1/classify", "POST"),
    ("PUT", "/v1/classify", "POST"),
    ("DELETE", "/v1/classify/batch", "POST"),
    ("OPTIONS", "/v1/classify", "POST"),
    ("POST", "/v1/model", "GET"),
    ("POST", "/healthz", "GET"),
    ("PATCH", "/readyz", "GET"),
    ("TRACTOR", "/readyz", "GET"),
]


class _Unforeseen(Exception):
    """What nobody thought of; it quotes the text, as errors of libraries do."""


def _fail(_: Classifier, texts: Sequence[str]) -> None:
    raise _Unforeseen(f"cannot read {texts[0]!r}")


@pytest.mark.parametrize(("method", "route", "allowed"), WRONG_METHODS)
def test_a_wrong_method_is_a_problem(
    client: TestClient, refused: Refused, method: str, route: str, allowed: str
) -> None:
    assert method != allowed
    refused(client.request(method, route), 405)


@pytest.mark.parametrize(("method", "route", "allowed"), WRONG_METHODS)
def test_a_wrong_method_is_told_the_right_one(
    client: TestClient, method: str, route: str, allowed: str
) -> None:
    # RFC 9110, 15.5.6: the header must be there.
    assert client.request(method, route).headers.get("allow") == allowed


@pytest.mark.parametrize(
    "route", ["/", "/v1", "/v2/classify", "/v1/classify/x", f"/{SECRET}", f"/{'x' * 5_000}"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_is_a_problem_that_does_not_repeat_it(
    client: TestClient, refused: Refused, method: str, route: str
) -> None:
    problem = refused(client.request(method, route), 404)
    assert SECRET not in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("route", ["/healthz", "/v1/model", "/docs"])
def test_a_header_beyond_the_limit_is_refused_by_name(
    client: TestClient, refused: Refused, settings: Settings, route: str
) -> None:
    most = settings.max_header_bytes
    assert client.get(route, headers={"cookie": "x" * (most - 1000)}).status_code == 200
    problem = refused(client.get(route, headers={"cookie": SECRET * most}), 431, "header-bytes")
    assert str(most) in problem["detail"]
    assert SECRET not in problem["detail"]


@pytest.mark.parametrize("route", REQUESTS)
def test_an_unforeseen_failure_is_a_problem_without_its_cause(
    client: TestClient, refused: Refused, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    monkeypatch.setattr(Classifier, "prepare", _fail)
    response = client.post(route, json=REQUESTS[route])
    refused(response, 500)
    for word in (SECRET, "Unforeseen", "Traceback", "cannot read", ".py"):
        assert word not in response.text


def test_the_next_request_after_a_failure_is_answered(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Classifier, "prepare", _fail)
        assert client.post("/v1/classify", json=REQUESTS["/v1/classify"]).status_code == 500
    assert client.post("/v1/classify", json=REQUESTS["/v1/classify"]).status_code == 200


class _Server(uvicorn.Server):
    """A server that tells when it has started, so that nobody has to look again and again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        try:
            await super().startup(sockets)
        finally:
            self.up.set()


@pytest.fixture(scope="module")
def port(client: TestClient, settings: Settings) -> Iterator[int]:
    """The service behind a real server, as `narrascope serve` starts it, on any free port."""
    app = create_app(settings, client.app.state.service.slot.batcher.classifier)
    # Without a log_config the server's loggers reach the root, where caplog listens.
    config = uvicorn.Config(app, port=0, log_level="info", access_log=False, log_config=None)
    server = _Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    assert server.up.wait(60)
    assert server.started
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(60)
    assert not thread.is_alive()


def _send(port: int, route: str, body: bytes, kind: str = "application/json") -> int:
    status = _status(port, "POST", route, body, {"content-type": kind})
    # The server logs a failure after its answer is out: what it answers next, it does after that.
    assert _status(port, "GET", "/healthz") == 200
    return status


def _status(port: int, *request: Any) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(*request)
        return connection.getresponse().status
    finally:
        connection.close()


def _quiet(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> bool:
    everything = [caplog.text, *capfd.readouterr()]
    everything += [repr(record.__dict__) for record in caplog.records]
    return not any(SECRET in part for part in everything)


BODIES = {
    "good": (200, {"text": f"{SECRET} is here.", "scores": True}),
    "too long": (413, {"text": SECRET * 50}),
    "NUL": (422, {"text": f"{SECRET}\0"}),
    "half a pair": (422, {"text": f"{SECRET}\ud800"}),
    "id of half a pair": (422, {"text": SECRET, "id": f"{SECRET}\ud800"}),
    "wrong type": (422, {"text": [SECRET]}),
    "unknown field": (422, {"text": "a", SECRET: SECRET}),
    "NaN": (400, {"text": SECRET, "scores": float("nan")}),
}


@pytest.mark.parametrize("kind", BODIES)
def test_no_log_has_a_text(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str], kind: str
) -> None:
    status, body = BODIES[kind]
    with caplog.at_level(logging.DEBUG):
        assert _send(port, "/v1/classify", json.dumps(body).encode("ascii")) == status
    assert _quiet(caplog, capfd)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (SECRET.encode(), "application/json", 400),
        (f'{{"text": "{SECRET} é"}}'.encode("latin-1"), "application/json", 400),
        (f"text={SECRET}".encode(), "application/x-www-form-urlencoded", 415),
        # One byte over: the server has read all when it answers, and the client has sent all.
        (SECRET.encode().ljust(2_000_001), "application/json", 413),
    ],
    ids=["not JSON", "Latin-1", "a form", "too large"],
)
def test_no_log_has_a_body_that_could_not_be_read(
    port: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    body: bytes,
    kind: str,
    status: int,
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert _send(port, "/v1/classify", body, kind) == status
    assert _quiet(caplog, capfd)


def test_no_log_has_the_texts_of_a_batch(
    port: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    texts = [f"{SECRET} is here.", f"{SECRET}\0", SECRET * 50]
    items = [{"id": str(index), "text": text} for index, text in enumerate(texts)]
    with caplog.at_level(logging.DEBUG):
        body = json.dumps({"items": items}).encode("ascii")
        assert _send(port, "/v1/classify/batch", body) == 200
    assert _quiet(caplog, capfd)


@pytest.mark.parametrize("route", REQUESTS)
def test_an_unforeseen_failure_is_logged_by_kind_and_place_and_without_the_text(
    port: int,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    route: str,
) -> None:
    monkeypatch.setattr(Classifier, "prepare", _fail)
    with caplog.at_level(logging.DEBUG):
        assert _send(port, route, json.dumps(REQUESTS[route]).encode()) == 500
    assert "_Unforeseen" in caplog.text
    assert "in _fail" in caplog.text
    assert _quiet(caplog, capfd)
