"""Undoes gzip, zstd, bzip2 and xz while a source is read, in bounded memory."""

import bz2
import io
import lzma
import sys
import zlib
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol, cast

from serving.errors import SourceError
from serving.scoring.limits import MEMORY_BYTES

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 1 << 16
"""Bytes that are undone at a time."""
SUFFIXES = {".gz", ".zst", ".bz2", ".xz"}
_WINDOW_LOG = MEMORY_BYTES.bit_length() - 1
_GZIP_WBITS = 31


class _Inner(Protocol):
    eof: bool
    needs_input: bool
    unused_data: bytes

    def decompress(self, data: bytes, max_length: int) -> bytes: ...


class _Gzip:
    """zlib's object in the shape of the other three."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP_WBITS)
        self.eof, self.needs_input, self.unused_data = False, True, b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        given = self._inner.unconsumed_tail + data
        piece = self._inner.decompress(given, max_length)
        self.eof, self.unused_data = self._inner.eof, self._inner.unused_data
        # A full piece may have more behind it, even if all of the input was taken.
        self.needs_input = not self._inner.unconsumed_tail and len(piece) < max_length
        return piece


def _zstd() -> _Inner:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
    return cast(_Inner, zstd.ZstdDecompressor(options=options))


def _xz() -> _Inner:
    return cast(_Inner, lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY_BYTES))


_MAGIC: dict[bytes, tuple[str, Callable[[], _Inner]]] = {
    b"\x1f\x8b": ("gzip", _Gzip),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
    b"BZh": ("bzip2", lambda: cast(_Inner, bz2.BZ2Decompressor())),
    b"\xfd7zXZ\0": ("xz", _xz),
}


def bare_name(name: str) -> str:
    """Return a file's name without the suffix of its compression."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and f".{suffix.lower()}" in SUFFIXES else name


def undone(stream: BinaryIO, *, most: int) -> tuple[BinaryIO, bool]:
    """Return the stream decompressed, by its first bytes, and whether it was compressed.

    Reading it raises SourceError after `most` bytes, and where the compressed data is broken.
    """
    start = stream.read(6)
    for magic, (name, make) in _MAGIC.items():
        if start.startswith(magic):
            raw: io.RawIOBase = _Undone(stream, start, name, make)
            return io.BufferedReader(_Bounded(raw, most), PIECE), True
    return io.BufferedReader(_Bounded(Started(stream, start), most), PIECE), False


class Started(io.RawIOBase):
    """A stream whose first bytes have been read already."""

    def __init__(self, stream: BinaryIO, start: bytes) -> None:
        """Put `start` before what is left of the stream."""
        self._start = start
        # One read below for each above: an error further on must not take what came before it.
        self._read: Callable[[int], bytes] = getattr(stream, "read1", stream.read)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer and return how many bytes."""
        piece = self._start or self._read(len(buffer))
        self._start = piece[len(buffer) :]
        taken = piece[: len(buffer)]
        buffer[: len(taken)] = taken
        return len(taken)


class _Bounded(io.RawIOBase):
    def __init__(self, inner: io.RawIOBase, most: int) -> None:
        self._inner, self._most, self._left = inner, most, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._inner.readinto(buffer) or 0
        self._left -= count
        if self._left < 0:
            raise SourceError(
                f"The source has more than {self._most} bytes when decompressed: "
                "split it, or raise --max-source-bytes."
            )
        return count


class _Undone(io.RawIOBase):
    def __init__(
        self, stream: BinaryIO, start: bytes, name: str, make: Callable[[], _Inner]
    ) -> None:
        self._stream, self._name, self._make = stream, name, make
        self._given, self._inner = start, make()
        self._ended = False
        self._broken: SourceError | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._broken:
            raise self._broken
        try:
            piece = self._next(len(buffer))
        except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError, zstd.ZstdError) as error:
            if isinstance(error, OSError) and error.errno:
                raise
            self._broken = SourceError(f"The source is not whole {self._name}: {error}.")
            raise self._broken from error
        buffer[: len(piece)] = piece
        return len(piece)

    def _next(self, size: int) -> bytes:
        while not self._ended:
            if self._inner.eof:
                # Files are joined by appending one compressed file to another.
                rest = (self._inner.unused_data or self._stream.read(PIECE)).lstrip(b"\0")
                if not rest:
                    self._ended = True
                    break
                self._given, self._inner = rest, self._make()
            if not self._given and self._inner.needs_input:
                self._given = self._stream.read(PIECE)
                if not self._given:
                    raise EOFError("it is cut off")
            given, self._given = self._given, b""
            piece = self._inner.decompress(given, size)
            if piece:
                return piece
        return b""
