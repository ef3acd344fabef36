"""Which addresses may be asked: public ones, and the one that was checked is the one asked.

A name is looked up once for each connection and every answer is checked, so a name that points to
a public address at one moment and to ours at the next gains nothing.
"""

import ipaddress
import socket
import time
from collections.abc import Iterable
from ssl import SSLContext
from typing import Any

import httpcore

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_CANNOT = "ends at {address}, which is not a public address: pass --allow-private if you trust it"

Lookup = list[tuple[Any, ...]]


class PrivateAddressError(Exception):
    """A name ends at an address that is not public."""


def is_public(address: str) -> bool:
    """Say whether an IP address is one of the public internet, also one that is wrapped in IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if ip.teredo is not None or ip.is_site_local:
            return False
    return ip.is_global and not ip.is_multicast


class CheckedConnections(httpcore.NetworkBackend):
    """Opens connections to checked addresses, all of which end at `deadline`.

    The certificate is still checked against the name, which httpcore passes on.
    """

    def __init__(self, *, allow_private: bool) -> None:
        """Open connections; `allow_private` is for tests and for feeds within an organisation."""
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()
        self.deadline = float("inf")
        """On the monotonic clock."""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the name that answers.

        Raises:
            PrivateAddressError: one of its addresses is not public.
            httpcore.ConnectError: the name is unknown, or no address answers.
        """
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} is not known") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not self._allow_private:
            for address in addresses:
                if not is_public(address):
                    raise PrivateAddressError(_CANNOT.format(address=address))
        failed: Exception = httpcore.ConnectError(f"the name {host} has no address")
        for address in addresses:
            try:
                stream = self._inner.connect_tcp(
                    address, port, _within(self.deadline, timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
                continue
            return _Stream(stream, self)
        raise failed


class _Stream(httpcore.NetworkStream):
    """A stream that a peer cannot keep open by sending a byte now and then."""

    def __init__(self, inner: httpcore.NetworkStream, owner: CheckedConnections) -> None:
        self._inner, self._owner = inner, owner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _within(self._owner.deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _within(self._owner.deadline, timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        within = _within(self._owner.deadline, timeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, within), self._owner)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def _within(deadline: float, timeout: float | None) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for the answer is over")
    return left if timeout is None else min(timeout, left)
