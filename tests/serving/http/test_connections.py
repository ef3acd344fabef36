"""Callers who hold connections: whoever is slow, silent, deaf or half there is let go."""

import contextlib
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.serving.http.hostile import BATCH, CLASSIFY, parsed, request, text
from tests.serving.http.running import WAIT_S, Running

CONNECTIONS = 8
PAUSE_S = 0.1
"""Shorter than the service's patience: whoever drips is never silent for too long."""
FILES = 96
GOOD = request(CLASSIFY, text("The red tractor is good."))


@pytest.fixture(scope="module")
def impatient(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    started = Running(
        tiny_model,
        tmp_path_factory.mktemp("impatient"),
        before=f"import resource as r; r.setrlimit(r.RLIMIT_NOFILE, ({FILES}, {FILES}))",
        NARRASCOPE_HEADER_SECONDS="0.5",
        NARRASCOPE_BODY_SECONDS="0.5",
        NARRASCOPE_MAX_CONNECTIONS=str(CONNECTIONS),
    )
    yield started
    started.kill()


def _drip(connection: socket.socket, content: bytes) -> bytes:
    """Send a byte at a time until the service has had enough; return what it said."""
    connection.settimeout(PAUSE_S)
    for byte in content:
        try:
            connection.sendall(bytes([byte]))
            said = connection.recv(65_536)
        except TimeoutError:
            continue
        except (ConnectionResetError, BrokenPipeError):
            return b""
        return said
    pytest.fail("the service took all of it")


def _ends(connection: socket.socket) -> bytes:
    """Return what comes until the service closes."""
    connection.settimeout(WAIT_S)
    content = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1 << 20):
            content += part
    return bytes(content)


def _answers(running: Running) -> bool:
    return running.status("POST", CLASSIFY, text("The red tractor is good.")) == 200


def test_a_header_that_drips_is_not_waited_for(impatient: Running) -> None:
    with impatient.open() as connection:
        assert _drip(connection, b"GET /healthz HTTP/1.1\r\nx: " + b"y" * 3000) == b""
    assert _answers(impatient)


def test_a_body_that_drips_is_not_waited_for(impatient: Running) -> None:
    with impatient.open() as connection:
        head, end, body = request(CLASSIFY, text("a" * 3000)).partition(b"\r\n\r\n")
        connection.sendall(head + end)
        said = _drip(connection, body)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"body-seconds" in said
    assert _answers(impatient)


def test_a_header_in_pieces_is_bounded_as_one_in_one_is(impatient: Running) -> None:
    for size, status in ((20_000, b"200"), (36_000, b"431")):
        with impatient.open() as connection:
            field = b"x: " + b"y" * (size // 2)
            connection.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n" + field)
            time.sleep(PAUSE_S)  # so that it comes in two pieces
            connection.sendall(b"y" * (size // 2) + b"\r\nconnection: close\r\n\r\n")
            assert _ends(connection).split(b" ")[1] == status, size


def test_callers_who_never_read_are_let_go(impatient: Running) -> None:
    items = [{"id": str(n), "text": "a boat"} for n in range(256)]
    asked = request(BATCH, json.dumps({"items": items, "scores": True}).encode())
    times = 100  # more than the kernel keeps for either side
    with contextlib.ExitStack() as deaf:
        connections = [deaf.enter_context(socket.socket()) for _ in range(CONNECTIONS // 2)]
        for connection in connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.connect(("127.0.0.1", impatient.port))
            connection.sendall(asked * times)
        ours = {connection.getsockname()[1] for connection in connections}
        impatient.until(lambda: ours & _callers(impatient))
        impatient.until(lambda: not ours & _callers(impatient))
        assert all(_ends(each).count(b"HTTP/1.1 200") < times for each in connections)
    assert _answers(impatient)


def _callers(running: Running) -> set[int]:
    """Return the ports of those who are connected."""
    found = psutil.Process(running.process.pid).net_connections()
    return {each.raddr.port for each in found if each.raddr}


def test_callers_who_leave_their_body_half_sent_do_not_fill_the_house(impatient: Running) -> None:
    with contextlib.ExitStack() as halves:
        for cut in range(CONNECTIONS * 2):
            connection = halves.enter_context(impatient.open())
            connection.sendall(GOOD[: -1 - cut])
            if cut % 2:
                connection.shutdown(socket.SHUT_WR)
        impatient.until(lambda: _answers(impatient))


def test_a_half_closed_connection_has_its_own_answer_or_none(impatient: Running) -> None:
    with impatient.open() as connection:
        connection.sendall(GOOD)
        connection.shutdown(socket.SHUT_WR)
        content = _ends(connection)
    assert [answer.status for answer in parsed(content)] in ([], [200])
    assert _answers(impatient)


def test_more_connections_than_files_may_be_open_do_not_end_the_service(
    impatient: Running,
) -> None:
    with contextlib.ExitStack() as idle:
        for _ in range(2 * FILES):
            idle.enter_context(impatient.open())
        impatient.until(lambda: _answers(impatient))
    assert _answers(impatient)
    # The library beneath complains; that is JSON like all else.
    entries = [json.loads(line) for line in impatient.told().splitlines()]
    assert [entry for entry in entries if entry["logger"] == "asyncio"]


def test_pipelined_requests_have_their_own_answers_in_order(impatient: Running) -> None:
    asked = [{"text": "a boat " * (1 + n % 7), "id": f"id-{n}"} for n in range(50)]
    content = b"".join(request(CLASSIFY, json.dumps(each).encode()) for each in asked)
    with impatient.open() as connection:
        connection.sendall(content)
        answers = [json.loads(answer.body) for answer in parsed(_ends(connection))]
    assert [answer["id"] for answer in answers] == [each["id"] for each in asked]
    for answer, each in zip(answers, asked, strict=True):
        assert answer["narratives"][0]["end"] == len(each["text"].rstrip())
