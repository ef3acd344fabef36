"""A stream of lines: an answer for each in order, errors of their own, the counts at the end."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import anyio
import pytest
from fastapi.testclient import TestClient

from serving.classifier import Classifier
from serving.engine import Engine, Scores
from serving.http.stream import WINDOW

Refused = Callable[..., dict[str, Any]]

ROUTE = "/v1/classify/stream"
NDJSON = {"content-type": "application/x-ndjson"}
GOOD = "The red tractor is good."
SECRET = "Zanzibarquux"


def _lines(*objects: Any) -> bytes:
    return b"".join(json.dumps(each).encode("ascii") + b"\n" for each in objects)


def _stream(client: TestClient, content: Any, **options: Any) -> list[dict[str, Any]]:
    headers = NDJSON | options.pop("headers", {})
    response = client.post(ROUTE, content=content, headers=headers, **options)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


def test_every_line_is_answered_in_order_and_counted(client: TestClient) -> None:
    texts = [f"{GOOD} " * (1 + number % 4) + str(number) for number in range(3 * WINDOW)]
    asked = [{"id": str(number), "text": text} for number, text in enumerate(texts)]
    *answers, last = _stream(client, _lines(*asked))
    assert [answer["id"] for answer in answers] == [item["id"] for item in asked]
    assert last == {"done": {"lines": len(asked), "classified": len(asked), "failed": 0}}
    for answer, text in zip(answers[:3], texts, strict=False):
        ends = max(found["end"] for found in answer["narratives"])
        assert ends == len(text.rstrip())


def test_a_line_is_answered_as_a_request_is(client: TestClient) -> None:
    asked = {"id": "a", "text": GOOD}
    answer, _ = _stream(client, _lines(asked), params={"scores": "true"})
    assert answer == client.post("/v1/classify", json={**asked, "scores": True}).json()


def test_a_bad_line_is_an_error_of_its_own(
    client: TestClient, check_problem: Callable[..., None]
) -> None:
    bad: list[tuple[bytes, int, str | None]] = [
        (SECRET.encode(), 400, "body-json"),
        (b"\xff", 400, "body-encoding"),
        (b"[1]", 422, None),
        (_lines({"id": "x"}).strip(), 422, None),
        (_lines({"id": 7, "text": SECRET}).strip(), 422, None),
        (_lines({"text": "", "id": "e"}).strip(), 422, "text-empty"),
        (_lines({"text": SECRET * 50}).strip(), 413, "text-length"),
        (_lines({"text": "a\ud800"}).strip(), 422, "text-surrogate"),
        (b'{"text": NaN}', 400, "body-json"),
        (b'{"text": "a", "text": "b"}', 400, "body-json"),
        (b"[" * 100_000, 400, "body-json"),
    ]
    content = b"".join(line + b"\n" + _lines({"text": GOOD}) for line, _, _ in bad)
    *answers, last = _stream(client, content)
    assert last == {"done": {"lines": 22, "classified": 11, "failed": 11}}
    for number, (answer, (_, status, limit)) in enumerate(zip(answers[::2], bad, strict=True)):
        assert answer["line"] == 2 * number + 1
        check_problem(answer["error"], status, limit)
        assert SECRET not in str(answer)
    assert all("narratives" in answer for answer in answers[1::2])


@pytest.mark.parametrize("content", [b"", b"\n", b"\r\n \n\n"])
def test_a_stream_of_nothing_is_counted_as_nothing(client: TestClient, content: bytes) -> None:
    assert _stream(client, content) == [{"done": {"lines": 0, "classified": 0, "failed": 0}}]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_last_line_may_end_or_not(client: TestClient, end: bytes) -> None:
    assert len(_stream(client, _lines({"text": GOOD}).strip() + end)) == 2


@pytest.mark.parametrize("size", [1, 7, 100])
def test_lines_may_come_in_any_pieces(client: TestClient, size: int) -> None:
    content = _lines(*({"id": str(n), "text": "Лодка."} for n in range(5)))

    def pieces() -> Iterator[bytes]:
        for at in range(0, len(content), size):
            yield content[at : at + size]

    *answers, _ = _stream(client, pieces())
    assert [answer["id"] for answer in answers] == list("01234")


def test_a_line_beyond_the_limit_is_skipped_and_the_next_answered(client: TestClient) -> None:
    long = b'{"text": "' + b"x" * 2_500_000 + b'"}\n'
    first, second, last = _stream(client, long + _lines({"text": GOOD}))
    assert first["error"]["limit"] == "body-bytes"
    assert "narratives" in second
    assert last == {"done": {"lines": 2, "classified": 1, "failed": 1}}


def test_a_compressed_stream_is_read(client: TestClient) -> None:
    content = gzip.compress(_lines(*({"text": GOOD} for _ in range(5))))
    assert len(_stream(client, content, headers={"content-encoding": "gzip"})) == 6


def test_what_breaks_in_the_middle_ends_the_stream_with_the_reason(client: TestClient) -> None:
    content = gzip.compress(_lines(*({"text": f"{GOOD} {n}"} for n in range(5))))[:-9]
    *answers, last = _stream(client, content, headers={"content-encoding": "gzip"})
    assert last["error"]["limit"] == "body-encoding"
    assert last["done"]["classified"] == len(answers)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_another_content_type_is_refused(client: TestClient, refused: Refused, kind: str) -> None:
    refused(client.post(ROUTE, content=b"{}", headers={"content-type": kind}), 415)


def test_an_unknown_encoding_is_refused(client: TestClient, refused: Refused) -> None:
    headers = NDJSON | {"content-encoding": "br"}
    refused(client.post(ROUTE, content=b"{}", headers=headers), 415, "content-encoding")


def test_an_unforeseen_failure_fails_its_line_alone(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = Classifier.prepare

    def fail(classifier: Classifier, texts: Sequence[str]) -> Any:
        if SECRET in texts[0]:
            raise KeyError(texts[0])
        return prepare(classifier, texts)

    monkeypatch.setattr(Classifier, "prepare", fail)
    first, second, last = _stream(client, _lines({"text": SECRET}, {"text": GOOD}))
    assert first["error"]["status"] == 500
    assert SECRET not in str(first)
    assert "narratives" in second
    assert last["done"] == {"lines": 2, "classified": 1, "failed": 1}


def test_no_more_is_read_than_a_window_while_answers_wait(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The network is held: a caller who sends on and on must be made to wait.
    score, opened = Engine.score, threading.Event()

    def held(engine: Engine, ids: Sequence[Sequence[int]]) -> Scores:
        assert opened.wait(60)
        return score(engine, ids)

    monkeypatch.setattr(Engine, "score", held)
    total = 10 * WINDOW
    given = 0
    most = 0
    sent: list[bytes] = []

    async def receive() -> dict[str, Any]:
        nonlocal given, most
        if given == total:
            return {"type": "http.request", "body": b"", "more_body": False}
        given += 1
        if not opened.is_set():
            most = given
        body = _lines(
            {
                "id": str(given),
                "text": f"Boat {given}.",
            }
        )
        return {"type": "http.request", "body": body, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message.get("body", b""))

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.app, _scope(), receive, send)
            for _ in range(3_000):
                await anyio.sleep(0)
            opened.set()

    assert client.portal is not None
    client.portal.call(run)
    assert 1 < most <= WINDOW + 3
    answers = [json.loads(line) for line in b"".join(sent).splitlines()]
    assert [answer.get("id") for answer in answers[:-1]] == [str(n + 1) for n in range(total)]
    assert answers[-1] == {"done": {"lines": total, "classified": total, "failed": 0}}


def test_a_caller_who_goes_away_ends_the_stream(client: TestClient) -> None:
    given = 0

    async def receive() -> dict[str, Any]:
        nonlocal given
        given += 1
        if given > 5:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": _lines({"text": f"{given}"}), "more_body": True}

    async def send(_: dict[str, Any]) -> None:
        pass

    assert client.portal is not None
    client.portal.call(client.app, _scope(), receive, send)
    assert client.app.state.service.admission.tokens == 0
    assert client.app.state.service.slot.batcher.waiting_tokens == 0


def _scope() -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": ROUTE,
        "raw_path": ROUTE.encode(),
        "query_string": b"",
        "headers": [(b"content-type", b"application/x-ndjson")],
        "client": ("testclient", 1),
        "server": ("testserver", 80),
    }
