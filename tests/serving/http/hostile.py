"""Requests of hostile callers, byte by byte, and what the service has to say to each.

Each case is one request as it goes over the socket. A plain request follows on the same connection
where the service has to stay in step; where it cannot know where the next one begins, it closes.
The limits are those of a service that is started without settings.
"""

import gzip
import http.client
import io
import json
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

CLASSIFY, BATCH = "/v1/classify", "/v1/classify/batch"
STREAM = "/v1/classify/stream"
PERSPECTIVE, PREDICT = "/v1alpha1/comments:analyze", "/predict"
SENTINEL = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
LONGEST = 100_000
PLANE = 0x10000


@dataclass(frozen=True)
class Case:
    """One request, the status that it must have, and whether the connection goes on after it."""

    name: str
    sent: bytes
    status: int
    goes_on: bool = True


@dataclass(frozen=True)
class Answer:
    """One answer as it came."""

    status: int
    kind: str
    body: bytes


def request(
    route: str, body: bytes, *fields: str, kind: str = "application/json", method: str = "POST"
) -> bytes:
    """Return the bytes of a request."""
    head = [f"{method} {route} HTTP/1.1", "host: x", f"content-length: {len(body)}"]
    head += [f"content-type: {kind}"] if kind else []
    return "\r\n".join([*head, *fields, "", ""]).encode("latin-1") + body


def text(value: str) -> bytes:
    """Return the body of a request for one text."""
    return json.dumps({"text": value}, ensure_ascii=False).encode()


def send(port: int, case: Case, timeout: float) -> list[Answer]:
    """Send a case, and the plain request after it if it goes on; return all that is answered.

    Raises:
        OSError: the connection broke off.
        HTTPException: an answer is not whole.
    """
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        # Sent while answers are read: a service may well refuse before it has read everything.
        whole = case.sent + (SENTINEL if case.goes_on else b"")
        sending = threading.Thread(target=_send, args=(connection, whole), daemon=True)
        sending.start()
        content = b"".join(_received(connection))
        sending.join(timeout)
    return parsed(content)


def parsed(content: bytes) -> list[Answer]:
    """Return the answers that came over one connection, in order.

    Raises:
        HTTPException: the last of them is not whole.
    """
    left, found = _Kept(content), []
    while left.tell() < len(content):
        response = http.client.HTTPResponse(left)  # type: ignore[arg-type]
        response.begin()
        found.append(
            Answer(response.status, response.getheader("content-type", ""), response.read())
        )
    return found


class _Kept(io.BytesIO):
    """Bytes that one response after the other is read from."""

    def makefile(self, *_: object) -> "_Kept":
        return self

    def close(self) -> None:
        pass


def _send(connection: socket.socket, content: bytes) -> None:
    try:
        connection.sendall(content)
    except OSError:
        return  # it has been closed, and what was said is read by the other side of us


def _received(connection: socket.socket) -> Iterator[bytes]:
    while True:
        try:
            part = connection.recv(1 << 20)
        except ConnectionResetError:
            return
        if not part:
            return
        yield part


@cache
def cases() -> tuple[Case, ...]:
    """Return all cases; their names are distinct."""
    return (*_texts(), *_planes(), *_json(), *_kinds(), *_compressed(), *_framing(), *_streams())


