"""Rounds of polling and scoring, one after the other, into a folder that grows."""

import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring import shards
from serving.scoring.copies import Copies
from serving.scoring.destination import Destination
from serving.scoring.kinds import Reading
from serving.scoring.listings import listed
from serving.scoring.making import Maker
from serving.scoring.manifest import Header, Manifest, Totals
from serving.scoring.options import Options
from serving.scoring.records import Entry, Record
from serving.scoring.rows import Run, identifier
from serving.scoring.shards import Group, Item, cut
from serving.scoring.writing import Writer
from serving.watching.poll import JITTER, Poll, poll
from serving.watching.state import Feed, State
from serving.web.fetch import Fetcher
from serving.web.manners import Manners
from serving.web.options import Web, is_web

INDEX = "copies.sqlite"
HOSTS = 8
"""Hosts that are asked at a time, each over one connection."""
SOURCE = "watch"
"""What the manifest calls the source of a watch, whose feeds may change."""


@dataclass(frozen=True, kw_only=True)
class Round:
    """What a round did; `failed` are the feeds that did, with the reason."""

    polled: int
    unchanged: int
    new: int
    failed: dict[str, str]
    totals: Totals

    def __str__(self) -> str:
        """Return a line for a reader."""
        return (
            f"polled {self.polled}, unchanged {self.unchanged}, failed {len(self.failed)}, "
            f"new {self.new}; all: {self.totals}"
        )


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How often feeds are polled, and how many rounds at most."""

    every_s: float
    rounds: int | None = None


def watch(
    names: Sequence[str],
    out: Path,
    classifier: Classifier,
    pace: Pace,
    *,
    options: Options | None = None,
    web: Web | None = None,
    stop: Event | None = None,
    now: Callable[[], float] = time.time,
) -> Iterator[Round]:
    """Poll feeds and add what is new to the folder `out`, yielding after each round.

    `names` are addresses of feeds and OPML files, which are read anew in each round. `stop` ends
    the watch as soon as the shard at hand is written.

    Raises:
        ServingError: a list cannot be read, or `out` holds something else.
    """
    options = options or Options(copies="near")
    if options.copies not in ("near", "exact"):
        raise ServingError("a watch links copies: pass --copies near or exact.")
    destination = Destination.at(out, options.format, options.partition)
    if destination.file is not None:
        raise ServingError(f"{out} is one file, and a watch adds shards: pass a folder as --out.")
    feeds_of(names)
    stop = stop or Event()
    header = Header.of([(SOURCE, 0)], classifier.manifest, options, _moment(now()))
    with (
        Manifest(out, header) as manifest,
        State(out) as state,
        Copies(
            out / INDEX, options.copies, keep=sum(shard.scored for shard in manifest.shards)
        ) as copies,
    ):
        desk = _Desk(out, classifier, options, manifest, state, copies)
        # What an earlier process had polled and not written yet.
        desk.score(now(), stop)
        kept: dict[str, Manners] = {}
        done = 0
        while not stop.is_set() and (pace.rounds is None or done < pace.rounds):
            yield _round(names, desk, state, kept, pace, web or Web(), stop, now)
            done += 1
            if pace.rounds is None or done < pace.rounds:
                stop.wait(pace.every_s * (1 + JITTER * random.random()))  # noqa: S311


def feeds_of(names: Sequence[str]) -> list[str]:
    """Return the addresses of feeds that are named or listed, each once.

    Raises:
        ServingError: a list cannot be read, or lists what is not on the web.
    """
    found: dict[str, None] = {}
    for name in names:
        if is_web(name):
            found[name] = None
            continue
        if not Path(name).is_file():
            raise ServingError(f"{name} cannot be read: there is no such file.")
        with Path(name).open("rb") as stream:
            for one in listed(stream, name):
                if not isinstance(one, str):
                    raise ServingError(f"{name} lists {one}: only feeds on the web are watched.")
                found[one] = None
    if not found:
        raise ServingError(f"{', '.join(names)} lists no feed: add outlines with an xmlUrl.")
    return [*found]


def _moment(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC).replace(microsecond=0)


def _round(
    names: Sequence[str],
    desk: "_Desk",
    state: State,
    kept: dict[str, Manners],
    pace: Pace,
    web: Web,
    stop: Event,
    now: Callable[[], float],
) -> Round:
    due = [feed for url in feeds_of(names) if (feed := state.feed(url)).due <= now()]
    hosts: dict[str, list[Feed]] = defaultdict(list)
    for feed in due:
        hosts[urlsplit(feed.address).netloc.lower()].append(feed)
    reading = Reading(limits=desk.options.limits)

    def ask(host: str) -> Iterator[Poll]:
        with Fetcher(web) as fetcher:
            manners = kept.setdefault(host, Manners(fetcher, delay_s=web.delay_s))
            manners.use(fetcher)
            for feed in hosts[host]:
                if stop.is_set():
                    return
                yield poll(feed, fetcher, manners, reading, every_s=pace.every_s, now=now())

    polled = unchanged = new = 0
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(HOSTS) as pool:
        for polls in pool.map(lambda host: list(ask(host)), hosts):
            for done in polls:
                polled += 1
                new += state.keep(done.feed, done.entries)
                if done.feed.error:
                    failed[done.feed.url] = done.feed.error
                elif not done.fresh:
                    unchanged += 1
    desk.score(now(), stop)
    return Round(polled=polled, unchanged=unchanged, new=new, failed=failed, totals=desk.totals)


class _Desk:
    """Scores what waits in the memory, shard by shard."""

    def __init__(
        self,
        out: Path,
        classifier: Classifier,
        options: Options,
        manifest: Manifest,
        state: State,
        copies: Copies,
    ) -> None:
        self.options = options
        self._manifest, self._state, self._copies = manifest, state, copies
        self._out, self._classifier = out, classifier
        self._writer = Writer(out, options.partition)
        self._writer.restore(manifest.shards)
        self.totals = sum((shard.totals for shard in manifest.shards), Totals())
        # The manifest has the last word: a stop may have come before the memory heard of it.
        state.written(self.totals.read)

    def score(self, now: float, stop: Event) -> None:
        """Write what waits; a stop leaves the rest waiting."""
        model = self._classifier.manifest
        run = Run(
            model=model.name,
            taxonomy=model.taxonomy_version,
            scored_at=_moment(now),
            with_text=self.options.with_text,
        )
        maker = Maker(self._classifier, self.options, run)
        waiting = (self._item(entry) for entry in self._state.waiting())
        for group in cut(waiting, self.options.shard_records, shards.SHARD_TEXT):
            for _ in maker.make(self._out, Group(len(self._manifest.shards), group)):
                pass
            shard = self._writer.write(maker.made)
            self._copies.commit()
            self._manifest.add(shard)
            self.totals += shard.totals
            self._state.written(self.totals.read)
            if stop.is_set():
                return

    def _item(self, entry: Entry) -> Item:
        if isinstance(entry, Record):
            return Item(entry, self._copies.link(entry, identifier(entry)))
        return Item(entry)
