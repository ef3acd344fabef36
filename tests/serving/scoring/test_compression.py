"""Compressed sources: all four kinds, whole, joined, broken, or made to burst."""

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from serving.errors import SourceError
from serving.scoring.compression import undone, zstd
from serving.scoring.kinds import Reading
from serving.scoring.limits import Limits
from tests.serving.scoring.conftest import read, records, rejects

KINDS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".zst": zstd.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
}
LINE = b'{"text": "the red tractor"}\n'
each = pytest.mark.parametrize("suffix", list(KINDS))


@each
def test_lines_are_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.jsonl{suffix}"
    path.write_bytes(KINDS[suffix](LINE * 5000))
    assert len(records(path)) == 5000


@each
def test_what_is_in_it_counts_and_not_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(KINDS[suffix](LINE))
    assert len(records(path)) == 1


@each
def test_joined_files_are_read_to_the_end(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.jsonl{suffix}"
    path.write_bytes(KINDS[suffix](LINE) * 3 + KINDS[suffix](b"") + KINDS[suffix](LINE))
    assert len(records(path)) == 4


@each
def test_random_bytes_come_out_as_they_went_in(suffix: str) -> None:
    content = os.urandom(300_000) + b"\0" * 300_000
    stream, compressed = undone(io.BytesIO(KINDS[suffix](content)), most=600_000)
    assert compressed
    assert stream.read() == content


@each
def test_what_is_cut_off_keeps_the_lines_before_and_says_so(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.jsonl{suffix}"
    lines = b"".join(b'{"text": "%s"}\n' % os.urandom(20).hex().encode() for _ in range(40_000))
    whole = KINDS[suffix](lines)
    path.write_bytes(whole[: len(whole) * 9 // 10])
    [reject] = rejects(path)
    assert "not whole" in reject.reason
    assert 1 < len(read(path)) < 40_000


@each
def test_what_is_altered_is_a_reject(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.jsonl{suffix}"
    whole = bytearray(KINDS[suffix](LINE * 100))
    whole[8:] = b"\xff" * len(whole[8:])
    path.write_bytes(whole)
    [*_, last] = read(path)
    assert "not whole" in getattr(last, "reason", "")


@each
def test_a_bomb_is_met_by_the_limit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"bomb.txt{suffix}"
    path.write_bytes(KINDS[suffix](b"a" * 30_000_000))
    [reject] = rejects(path, Reading(limits=Limits(source_bytes=1_000_000)))
    assert "--max-source-bytes" in reject.reason


def test_an_uncompressed_source_has_the_same_limit(tmp_path: Path) -> None:
    path = tmp_path / "posts.jsonl"
    path.write_bytes(LINE * 100)
    found = read(path, Reading(limits=Limits(source_bytes=len(LINE) * 50)))
    assert "--max-source-bytes" in getattr(found[-1], "reason", "")
    assert len(found) <= 51


def test_a_window_that_is_too_large_is_refused() -> None:
    options = {zstd.CompressionParameter.window_log: 30}
    packed = zstd.compress(os.urandom(1000), options=options)
    compressor = zstd.ZstdCompressor(options=options)
    packed = compressor.compress(os.urandom(1000)) + compressor.flush()
    stream, _ = undone(io.BytesIO(packed), most=10_000)
    with pytest.raises(SourceError, match="not whole zstd"):
        stream.read()


@each
def test_rubbish_after_the_end_is_told_of(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"posts.jsonl{suffix}"
    path.write_bytes(KINDS[suffix](LINE) + b"rubbish")
    assert len(read(path)) == 2
    assert len(rejects(path)) == 1
