"""Fetches one address into a file: bounded in time, bytes and redirects, each of which is checked.

Nothing of the surroundings is used: no proxy, cookie or password of the environment.
"""

import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpcore

from serving.errors import SourceError
from serving.web.addresses import CheckedConnections, PrivateAddressError
from serving.web.options import Web

AGENT = "Narrascope"
"""The name that robots.txt may speak of."""
_PERMANENT = {HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.PERMANENT_REDIRECT}
_REDIRECTS = _PERMANENT | {
    HTTPStatus.FOUND,
    HTTPStatus.SEE_OTHER,
    HTTPStatus.TEMPORARY_REDIRECT,
}
_GZIP_WBITS = 31
_PIECE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An answer: `url` is where it came from, `moved` where the address is from now on.

    `fresh` is False if nothing changed since the answer that `validators` are of; the file is then
    not written.
    """

    url: str
    fresh: bool
    validators: dict[str, str] = field(default_factory=dict)
    moved: str | None = None


class FetchError(SourceError):
    """An address gave no answer that can be used; `retry_s` is how long it asks us to wait.

    `lasting` is True if asking again will not help.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_s: float | None = None,
        lasting: bool = False,
    ) -> None:
        """Make the error."""
        super().__init__(message)
        self.status, self.retry_s, self.lasting = status, retry_s, lasting


class Fetcher:
    """Fetches addresses over connections that it keeps; a context manager, for one thread."""

    def __init__(self, web: Web | None = None) -> None:
        """Make a fetcher that asks as `web` says."""
        web = web or Web()
        self._limits = web.limits
        self._backend = CheckedConnections(allow_private=web.allow_private)
        # Connections are closed soon: their addresses were checked when they were opened.
        self._pool = httpcore.ConnectionPool(
            network_backend=self._backend, max_keepalive_connections=4, keepalive_expiry=10
        )
        told = f" ({web.contact})" if web.contact else ""
        self.agent = f"{AGENT}/{version('narrascope')}{told}"

    def __enter__(self) -> Self:
        """Return the fetcher."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close its connections."""
        self._pool.close()

    def fetch(
        self, url: str, into: Path, *, validators: Mapping[str, str] | None = None
    ) -> Fetched:
        """Fetch `url` into a file, unless `validators` say that we have what is there.

        Raises:
            FetchError: there is no answer, it is an error, or it goes beyond a limit.
        """
        self._backend.deadline = time.monotonic() + self._limits.seconds
        address, moved, known = checked(url), None, dict(validators or {})
        lasting = True
        for _ in range(self._limits.redirects + 1):
            try:
                found = self._ask(address, into, known)
            except PrivateAddressError as error:
                raise FetchError(f"{address} {error}.", lasting=True) from error
            except httpcore.TimeoutException as error:
                raise FetchError(
                    f"{address} did not answer in full within {self._limits.seconds:g} s."
                ) from error
            except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
                raise FetchError(f"{address} cannot be reached: {error or 'no answer'}.") from error
            except (httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable) as error:
                raise FetchError(f"{address} cannot be asked: {error}.") from error
            if isinstance(found, Fetched):
                return Fetched(
                    url=address, fresh=found.fresh, validators=found.validators, moved=moved
                )
            target, permanent = found
            address = checked(urljoin(address, target))
            lasting = lasting and permanent
            # What was promised of one address says nothing of another.
            moved, known = (address if lasting else moved), {}
        raise FetchError(f"{url} leads on more than {self._limits.redirects} times.", lasting=True)

    def _ask(self, address: str, into: Path, known: dict[str, str]) -> Fetched | tuple[str, bool]:
        headers: dict[bytes | str, bytes | str] = {
            "User-Agent": self.agent,
            "Accept": "*/*",
            "Accept-Encoding": "gzip",
        }
        if "etag" in known:
            headers["If-None-Match"] = known["etag"]
        if "last-modified" in known:
            headers["If-Modified-Since"] = known["last-modified"]
        times = {"connect": self._limits.connect_s, "read": self._limits.seconds}
        limits = {**times, "write": self._limits.seconds, "pool": self._limits.seconds}
        with self._pool.stream(
            "GET", address, headers=headers, extensions={"timeout": limits}
        ) as answer:
            told = {
                name.decode("latin-1").lower(): value.decode("latin-1")
                for name, value in answer.headers
            }
            if answer.status in _REDIRECTS and "location" in told:
                return told["location"], answer.status in _PERMANENT
            if answer.status == HTTPStatus.NOT_MODIFIED:
                return Fetched(url=address, fresh=False, validators=known)
            if answer.status != HTTPStatus.OK:
                raise FetchError(
                    f"{address} answered {answer.status} {_phrase(answer.status)}.".replace(
                        " .", "."
                    ),
                    status=answer.status,
                    retry_s=_retry(told.get("retry-after")),
                )
            with into.open("wb") as sink:
                self._write(address, answer.iter_stream(), told.get("content-encoding"), sink)
        kept = {name: told[name] for name in ("etag", "last-modified") if told.get(name)}
        return Fetched(url=address, fresh=True, validators=kept)

    def _write(
        self, address: str, pieces: Iterator[bytes], encoding: str | None, sink: BinaryIO
    ) -> None:
        coded = (encoding or "identity").strip().lower()
        if coded not in ("identity", "gzip", "x-gzip"):
            raise FetchError(f"{address} answers in {coded}, which was not asked for.")
        sent = written = 0
        undo = None if coded == "identity" else zlib.decompressobj(_GZIP_WBITS)
        for piece in pieces:
            sent += len(piece)
            given = piece
            while given:
                plain = given if undo is None else self._undone(address, undo, given)
                written += len(plain)
                if max(sent, written) > self._limits.bytes:
                    raise FetchError(
                        f"{address} has more than {self._limits.bytes} bytes.", lasting=True
                    )
                sink.write(plain)
                given = b"" if undo is None else undo.unconsumed_tail
        if undo is not None and not undo.eof:
            raise FetchError(f"{address} sent gzip that is cut off.")

    def _undone(self, address: str, undo: "zlib._Decompress", given: bytes) -> bytes:
        try:
            return undo.decompress(given, _PIECE)
        except zlib.error as error:
            raise FetchError(f"{address} sent gzip that is broken: {error}.") from error


def checked(url: str) -> str:
    """Return an address as it is asked: http(s), with a host, no password and no fragment.

    Raises:
        FetchError: it is none.
    """
    shown = url.strip()[:200]
    try:
        parts = urlsplit(url.strip())
        port = parts.port
        host = (parts.hostname or "").encode("idna").decode() if parts.hostname else ""
    except (ValueError, UnicodeError) as error:
        raise FetchError(f"{shown} is no address: {error}.", lasting=True) from error
    if parts.scheme not in ("http", "https") or not host:
        raise FetchError(f"{shown} is not an http or https address.", lasting=True)
    if parts.username is not None or parts.password is not None:
        raise FetchError(f"The address at {host} has a user name or password in it.", lasting=True)
    if ":" in host:
        host = f"[{host}]"
    place = host if port is None else f"{host}:{port}"
    path = _quoted(parts.path) or "/"
    return urlunsplit((parts.scheme, place, path, _quoted(parts.query), ""))


def _quoted(part: str) -> str:
    """Return a part of an address in ASCII; what is quoted already stays."""
    return "".join(
        char if "!" <= char <= "~" else "".join(f"%{byte:02X}" for byte in char.encode())
        for char in part
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _retry(value: str | None) -> float | None:
    """Return the seconds that Retry-After asks for, as a number or as a date."""
    if value is None:
        return None
    try:
        return max(0.0, float(int(value)))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None
