"""Sources on the web: fetched once, kept until the run is complete, and what fails is a reject."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring import downloads
from serving.scoring.engines.local import Local
from serving.scoring.manifest import Manifest
from serving.scoring.options import Options
from serving.scoring.run import score
from serving.web.options import FetchLimits, Web
from tests.serving.scoring.conftest import NOW, lines
from tests.serving.web.site import Site, send

ITEM = "<item><guid>{0}</guid><title>{0}</title><description>A {0} sails.</description></item>"


def feed(*names: str) -> str:
    items = "".join(ITEM.format(name) for name in names)
    return f'<?xml version="1.0"?><rss><channel>{items}</channel></rss>'


def opml(*urls: str) -> str:
    outlines = "".join(f'<outline xmlUrl="{url}"/>' for url in urls)
    return f'<opml version="2.0"><body>{outlines}</body></opml>'


@pytest.fixture
def run_web(classifier: Classifier) -> Callable[..., str]:
    def finished(sources: list[str], out: Path, **web: Any) -> str:
        asking = Web(allow_private=True, delay_s=0, limits=FetchLimits(seconds=2), **web)
        *_, last = score(sources, out, Local(classifier), Options(), web=asking, now=NOW)
        assert last.read == last.scored + last.duplicates + last.rejected
        return str(last)

    return finished


def test_a_list_of_feeds_is_read_from_the_web(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    site.pages["/a"] = send(200, feed("boat", "ship"))
    site.pages["/b"] = send(200, feed("tractor"))
    listing = tmp_path / "feeds.opml"
    listing.write_text(opml(f"{site.url}/a", f"{site.url}/b", f"{site.url}/gone"))
    said = run_web([str(listing)], tmp_path / "out")
    assert said == "read 4 = scored 3 + duplicates 0 + rejected 1"
    rows = lines(tmp_path / "out/shard-000000.jsonl")
    assert [(row["source"], row["id"]) for row in rows] == [
        (f"{site.url}/a", "boat"),
        (f"{site.url}/a", "ship"),
        (f"{site.url}/b", "tractor"),
    ]
    (reject,) = lines(tmp_path / "out/rejects.jsonl")
    assert reject["source"] == f"{site.url}/gone"
    assert "404 Not Found" in reject["reason"]
    assert not (tmp_path / "out" / downloads.FOLDER).exists()


def test_a_page_is_read_with_its_address(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    text = "The boat left the harbour in the morning and came back at night. " * 5
    site.pages["/page"] = send(200, f"<html><body><article><p>{text}</p></article></body></html>")
    run_web([f"{site.url}/page"], tmp_path / "out")
    (row,) = lines(tmp_path / "out/shard-000000.jsonl")
    assert row["url"] == f"{site.url}/page"


def test_a_list_on_the_web_names_nothing_on_our_disk(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("A secret boat.")
    site.pages["/list"] = send(200, opml(secret.as_uri(), "a", str(secret)))
    site.pages["/a"] = send(200, feed("boat"))
    said = run_web([f"{site.url}/list"], tmp_path / "out")
    assert said == "read 3 = scored 1 + duplicates 0 + rejected 2"
    assert "secret boat" not in (tmp_path / "out/shard-000000.jsonl").read_text()


def test_a_run_that_goes_on_reads_what_it_fetched_before(
    site: Site, run_web: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = send(200, feed("boat"))
    sources = [f"{site.url}/a", f"{site.url}/gone"]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as stopped:
        stopped.setattr(Manifest, "add", stop)
        with pytest.raises(KeyboardInterrupt):
            run_web(sources, tmp_path / "out")
    site.pages["/a"] = site.pages["/gone"] = send(200, feed("other", "news"))
    asked = len(site.asked)
    said = run_web(sources, tmp_path / "out")
    assert said == "read 2 = scored 1 + duplicates 0 + rejected 1"
    assert [row["id"] for row in lines(tmp_path / "out/shard-000000.jsonl")] == ["boat"]
    assert len(site.asked) == asked


def test_a_stop_before_the_run_began_leaves_an_output_that_can_go_on(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    site.pages["/a"] = send(200, feed("boat"))
    with pytest.raises(ServingError, match="no such file"):
        run_web([f"{site.url}/a", str(tmp_path / "missing")], tmp_path / "out")
    site.pages["/b"] = send(200, feed("ship"))
    said = run_web([f"{site.url}/a", f"{site.url}/b"], tmp_path / "out")
    assert said == "read 2 = scored 2 + duplicates 0 + rejected 0"


def test_a_list_on_the_web_that_is_broken_is_a_reject(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    site.pages["/list"] = send(200, "<opml>")
    site.pages["/a"] = send(200, feed("boat"))
    said = run_web([f"{site.url}/list", f"{site.url}/a"], tmp_path / "out")
    assert said == "read 2 = scored 1 + duplicates 0 + rejected 1"


def test_more_addresses_than_a_run_may_fetch_are_refused(
    site: Site, run_web: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "ADDRESSES", 3)
    site.pages["/list"] = send(200, opml(*(f"/{n}" for n in range(5))))
    with pytest.raises(ServingError, match="split the list"):
        run_web([f"{site.url}/list"], tmp_path / "out")
    assert len(site.paths()) == 3


def test_what_robots_forbids_is_a_reject(
    site: Site, run_web: Callable[..., str], tmp_path: Path
) -> None:
    site.pages["/robots.txt"] = send(200, "User-agent: *\nDisallow: /a\n")
    site.pages["/a"] = send(200, feed("boat"))
    said = run_web([f"{site.url}/a"], tmp_path / "out")
    assert said == "read 1 = scored 0 + duplicates 0 + rejected 1"
    assert site.paths() == []
