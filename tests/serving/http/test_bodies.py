"""Bodies that cannot be taken: each is a 4xx that says why, and never what was sent."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]

ROUTES = ["/v1/classify", "/v1/classify/batch"]
JSON = {"content-type": "application/json"}
SECRET = "Zanzibarquux"
"""A word of a reader's text: no answer may have it."""

MALFORMED = {
    "empty": b"",
    "white space": b" \r\n\t",
    "not JSON": SECRET.encode(),
    "single quotes": f"{{'text': '{SECRET}'}}".encode(),
    "open string": f'{{"text": "{SECRET}'.encode(),
    "open object": f'{{"text": "{SECRET}"'.encode(),
    "trailing comma": f'{{"text": "{SECRET}",}}'.encode(),
    "two documents": f'{{"text": "{SECRET}"}} {{"text": "{SECRET}"}}'.encode(),
    "form": f"text={SECRET}".encode(),
    "bad escape": f'{{"text": "{SECRET} \\x41"}}'.encode(),
    "raw NUL": f'{{"text": "{SECRET}\0"}}'.encode(),
    "raw line feed": f'{{"text": "{SECRET}\n"}}'.encode(),
    "UTF-16 without a mark": f'{{"text": "{SECRET}"}}'.encode("utf-16-le"),
    "UTF-8 with a mark": f'{{"text": "{SECRET}"}}'.encode("utf-8-sig"),
    "NaN": f'{{"text": "{SECRET}", "scores": NaN}}'.encode(),
    "Infinity": f'{{"text": "{SECRET}", "scores": Infinity}}'.encode(),
    "minus Infinity": f'{{"text": "{SECRET}", "scores": -Infinity}}'.encode(),
    "a key twice": f'{{"text": "{SECRET}", "text": "{SECRET}"}}'.encode(),
    "a key twice, once escaped": f'{{"text": "{SECRET}", "\\u0074ext": "a"}}'.encode(),
    "a key twice inside": f'{{"text": {{"{SECRET}": 1, "{SECRET}": 2}}}}'.encode(),
    "nested lists": b"[" * 100_000,
    "nested lists that end": b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "nested objects": b'{"text":' * 100_000,
    "a long number": b'{"text": ' + b"7" * 10_000 + b"}",
    "a long negative number": b'{"text": -' + b"7" * 10_000 + b"}",
}
NOT_UTF8 = {
    "UTF-16": f'{{"text": "{SECRET}"}}'.encode("utf-16"),
    "UTF-32": f'{{"text": "{SECRET}"}}'.encode("utf-32"),
    "Latin-1": f'{{"text": "{SECRET} é"}}'.encode("latin-1"),
    "Windows-1251": f'{{"text": "{SECRET} поезд"}}'.encode("cp1251"),
    "a surrogate's bytes": f'{{"text": "{SECRET} '.encode() + b'\xed\xa0\x80"}',
    "an overlong NUL": f'{{"text": "{SECRET} '.encode() + b'\xc0\x80"}',
    "gzip": b"\x1f\x8b\x08\x00",
}
MISSHAPEN: dict[str, tuple[str, str]] = {
    "a list": (f'["{SECRET}"]', "the body"),
    "a string": (f'"{SECRET}"', "the body"),
    "null": ("null", "the body"),
    "a number": ("1e999", "the body"),
    "nothing": ("{}", "text"),
    "text is null": ('{"text": null}', "text"),
    "text is a whole number": ('{"text": 12345678}', "text"),
    "text is of 4000 digits": (f'{{"text": {"7" * 4000}}}', "text"),
    "text is beyond floats": ('{"text": 1e999}', "text"),
    "text is true": ('{"text": true}', "text"),
    "text is a list": (f'{{"text": ["{SECRET}"]}}', "text"),
    "text is an object": (f'{{"text": {{"text": "{SECRET}"}}}}', "text"),
    "text lies deep": (f'{{"text": {"[" * 400}"{SECRET}"{"]" * 400}}}', "text"),
    "id is a number": (f'{{"text": "{SECRET}", "id": 1}}', "id"),
    "id is a list": (f'{{"text": "a", "id": ["{SECRET}"]}}', "id"),
    "id is long": (f'{{"text": "{SECRET}", "id": "{SECRET}{"x" * 250}"}}', "id"),
    "id of a megabyte": (f'{{"text": "a", "id": "{SECRET * 83_334}"}}', "id"),
    "id with half a pair": (f'{{"text": "a", "id": "{SECRET} \\ud800"}}', "id"),
    "scores is a word": (f'{{"text": "a", "scores": "{SECRET}"}}', "scores"),
    "scores is a number": (f'{{"text": "{SECRET}", "scores": 1}}', "scores"),
    "scores is null": (f'{{"text": "{SECRET}", "scores": null}}', "scores"),
}
BAD_TEXTS: dict[str, tuple[str, int, str]] = {
    "empty": ("", 422, "text-empty"),
    "white space": (" \\n\\u2003", 422, "text-empty"),
    "NUL": (f"{SECRET} \\u0000", 422, "text-nul"),
    "NUL alone": ("\\u0000", 422, "text-nul"),
    "high half": (f"{SECRET} \\ud800", 422, "text-surrogate"),
    "low half": (f"{SECRET} \\udfff", 422, "text-surrogate"),
    "pair the wrong way": (f"{SECRET} \\ude9c\\ud83d", 422, "text-surrogate"),
    "too long": (f"{SECRET} {'x' * 488}", 413, "text-length"),
    "too long, a megabyte": (SECRET * 83_334, 413, "text-length"),
}