def _texts() -> Iterator[Case]:
    def case(name: str, value: str, status: int = 200) -> Case:
        return Case(name, request(CLASSIFY, text(value)), status)

    yield case("100,000 letters in one word", "a" * LONGEST)
    yield case("one letter more", "a" * (LONGEST + 1), 413)
    yield case("10 MB in one word", "ж" * 5_000_000, 413)
    yield case("100,000 combining marks", "e" + "\u0301" * (LONGEST - 1))
    yield case("100,000 marks of alternating classes", "e" + "\u0301\u0316" * (LONGEST // 2 - 1))
    yield case("a mark on every letter", "e\u0301" * 10_000)
    yield case("phrases in one code point", "\ufdfa" * 500)
    yield case("marks that the splitter takes long for", '"“。' * 5000)
    yield case("quotation marks that never end", "«" * 10_000)
    yield case("nothing but white space", " \u3000" * 40_000, 422)
    yield case("nothing that can be seen", "\u200b" * LONGEST)
    yield case("families of joined emoji", "👨\u200d👩\u200d👧\u200d👦" * 3000)
    yield case("right to left and back", "\u202eabc\u202d" * 5000)
    yield case("special pieces of tokenizers", "<s></s><pad><unk><mask>[CLS][SEP]" * 500)


def _planes() -> Iterator[Case]:
    for plane in range(17):
        chars = [chr(code) for code in range(plane * PLANE, (plane + 1) * PLANE, 101)]
        value = "".join(c for c in chars if c != "\0" and not "\ud800" <= c <= "\udfff")
        yield Case(f"plane {plane}", request(CLASSIFY, text(value)), 200)


def _json() -> Iterator[Case]:
    def case(name: str, body: str, status: int, route: str = CLASSIFY) -> Case:
        return Case(name, request(route, body.encode()), status)

    for name, escapes in {
        "a high half": "\\ud800",
        "a low half": "\\udfff",
        "halves the wrong way": "\\ude9c\\ud83d",
    }.items():
        yield case(name, f'{{"text": "a {escapes}"}}', 422)
        yield case(f"{name} in an id", f'{{"text": "a", "id": "{escapes}"}}', 422)
        yield case(f"{name} in a key", f'{{"text": "a", "{escapes}": 1}}', 422)
        yield case(
            f"{name} in an item", f'{{"items": [{{"id": "1", "text": "{escapes}"}}]}}', 200, BATCH
        )
        yield case(f"{name} in inputs", f'{{"inputs": "{escapes}"}}', 422, PREDICT)
        comment = '"comment": {"text": "The tractor is good."}'
        asked = f'{{{comment}, "languages": ["en", "{escapes}"], "requestedAttributes": {{}}}}'
        yield case(f"{name} in languages", asked, 400, PERSPECTIVE)
        asked = f'{{{comment}, "requestedAttributes": {{"{escapes}": 5}}}}'
        yield case(f"{name} in an attribute", asked, 400, PERSPECTIVE)
    yield case("a pair of escapes", '{"text": "\\ud83d\\ude9c"}', 200)
    for value in ("NaN", "Infinity", "-Infinity"):
        yield case(value, f'{{"text": "a", "scores": {value}}}', 400)
        asked = f'{{"inputs": "a", "raw_scores": {value}}}'
        yield case(f"{value} to predict", asked, 422, PREDICT)
    yield case("beyond floats", '{"text": 1e999}', 422)
    yield case("4,000 digits", f'{{"text": {"7" * 4000}}}', 422)
    yield case("a million digits", f'{{"text": {"7" * 1_000_000}}}', 400)
    yield case("100,000 open lists", "[" * 100_000, 400)
    yield case("100,000 lists that end", f"{'[' * 100_000}{']' * 100_000}", 400)
    yield case("100,000 open objects", '{"a":' * 100_000, 400)
    yield case("400 lists", f'{{"text": {"[" * 400}{"]" * 400}}}', 422)
    yield case("a key twice", '{"text": "a", "text": "b"}', 400)
    yield case("a key twice, once escaped", '{"text": "a", "\\u0074ext": "b"}', 400)
    yield case("100,000 keys", json.dumps({str(n): n for n in range(100_000)}), 422)
    yield case("300,000 items", f'{{"items": [{"{}," * 300_000}{{}}]}}', 413, BATCH)
    yield case("256 items of nothing", f'{{"items": [{"null," * 255}null]}}', 200, BATCH)


def _kinds() -> Iterator[Case]:
    body = text("a boat")
    for kind in ("text/plain", "application/xml", "multipart/form-data; boundary=x", "", "\xff;"):
        yield Case(f"a body as {kind or 'nothing'}", request(CLASSIFY, body, kind=kind), 415)
    yield Case("JSON as a stream", request(STREAM, body), 415)
    yield Case("a stream as JSON", request(CLASSIFY, body, kind="application/x-ndjson"), 415)
    yield Case("UTF-16", request(CLASSIFY, '{"text": "a"}'.encode("utf-16")), 400)
    yield Case("bytes of a half", request(CLASSIFY, b'{"text": "\xed\xa0\x80"}'), 400)
    yield Case("an overlong NUL", request(CLASSIFY, b'{"text": "\xc0\x80"}'), 400)
    yield Case(
        "a query that is no switch",
        request(f"{STREAM}?scores=perhaps", b"", kind="application/x-ndjson"),
        422,
    )


def _compressed() -> Iterator[Case]:
    def case(name: str, body: bytes, encoding: str, status: int) -> Case:
        return Case(name, request(CLASSIFY, body, f"content-encoding: {encoding}"), status)

    good, bomb = text("a boat"), b" " * 100_000_000
    for encoding, press in (("gzip", gzip.compress), ("zstd", zstd.compress)):
        yield case(f"{encoding}", press(good), encoding, 200)
        yield case(f"100 MB in {encoding}", press(bomb), encoding, 413)
        yield case(f"{encoding} cut off", press(good)[:-3], encoding, 400)
        yield case(f"no {encoding}", good, encoding, 400)
        yield case(f"{encoding} twice", press(press(good)), encoding, 400)
        yield case(f"20,000 times nothing in {encoding}", press(b"") * 20_000, encoding, 400)
        yield case(f"{encoding} and {encoding}", press(press(good)), f"{encoding}, {encoding}", 415)
    yield case("nothing in gzip, endlessly", gzip.compress(b"") * 150_000, "gzip", 413)
    yield case("a coding that nobody knows", good, "br", 415)


def _framing() -> Iterator[Case]:
    good = text("a boat")
    head = "POST /v1/classify HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"

    def raw(name: str, content: str | bytes, status: int, *, goes_on: bool = False) -> Case:
        sent = content if isinstance(content, bytes) else content.encode("latin-1")
        return Case(name, sent, status, goes_on)

    yield raw("no HTTP", "Zanzibarquux\r\n\r\n", 400)
    yield raw("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400)
    yield raw("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 404)
    yield raw("no host", "GET /healthz HTTP/1.1\r\n\r\n", 400)
    yield raw("two lengths", f"{head}content-length: 5\r\ncontent-length: 6\r\n\r\n", 400)
    yield raw("a length below nought", f"{head}content-length: -1\r\n\r\n", 400)
    yield raw("a length of a thousand digits", f"{head}content-length: {'9' * 1000}\r\n\r\n", 400)
    yield raw("an unknown transfer coding", f"{head}transfer-encoding: gzip\r\n\r\n", 400)
    yield raw("NUL in a field", f"{head}x: \0\r\n\r\n", 400)
    yield raw("a chunk of no size", f"{head}transfer-encoding: chunked\r\n\r\nzz\r\n", 400)
    yield raw(
        "a chunk of endless size", f"{head}transfer-encoding: chunked\r\n\r\n{'f' * 100}\r\n", 400
    )
    yield raw(
        "a field of a megabyte",
        f"GET /healthz HTTP/1.1\r\nhost: x\r\nx: {'x' * 1_000_000}\r\n\r\n",
        400,
    )
    yield raw("a line of a megabyte", f"GET /{'x' * 1_000_000} HTTP/1.1\r\nhost: x\r\n\r\n", 400)
    fields = "".join(f"x{n}: {'y' * 20}\r\n" for n in range(1400))
    yield raw(
        "1,400 fields", f"GET /healthz HTTP/1.1\r\nhost: x\r\n{fields}\r\n", 431, goes_on=True
    )
    yield raw(
        "an unknown method", "TRACTOR /healthz HTTP/1.1\r\nhost: x\r\n\r\n", 405, goes_on=True
    )
    yield raw(
        "a path of nothing known",
        "GET /%ff%00/../etc HTTP/1.1\r\nhost: x\r\n\r\n",
        404,
        goes_on=True,
    )
    upgrade = "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    key = "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    yield raw(
        "a WebSocket", f"GET /v1/model HTTP/1.1\r\nhost: x\r\n{upgrade}{key}\r\n", 200, goes_on=True
    )
    chunked = "".join(f"1\r\n{chr(byte)}\r\n" for byte in good)
    yield raw(
        "a chunk for each byte",
        f"{head}transfer-encoding: chunked\r\n\r\n{chunked}0\r\n\r\n",
        200,
        goes_on=True,
    )
    for given in ("0", "-1", "soon", "9" * 5000):
        field = f"x-timeout-ms: {given}"
        yield Case(f"a deadline of {given[:5]}", request(CLASSIFY, good, field), 400)
    yield Case(
        "an id of a request with colours",
        request(CLASSIFY, good, "x-request-id: \x1b[31m"),
        200,
    )
    yield Case(
        "an id of a request in no ASCII", request(CLASSIFY, good, "x-request-id: é\xff"), 200
    )


def _streams() -> Iterator[Case]:
    def case(name: str, body: bytes, *fields: str) -> Case:
        return Case(name, request(STREAM, body, *fields, kind="application/x-ndjson"), 200)

    good = text("a boat") + b"\n"
    yield case("a stream of broken lines", b"{\n[\nnull\n\xff\n" + good)
    yield case("a line of 10 MB", b'{"text": "' + b"a" * 10_000_000 + b'"}\n' + good)
    yield case("a million line feeds", b"\n" * 1_000_000 + good)
    yield case("deep lines", (b"[" * 100_000 + b"\n") * 3 + good)
    zstd_bomb = zstd.compress(b"a" * 300_000_000 + b"\n" + good)
    yield case("300 MB of one line in zstd", zstd_bomb, "content-encoding: zstd")
