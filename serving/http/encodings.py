"""Undoes gzip and zstd, a bounded piece at a time: a bomb is met by the limit on what comes out."""

import sys
import zlib
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Protocol

from serving.http.problems import RefusedError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE = 65_536
"""Bytes that are undone at a time."""
ZSTD_WINDOW_LOG = 23
"""The window that every decoder of HTTP must take (RFC 8878, 8 MiB); more would be memory."""
_GZIP_WBITS = 31


class Decoder(Protocol):
    """Undoes one content encoding."""

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        """Yield what a part of the body stands for, at most `PIECE` bytes at a time."""

    def finish(self) -> None:
        """Check that the body was whole."""


def decoder(encoding: str) -> Decoder:
    """Return what undoes a Content-Encoding.

    Raises:
        RefusedError: there is none for it.
    """
    kind = _KINDS.get(encoding.strip().lower())
    if kind is None:
        raise RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The body's Content-Encoding is not taken: send gzip, zstd or none.",
            "content-encoding",
            {"Accept-Encoding": "gzip, zstd"},
        )
    return kind()


class _Identity:
    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk

    def finish(self) -> None:
        pass


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(_GZIP_WBITS)
        self._begun = False

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        rest = chunk
        while rest:
            self._begun = True
            if self._inner.eof:
                self._inner = zlib.decompressobj(_GZIP_WBITS)
            try:
                yield self._inner.decompress(rest, PIECE)
            except zlib.error as error:
                raise _broken("gzip") from error
            rest = self._inner.unconsumed_tail or self._inner.unused_data

    def finish(self) -> None:
        if self._begun and not self._inner.eof:
            raise _broken("gzip")


class _Zstd:
    def __init__(self) -> None:
        self._new()
        self._begun = False

    def _new(self) -> None:
        options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
        self._inner = zstd.ZstdDecompressor(options=options)

    def pieces(self, chunk: bytes) -> Iterator[bytes]:
        rest = chunk
        while rest:
            self._begun = True
            if self._inner.eof:
                self._new()
            try:
                yield self._inner.decompress(rest, PIECE)
                while not (self._inner.eof or self._inner.needs_input):
                    yield self._inner.decompress(b"", PIECE)
            except zstd.ZstdError as error:
                raise _broken("zstd") from error
            rest = self._inner.unused_data

    def finish(self) -> None:
        if self._begun and not self._inner.eof:
            raise _broken("zstd")


_KINDS: dict[str, Callable[[], Decoder]] = {
    "": _Identity,
    "identity": _Identity,
    "gzip": _Gzip,
    "x-gzip": _Gzip,
    "zstd": _Zstd,
}


def _broken(name: str) -> RefusedError:
    return RefusedError(
        HTTPStatus.BAD_REQUEST, f"The body is not whole {name}: compress it anew.", "body-encoding"
    )
