"""The real server, in a process of its own: signals, connections, and what it prints."""

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import keys
from tests.serving.http.running import JSON, WAIT_S, Running

BODY = json.dumps({"text": "The red tractor is good."}).encode()
SECRET = "Zanzibarquux"


@pytest.fixture
def running(request: pytest.FixtureRequest, tiny_model: Path, tmp_path: Path) -> Iterator[Running]:
    # Patient, but where a test is of impatience: nothing here may depend on the machine's speed.
    seconds = "0.5" if "slow" in request.node.name else "60"
    settings = {"HEADER_SECONDS": seconds, "BODY_SECONDS": seconds, "DRAIN_SECONDS": "2"}
    started = Running(
        tiny_model, tmp_path, **{f"NARRASCOPE_{name}": value for name, value in settings.items()}
    )
    yield started
    started.process.kill()
    started.process.wait(WAIT_S)


def _head(length: int) -> bytes:
    return (
        f"POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


def _answer(connection: socket.socket) -> bytes:
    content = b""
    while part := connection.recv(65_536):
        content += part
    return content


def test_sigterm_answers_what_was_accepted_and_then_ends(running: Running) -> None:
    texts = [" ".join(str(number * 500 + word) for word in range(100)) for number in range(64)]
    items = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    accepted = running.connection()
    accepted.request("POST", "/v1/classify/batch", json.dumps({"items": items}), JSON)
    running.until(lambda: b"narrascope_accepted_tokens 0.0" not in running.get("/metrics"))
    running.process.send_signal(signal.SIGTERM)
    running.until(lambda: running.status("GET", "/readyz") == 503)
    assert running.status("POST", "/v1/classify", BODY) == 503
    answer = accepted.getresponse()
    assert answer.status == 200
    results = json.loads(answer.read())["results"]
    assert [result["id"] for result in results] == [item["id"] for item in items]
    assert not [result for result in results if "error" in result]
    answer.close()
    accepted.close()
    assert running.process.wait(WAIT_S) == -signal.SIGTERM


def test_a_stream_that_is_open_at_sigterm_gets_its_answers_and_the_reason(
    running: Running,
) -> None:
    connection = running.connection()
    connection.putrequest("POST", "/v1/classify/stream")
    connection.putheader("content-type", "application/x-ndjson")
    connection.putheader("transfer-encoding", "chunked")
    connection.endheaders()
    line = json.dumps({"id": "1", "text": "A boat."}).encode() + b"\n"
    connection.send(b"%x\r\n%s\r\n" % (len(line), line))
    response = connection.getresponse()
    assert json.loads(response.readline())["id"] == "1"
    running.process.send_signal(signal.SIGTERM)
    last = json.loads(response.read().splitlines()[-1])
    assert last["done"] == {"lines": 1, "classified": 1, "failed": 0}
    assert last["error"]["limit"] == "draining"
    response.close()
    connection.close()
    assert running.process.wait(WAIT_S) == -signal.SIGTERM


def test_slow_half_closed_and_broken_connections_are_closed_and_harm_nobody(
    running: Running,
) -> None:
    with running.open() as silent, running.open() as slow, running.open() as half:
        slow.sendall(b"POST /v1/classify HTTP/1.1\r\nhost:")
        half.sendall(_head(len(BODY)) + BODY[:5])
        half.shutdown(socket.SHUT_WR)
        with running.open() as rude:
            rude.sendall(_head(len(BODY)) + BODY)
        with running.open() as nonsense:
            nonsense.sendall(SECRET.encode() + b"\r\n\r\n")
            assert _answer(nonsense).startswith(b"HTTP/1.1 400")
        assert running.status("POST", "/v1/classify", BODY) == 200
        assert _answer(silent) == b""
        assert _answer(slow) == b""
        _answer(half)
    with running.open() as halted:
        halted.sendall(_head(len(BODY)) + BODY[:5])
        assert _answer(halted).startswith(b"HTTP/1.1 408")
    assert running.status("POST", "/v1/classify", BODY) == 200


def test_a_header_beyond_the_limit_is_refused(running: Running) -> None:
    assert running.status("GET", "/healthz", cookie="x" * 1_000_000) in (400, 431)
    assert running.status("GET", "/healthz") == 200


def test_sighup_loads_the_model_anew_and_logs_are_json_without_texts(running: Running) -> None:
    running.process.send_signal(signal.SIGHUP)
    running.until(lambda: running.log.read_text().count("model taken") == 2)
    text = json.dumps({"text": f"{SECRET} is here."}).encode()
    assert running.status("POST", "/v1/classify", text) == 200
    assert running.status("POST", f"/{SECRET}", text) == 404
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(WAIT_S)
    content = running.log.read_text()
    assert SECRET not in content
    entries = [json.loads(line) for line in content.splitlines()]
    assert [e["status"] for e in entries if e["message"] == "request"][-2:] == [200, 404]


def test_after_kill_minus_nine_it_starts_again_and_keeps_its_keys(
    running: Running, tiny_model: Path, tmp_path: Path
) -> None:
    key = keys.mint(tmp_path / "keys.json", "one", ["classify"])
    bearer = {"Authorization": f"Bearer {key}"}
    assert running.status("POST", "/v1/classify", BODY) == 401
    assert running.status("POST", "/v1/classify", BODY, **bearer) == 200
    running.process.kill()
    running.process.wait(WAIT_S)
    again = Running(tiny_model, tmp_path)
    try:
        assert again.status("POST", "/v1/classify", BODY) == 401
        assert again.status("POST", "/v1/classify", BODY, **bearer) == 200
    finally:
        again.process.kill()
        again.process.wait(WAIT_S)
