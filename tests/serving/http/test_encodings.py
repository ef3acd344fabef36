"""Compressed bodies: undone, bounded by what comes out of them, and refused if broken."""

import gzip
import json
import sys
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.http.encodings import PIECE, decoder
from serving.http.problems import RefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Refused = Callable[..., dict[str, Any]]

BODY = json.dumps({"text": "The red tractor is good."}).encode()
COMPRESS: dict[str, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zstd": zstd.compress}
KINDS = pytest.mark.parametrize("kind", COMPRESS)


def _post(client: TestClient, content: bytes, kind: str) -> Any:
    headers = {"content-type": "application/json", "content-encoding": kind}
    return client.post("/v1/classify", content=content, headers=headers)


@KINDS
def test_a_compressed_body_is_read(client: TestClient, kind: str) -> None:
    assert _post(client, COMPRESS[kind](BODY), kind).status_code == 200


@pytest.mark.parametrize("kind", ["identity", "GZIP", "x-gzip", " zstd "])
def test_encodings_by_another_spelling_are_taken(client: TestClient, kind: str) -> None:
    compress = COMPRESS.get(kind.strip().lower().removeprefix("x-"), bytes)
    assert _post(client, compress(BODY), kind).status_code == 200


@pytest.mark.parametrize(
    "kind", ["br", "deflate", "gzip, gzip", "compress", "Zanzibar", "x" * 4000]
)
def test_another_encoding_is_refused_and_not_repeated(
    client: TestClient, refused: Refused, kind: str
) -> None:
    problem = refused(_post(client, BODY, kind), 415, "content-encoding")
    assert "gzip, zstd" in problem["detail"]
    assert "Zanzibar" not in problem["detail"]


@KINDS
def test_a_bomb_is_met_by_the_limit_on_what_comes_out(
    client: TestClient, refused: Refused, kind: str
) -> None:
    bomb = COMPRESS[kind](b" " * 300_000_000)
    assert len(bomb) < 400_000
    refused(_post(client, bomb, kind), 413, "body-bytes")


@KINDS
def test_no_more_than_a_piece_is_undone_at_a_time(kind: str) -> None:
    bomb = COMPRESS[kind](b" " * 50_000_000)
    pieces = decoder(kind).pieces(bomb)
    assert max(len(next(pieces)) for _ in range(20)) <= PIECE


@KINDS
@pytest.mark.parametrize("cut", [1, 8, 20])
def test_a_body_that_is_cut_off_is_refused(
    client: TestClient, refused: Refused, kind: str, cut: int
) -> None:
    refused(_post(client, COMPRESS[kind](BODY * 50)[:-cut], kind), 400, "body-encoding")


@KINDS
def test_a_body_that_is_not_compressed_at_all_is_refused(
    client: TestClient, refused: Refused, kind: str
) -> None:
    refused(_post(client, BODY, kind), 400, "body-encoding")


@KINDS
def test_several_frames_are_one_body(kind: str) -> None:
    compress = COMPRESS[kind]
    content = compress(b"one ") + compress(b"two")
    for size in (1, 5, len(content)):
        undo = decoder(kind)
        parts = [content[at : at + size] for at in range(0, len(content), size)]
        assert b"".join(piece for part in parts for piece in undo.pieces(part)) == b"one two"
        undo.finish()


def test_a_window_beyond_what_http_allows_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 27}
    compressor = zstd.ZstdCompressor(options=options)
    content = compressor.compress(b"x" * 20_000_000) + compressor.flush()
    with pytest.raises(RefusedError) as caught:
        list(decoder("zstd").pieces(content))
    assert caught.value.problem.limit == "body-encoding"


@KINDS
def test_an_empty_body_stays_empty(kind: str) -> None:
    undo = decoder(kind)
    assert list(undo.pieces(b"")) == []
    undo.finish()


def test_a_raw_deflate_stream_is_no_gzip(client: TestClient, refused: Refused) -> None:
    refused(_post(client, zlib.compress(BODY), "gzip"), 400, "body-encoding")