def _post(client: TestClient, content: Any, route: str = ROUTES[0]) -> Any:
    return client.post(route, content=content, headers=JSON)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", MALFORMED)
def test_what_is_not_strict_json_is_refused(
    client: TestClient, refused: Refused, kind: str, route: str
) -> None:
    problem = refused(_post(client, MALFORMED[kind], route), 400, "body-json")
    assert SECRET not in problem["detail"]
    assert "7777" not in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kind", NOT_UTF8)
def test_what_is_not_utf8_is_refused(
    client: TestClient, refused: Refused, kind: str, route: str
) -> None:
    problem = refused(_post(client, NOT_UTF8[kind], route), 400, "body-encoding")
    assert "UTF-8" in problem["detail"]
    assert SECRET not in problem["detail"]


@pytest.mark.parametrize("kind", MISSHAPEN)
def test_a_wrong_field_is_named_and_not_repeated(
    client: TestClient, refused: Refused, kind: str
) -> None:
    content, field = MISSHAPEN[kind]
    problem = refused(_post(client, content.encode()), 422)
    assert problem["detail"].startswith(f"{field}: ")
    assert SECRET not in problem["detail"]
    assert "777" not in problem["detail"]
    assert "12345678" not in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize(
    "name",
    ["label", "Text", "", SECRET, SECRET * 80_000, "\\ud800", "\\u0000"],
    ids=lambda name: name[:20],
)
@pytest.mark.parametrize("route", ROUTES)
def test_an_unknown_field_is_refused_and_not_repeated(
    client: TestClient, refused: Refused, name: str, route: str
) -> None:
    known = '"text": "a"' if route == ROUTES[0] else '"items": [{"id": "1", "text": "a"}]'
    problem = refused(_post(client, f'{{{known}, "{name}": 1}}'.encode(), route), 422)
    assert SECRET not in problem["detail"]
    assert len(problem["detail"]) < 300


@pytest.mark.parametrize("kind", BAD_TEXTS)
def test_a_text_that_cannot_be_classified_is_refused_by_its_rule(
    client: TestClient, refused: Refused, kind: str
) -> None:
    text, status, limit = BAD_TEXTS[kind]
    problem = refused(_post(client, f'{{"text": "{text}"}}'.encode()), status, limit)
    assert SECRET not in problem["detail"]


def test_a_text_over_the_limit_is_told_both_lengths(client: TestClient, refused: Refused) -> None:
    problem = refused(_post(client, b'{"text": "' + b"x" * 501 + b'"}'), 413, "text-length")
    assert "501 code points" in problem["detail"]
    assert "at most 500 " in problem["detail"]


def test_a_whole_pair_of_escapes_is_a_character(client: TestClient) -> None:
    assert _post(client, b'{"text": "\\ud83d\\ude9c"}').status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/jsonl",
        "application",
        "",
        ";",
        "x" * 5_000,
    ],
    ids=lambda kind: kind[:40],
)
@pytest.mark.parametrize("route", ROUTES)
def test_another_content_type_is_refused(
    client: TestClient, refused: Refused, kind: str, route: str
) -> None:
    body = f'{{"text": "{SECRET}"}}'
    response = client.post(route, content=body, headers={"content-type": kind})
    problem = refused(response, 415)
    assert "application/json" in problem["detail"]
    assert SECRET not in problem["detail"]
    assert len(problem["detail"]) < 300


def test_a_content_type_that_is_missing_is_refused(client: TestClient, refused: Refused) -> None:
    response = client.post("/v1/classify", content=b'{"text": "a boat"}')
    assert "content-type" not in response.request.headers
    assert "application/json" in refused(response, 415)["detail"]


@pytest.mark.parametrize(
    "kind", ["application/json; charset=utf-8", "APPLICATION/JSON", " application/json ;x=y"]
)
def test_json_by_another_spelling_is_taken(client: TestClient, kind: str) -> None:
    headers = {"content-type": kind}
    response = client.post("/v1/classify", content=b'{"text": "a boat"}', headers=headers)
    assert response.status_code == 200


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_not(
    client: TestClient, settings: Settings, refused: Refused
) -> None:
    body = b'{"text": "a boat"}'.ljust(settings.max_body_bytes)
    assert _post(client, body).status_code == 200
    problem = refused(_post(client, body + b" "), 413, "body-bytes")
    assert str(settings.max_body_bytes) in problem["detail"]


def test_a_body_in_chunks_is_counted_as_it_comes(
    client: TestClient, settings: Settings, refused: Refused
) -> None:
    def chunks(padding: int) -> Iterator[bytes]:
        yield b'{"text": "a'
        yield b' boat"}'
        yield b" " * padding

    taken = _post(client, chunks(1))
    assert "content-length" not in taken.request.headers
    assert taken.status_code == 200
    refused(_post(client, chunks(settings.max_body_bytes)), 413, "body-bytes")


@pytest.mark.parametrize("announced", [None, b"18"])
def test_an_endless_body_is_refused_at_the_limit(
    client: TestClient, settings: Settings, announced: bytes | None
) -> None:
    chunk = b" " * 100_000
    enough = settings.max_body_bytes // len(chunk) + 1
    taken = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        assert taken <= enough, "read on after the limit"
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [(b"content-type", b"application/json")]
    if announced:
        headers.append((b"content-length", announced))
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
    assert client.portal is not None
    client.portal.call(client.app, scope, receive, send)
    assert sent[0]["status"] == 413
    assert json.loads(sent[1]["body"])["limit"] == "body-bytes"
