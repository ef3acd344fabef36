"""Watching: what is new is scored once, whatever stops the watch, and servers are left in peace."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring.options import Options
from serving.watching.command import watch as command
from serving.watching.poll import LONGEST_WAIT_S, poll
from serving.watching.state import Feed, State
from serving.watching.watch import Pace, Round, feeds_of, watch
from serving.web.fetch import Fetcher
from serving.web.manners import Manners
from serving.web.options import FetchLimits, Web
from tests.serving.scoring.conftest import classifier, lines  # noqa: F401 (a fixture)
from tests.serving.web.site import Site, send

STORY = "The boat left the harbour in the morning with {} on board and came back at night."


def feed(*items: tuple[str, str]) -> str:
    told = "".join(
        f"<item><guid>{name}</guid><title>{name}</title><description>{text}</description></item>"
        for name, text in items
    )
    return f'<?xml version="1.0"?><rss><channel>{told}</channel></rss>'


class Desk:
    """Watches rounds at moments that the test chooses."""

    def __init__(self, classifier: Classifier, out: Path) -> None:  # noqa: F811
        self.classifier, self.out, self.now = classifier, out, 1_800_000_000.0

    def round(self, *feeds: str, after: float = 0, **options: Any) -> Round:
        self.now += after
        web = Web(allow_private=True, delay_s=0, limits=FetchLimits(bytes=100_000, seconds=2))
        (done,) = watch(
            feeds,
            self.out,
            self.classifier,
            Pace(every_s=60, rounds=1),
            options=Options(copies="near", **options),
            web=web,
            now=lambda: self.now,
        )
        return done

    def rows(self) -> list[dict[str, Any]]:
        return [row for path in sorted(self.out.glob("shard-*")) for row in lines(path)]


@pytest.fixture
def desk(classifier: Classifier, tmp_path: Path) -> Desk:  # noqa: F811
    return Desk(classifier, tmp_path / "out")


def test_only_what_is_new_is_scored(site: Site, desk: Desk) -> None:
    site.pages["/a"] = send(200, feed(("1", "boat"), ("2", "ship")))
    first = desk.round(f"{site.url}/a")
    assert (first.polled, first.new, first.totals.scored) == (1, 2, 2)
    site.pages["/a"] = send(200, feed(("3", "tractor"), ("1", "boat"), ("2", "ship")))
    second = desk.round(f"{site.url}/a", after=60)
    assert (second.new, second.totals.scored) == (1, 3)
    assert [row["id"] for row in desk.rows()] == ["1", "2", "3"]
    assert [row["scored_at"] for row in desk.rows()] == [
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:01:00Z",
    ]


def test_a_round_without_news_writes_no_shard(site: Site, desk: Desk) -> None:
    site.pages["/a"] = send(200, feed(("1", "boat")), ETag='"1"')
    desk.round(f"{site.url}/a")
    site.pages["/a"] = send(304)
    done = desk.round(f"{site.url}/a", after=60)
    assert (done.unchanged, done.new) == (1, 0)
    assert site.asked[-1][1]["if-none-match"] == '"1"'
    assert len(list(desk.out.glob("shard-*"))) == 1


def test_a_feed_is_not_asked_before_it_is_due(site: Site, desk: Desk) -> None:
    site.pages["/a"] = send(200, feed(("1", "boat")))
    desk.round(f"{site.url}/a")
    assert desk.round(f"{site.url}/a", after=30).polled == 0
    assert site.paths() == ["/a"]


def test_an_entry_whose_words_changed_is_scored_again(site: Site, desk: Desk) -> None:
    site.pages["/a"] = send(200, feed(("1", "boat")))
    desk.round(f"{site.url}/a")
    site.pages["/a"] = send(200, feed(("1", "no boat")))
    assert desk.round(f"{site.url}/a", after=60).new == 1
    assert [row["id"] for row in desk.rows()] == ["1", "1"]


def test_one_story_in_two_feeds_is_scored_once_also_in_a_later_round(
    site: Site, desk: Desk
) -> None:
    site.pages["/a"] = send(200, feed(("a1", STORY.format("twelve men"))))
    desk.round(f"{site.url}/a")
    site.pages["/b"] = send(200, feed(("a1", STORY.format("twelve men"))))
    done = desk.round(f"{site.url}/a", f"{site.url}/b", after=60)
    assert (done.totals.scored, done.totals.duplicates) == (1, 1)
    assert desk.rows()[1]["copy_of_source"] == f"{site.url}/a"


def test_a_feed_that_fails_is_told_and_left_alone_for_longer_each_time(
    site: Site, desk: Desk
) -> None:
    site.pages["/good"] = send(200, feed(("1", "boat")))
    feeds = (f"{site.url}/good", f"{site.url}/bad")
    done = desk.round(*feeds)
    assert done.new == 1
    assert "404 Not Found" in done.failed[f"{site.url}/bad"]
    desk.round(*feeds, after=60)
    assert site.paths().count("/bad") == 1
    desk.round(*feeds, after=80)
    assert site.paths().count("/bad") == 2
    desk.round(*feeds, after=140)
    assert site.paths().count("/bad") == 2


def test_a_feed_that_comes_back_is_asked_as_before(site: Site, desk: Desk) -> None:
    desk.round(f"{site.url}/a")
    site.pages["/a"] = send(200, feed(("1", "boat")))
    assert desk.round(f"{site.url}/a", after=200).new == 1
    assert desk.round(f"{site.url}/a", after=60).polled == 1


@pytest.mark.parametrize("seconds", [7, 5000])
def test_retry_after_is_waited_for(site: Site, tmp_path: Path, seconds: int) -> None:
    site.pages["/a"] = send(429, Retry_After=str(seconds))
    with Fetcher(Web(allow_private=True)) as fetcher:
        done = poll(
            Feed(url=f"{site.url}/a", address=f"{site.url}/a"),
            fetcher,
            Manners(fetcher, delay_s=0),
            reading(),
            every_s=60,
            now=1000.0,
            chance=lambda: 0.0,
        )
    assert done.feed.due == 1000 + max(seconds, 120)


def test_a_feed_that_never_answers_is_still_asked_once_a_day(site: Site) -> None:
    failing = Feed(url=f"{site.url}/a", address=f"{site.url}/a", failures=5000)
    with Fetcher(Web(allow_private=True)) as fetcher:
        manners = Manners(fetcher, delay_s=0)
        done = poll(failing, fetcher, manners, reading(), every_s=60, now=0.0, chance=lambda: 0.0)
    assert done.feed.due == LONGEST_WAIT_S


def reading() -> Any:
    from serving.scoring.kinds import Reading

    return Reading()


def test_a_feed_that_moved_for_good_is_asked_there(site: Site, desk: Desk) -> None:
    site.pages["/old"] = send(301, Location="/new")
    site.pages["/new"] = send(200, feed(("1", "boat")))
    desk.round(f"{site.url}/old")
    desk.round(f"{site.url}/old", after=60)
    assert site.paths() == ["/old", "/new", "/new"]
    assert [row["source"] for row in desk.rows()] == [f"{site.url}/old"]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("<html><body>hello</body></html>", "is no feed: it holds html"),
        (b"\0\1\2", "is no feed: nothing tells"),
        (b"x" * 200_000, "more than 100000 bytes"),
    ],
)
def test_what_is_no_feed_fails_with_the_reason(
    site: Site, desk: Desk, body: bytes | str, told: str
) -> None:
    site.pages["/a"] = send(200, body)
    assert told in desk.round(f"{site.url}/a").failed[f"{site.url}/a"]


def test_broken_entries_are_rejected_once(site: Site, desk: Desk) -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aa">]><rss><item><title>&a;</title></item></rss>'
    site.pages["/bomb"] = send(200, bomb)
    site.pages["/a"] = send(200, feed(("1", ""), ("2", "boat")).replace("<title>1</title>", ""))
    feeds = (f"{site.url}/a", f"{site.url}/bomb")
    done = desk.round(*feeds)
    assert (done.totals.scored, done.totals.rejected) == (1, 2)
    reasons = [row["reason"] for row in lines(desk.out / "rejects.jsonl")]
    assert any("document type" in reason for reason in reasons)
    assert desk.round(*feeds, after=60).new == 0


PLACES = [
    ("before a feed is remembered", 0),
    ("before a feed is remembered", 1),
    ("after a feed is remembered", 0),
    ("after a feed is remembered", 1),
    ("before the shard has its name", 0),
    ("before the shard has its name", 1),
    ("after the index is kept", 1),
    ("after the index is kept", 2),
    ("before the queue hears of the shard", 0),
    ("before the queue hears of the shard", 1),
]


@pytest.mark.parametrize(("place", "passes"), PLACES)
def test_after_kill_9_nothing_is_lost_and_nothing_twice(
    site: Site, tiny_model: Path, tmp_path: Path, place: str, passes: int
) -> None:
    copy = STORY.format("twelve men")
    site.pages["/a"] = send(200, feed(*((f"a{n}", f"boat {n}") for n in range(5)), ("a9", copy)))
    site.pages["/b"] = send(200, feed(("b1", "ship"), ("b2", copy), ("b3", "tractor")))
    out = tmp_path / "out"
    run = [sys.executable, "-m", "tests.serving.watching.killed", str(tiny_model), str(out)]
    feeds = [f"{site.url}/a", f"{site.url}/b"]
    root = Path(__file__).parents[3]
    killed = subprocess.run([*run, place, str(passes), *feeds], cwd=root, check=False)
    assert killed.returncode == -9
    # The feeds that were remembered are not due, and what was queued of them is still written.
    subprocess.run([*run, "nowhere", "0", *feeds], cwd=root, check=True)
    rows = [row for path in sorted(out.glob("shard-*")) for row in lines(path)]
    found = Counter(row["id"] for row in rows)
    assert found == Counter([*(f"a{n}" for n in range(5)), "a9", "b1", "b2", "b3"])
    assert [row["id"] for row in rows if "copy_of" in row] == ["b2"]


def test_a_stop_leaves_the_rest_for_the_next_start(
    site: Site, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.pages["/a"] = send(200, feed(*((str(n), f"boat {n}") for n in range(5))))
    stop = Event()
    keep = State.keep

    def keep_and_stop(self: State, *more: Any) -> int:
        stop.set()
        return keep(self, *more)

    monkeypatch.setattr(State, "keep", keep_and_stop)
    web = Web(allow_private=True, delay_s=0)
    options = Options(copies="near", shard_records=2)
    pace = Pace(every_s=60)
    feeds = [f"{site.url}/a"]
    (done,) = watch(feeds, desk.out, desk.classifier, pace, options=options, web=web, stop=stop)
    assert done.totals.scored == 2
    monkeypatch.undo()
    stop.clear()
    (done,) = watch(
        feeds, desk.out, desk.classifier, Pace(every_s=60, rounds=1), options=options, web=web
    )
    assert done.totals.scored == 5


def test_lists_are_read_and_only_of_the_web(tmp_path: Path) -> None:
    listing = tmp_path / "feeds.opml"
    listing.write_text(
        '<opml><body><outline xmlUrl="https://a.example/1"/>'
        '<outline text="x"><outline xmlUrl="https://b.example/2"/></outline></body></opml>'
    )
    assert feeds_of([str(listing), "https://a.example/1", "https://c.example/"]) == [
        "https://a.example/1",
        "https://b.example/2",
        "https://c.example/",
    ]
    (tmp_path / "local.xml").write_text("<rss/>")
    listing.write_text('<opml><body><outline xmlUrl="local.xml"/></body></opml>')
    with pytest.raises(ServingError, match="only feeds on the web"):
        feeds_of([str(listing)])
    listing.write_text("<opml><body/></opml>")
    with pytest.raises(ServingError, match="lists no feed"):
        feeds_of([str(listing)])
    with pytest.raises(ServingError, match="no such file"):
        feeds_of([str(tmp_path / "missing.opml")])


def test_the_command_watches_a_round_and_refuses_another_model_or_a_file(
    site: Site, tiny_model: Path, tmp_path: Path
) -> None:
    site.pages["/a"] = send(200, feed(("1", "boat")))
    asked = [f"{site.url}/a", "--once", "--allow-private", "--delay", "1s", "--json"]
    asked += ["--model", str(tiny_model), "--threads", "1"]
    done = CliRunner().invoke(command, [*asked, "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert '"new": 1' in done.stdout
    refused = CliRunner().invoke(command, [*asked, "--out", str(tmp_path / "out.jsonl")])
    assert "one file" in str(refused.exception)
    wrong = CliRunner().invoke(command, [*asked, "--out", "x", "--every", "soon"])
    assert "no length of time" in wrong.output
