"""Only public addresses are asked, and the checked one is the one that is connected to."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from serving.web.addresses import is_public
from serving.web.fetch import Fetcher, FetchError
from serving.web.options import FetchLimits, Web
from tests.serving.web.site import Site, send


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fec0::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1:2:3:4:5:6",
        "2001:db8::1",
    ],
)
def test_an_address_that_is_not_public_is_told(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1", "::ffff:8.8.8.8"])
def test_a_public_address_is_told(address: str) -> None:
    assert is_public(address)


@pytest.fixture
def strict() -> Iterator[Fetcher]:
    with Fetcher(Web(limits=FetchLimits(connect_s=1, seconds=2))) as made:
        yield made


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "0", "2130706433", "0x7f.1"])
def test_loopback_in_any_spelling_is_refused(strict: Fetcher, tmp_path: Path, host: str) -> None:
    with pytest.raises(FetchError, match=r"not a public address|cannot be reached"):
        strict.fetch(f"http://{host}:9/feed", tmp_path / "feed")


def test_a_redirect_to_a_private_address_is_refused(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/feed"] = send(302, Location=f"http://10.0.0.1:{site.port}/inside")
    # The site itself is let through, as if it were public; where it leads is not.
    monkeypatch.setattr("serving.web.addresses.is_public", lambda address: address == "127.0.0.1")
    with (
        Fetcher(Web(limits=FetchLimits(seconds=2))) as strict,
        pytest.raises(FetchError, match=r"10\.0\.0\.1"),
    ):
        strict.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert site.paths() == ["/feed"]


def test_a_name_with_one_private_address_is_refused(
    strict: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", answers("93.184.216.34", "192.168.0.7"))
    with pytest.raises(FetchError, match=r"192\.168\.0\.7, which is not a public address"):
        strict.fetch("http://two-faced.example/feed", tmp_path / "feed")


def test_a_name_that_changes_after_the_check_is_not_asked_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/feed"] = send(200, "news")
    asked: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *more: Any, **options: Any) -> Any:
        if host == "127.0.0.1":
            # An address needs no looking up; connecting to it comes by here too.
            return real(host, *more, **options)
        asked.append(host)
        return real("127.0.0.1" if len(asked) == 1 else "10.0.0.1", *more, **options)

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    with Fetcher(Web(limits=FetchLimits(seconds=2), allow_private=True)) as fetcher:
        fetcher.fetch(f"http://rebinding.example:{site.port}/feed", tmp_path / "feed")
    assert asked == ["rebinding.example"]
    assert (tmp_path / "feed").read_text() == "news"
    assert site.asked[0][1]["host"] == f"rebinding.example:{site.port}"


def answers(*addresses: str) -> Any:
    def lookup(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in addresses]

    return lookup
