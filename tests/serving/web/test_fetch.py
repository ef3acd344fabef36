"""Fetching ends: in time, in bytes, in redirects; and what fails says why and whether to retry."""

import gzip
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from serving.web.fetch import Fetcher, FetchError
from serving.web.options import FetchLimits, Web
from tests.serving.web.site import Site, send


def test_what_is_there_is_written_and_its_validators_are_told(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.pages["/feed"] = send(200, "новости", ETag='"1"', Last_Modified="Mon, 05 Jan 2026")
    found = fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert (tmp_path / "feed").read_text(encoding="utf-8") == "новости"
    assert found.fresh
    assert found.moved is None
    assert found.validators == {"etag": '"1"', "last-modified": "Mon, 05 Jan 2026"}
    assert site.asked[0][1]["user-agent"].startswith("Narrascope/")


def test_what_did_not_change_is_not_sent_again(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.pages["/feed"] = send(304)
    known = {"etag": '"1"', "last-modified": "Mon, 05 Jan 2026"}
    found = fetcher.fetch(f"{site.url}/feed", tmp_path / "feed", validators=known)
    assert not found.fresh
    assert found.validators == known
    asked = site.asked[0][1]
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"1"', "Mon, 05 Jan 2026")


def test_gzip_is_undone(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    site.pages["/feed"] = send(200, gzip.compress(b"news " * 1000), Content_Encoding="gzip")
    fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert (tmp_path / "feed").read_bytes() == b"news " * 1000


@pytest.mark.parametrize(
    ("body", "encoding", "said"),
    [
        (gzip.compress(b"\0" * 10_000_000), "gzip", "more than 100000 bytes"),
        (b"x" * 100_001, "identity", "more than 100000 bytes"),
        (gzip.compress(b"news")[:-6], "gzip", "cut off"),
        (b"\x1f\x8bnonsense", "gzip", "broken"),
        (b"news", "br", "answers in br"),
    ],
)
def test_a_body_that_is_too_much_or_broken_is_refused(
    site: Site, fetcher: Fetcher, tmp_path: Path, body: bytes, encoding: str, said: str
) -> None:
    site.pages["/feed"] = send(200, body, Content_Encoding=encoding)
    with pytest.raises(FetchError, match=said):
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")


def drip_headers(handler: BaseHTTPRequestHandler) -> None:
    drip(handler, b"HTTP/1.1 200 OK\r\nX-Slow: ")


def drip_body(handler: BaseHTTPRequestHandler) -> None:
    drip(handler, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")


def drip(handler: BaseHTTPRequestHandler, start: bytes) -> None:
    handler.close_connection = True
    try:
        handler.wfile.write(start)
        for _ in range(100):
            handler.wfile.write(b"x")
            handler.wfile.flush()
            time.sleep(0.05)
    except OSError:
        pass


@pytest.mark.parametrize("answer", [drip_headers, drip_body])
def test_a_server_that_drips_is_left_when_the_time_is_over(
    site: Site, tmp_path: Path, answer: object
) -> None:
    site.pages["/feed"] = answer  # type: ignore[assignment]
    limits = FetchLimits(seconds=0.3)
    with (
        Fetcher(Web(limits=limits, allow_private=True)) as fetcher,
        pytest.raises(FetchError, match=r"within 0\.3 s"),
    ):
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")


def test_a_circle_of_redirects_ends(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    site.pages["/feed"] = send(302, Location="/feed")
    with pytest.raises(FetchError, match="leads on more than 5 times"):
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    ("first", "second", "moved"), [(301, 308, "/end"), (301, 302, "/middle"), (302, 301, None)]
)
def test_only_what_moved_for_good_is_told_as_moved(
    site: Site, fetcher: Fetcher, tmp_path: Path, first: int, second: int, moved: str | None
) -> None:
    site.pages["/feed"] = send(first, Location="/middle")
    site.pages["/middle"] = send(second, Location="/end")
    site.pages["/end"] = send(200, "news")
    found = fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert found.url == f"{site.url}/end"
    assert found.moved == (site.url + moved if moved else None)


def test_a_redirect_to_another_scheme_is_refused(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.pages["/feed"] = send(302, Location="file:///etc/passwd")
    with pytest.raises(FetchError, match="not an http or https address"):
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry_After": "120"}, 120), ({"Retry_After": "soon"}, None), ({}, None)],
)
def test_a_refusal_says_how_long_to_wait(
    site: Site, fetcher: Fetcher, tmp_path: Path, headers: dict[str, str], seconds: float | None
) -> None:
    site.pages["/feed"] = send(429, **headers)
    with pytest.raises(FetchError, match="429 Too Many Requests") as caught:
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert (caught.value.status, caught.value.retry_s) == (429, seconds)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/feed",
        "file:///etc/passwd",
        "http://",
        "http://user:secret@example.org/",
        "http://[::1/",
        "http://example.org:99999/",
        "javascript:alert(1)",
        "//example.org/feed",
    ],
)
def test_what_is_no_address_of_the_web_is_refused(
    fetcher: Fetcher, tmp_path: Path, url: str
) -> None:
    with pytest.raises(FetchError) as caught:
        fetcher.fetch(url, tmp_path / "feed")
    assert caught.value.lasting
    assert "secret" not in str(caught.value)


def test_a_line_break_in_an_address_adds_no_header(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    site.pages["/feed"] = send(200, "news")
    with pytest.raises(FetchError):
        fetcher.fetch(f"{site.url}/feed\r\nX-Evil: 1\r\n\r\n", tmp_path / "feed")
    assert not any("x-evil" in headers for _, headers in site.asked)


def test_letters_beyond_ascii_are_quoted(site: Site, fetcher: Fetcher, tmp_path: Path) -> None:
    site.pages["/%D0%BB%D0%B5%D0%BD%D1%82%D0%B0?q=%20"] = send(200, "news")
    fetcher.fetch(f"{site.url}/лента?q=%20", tmp_path / "feed")
    assert (tmp_path / "feed").read_text() == "news"


def test_a_server_that_hangs_up_is_told_as_such(
    site: Site, fetcher: Fetcher, tmp_path: Path
) -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        handler.connection.close()

    site.pages["/feed"] = hang_up
    with pytest.raises(FetchError, match="cannot be reached"):
        fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")


def test_the_environment_chooses_no_proxy(
    site: Site, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    site.pages["/feed"] = send(200, "news")
    fetcher.fetch(f"{site.url}/feed", tmp_path / "feed")
    assert site.paths() == ["/feed"]
