"""One poll of one feed: what is in it, and when it may be asked again."""

import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from serving.scoring.kinds import HEAD, Reading, kind_of
from serving.scoring.reading import entries
from serving.scoring.records import Entry
from serving.scoring.sources import Source
from serving.watching.state import Feed
from serving.web.fetch import Fetcher, FetchError
from serving.web.manners import Manners

LONGEST_WAIT_S = 24 * 3600.0
"""However often a feed failed, it is asked again after a day."""
JITTER = 0.1
"""Rounds come up to so much of the interval late, so that not all who watch ask at once."""


@dataclass(frozen=True, kw_only=True)
class Poll:
    """A feed as it is after a poll, and its entries; `fresh` is False if nothing changed."""

    feed: Feed
    fresh: bool = False
    entries: list[Entry] = field(default_factory=list)


def poll(
    feed: Feed,
    fetcher: Fetcher,
    manners: Manners,
    reading: Reading,
    *,
    every_s: float,
    now: float,
    chance: Callable[[], float] = random.random,
) -> Poll:
    """Ask a feed; one that fails waits twice as long each time, or as long as its server says."""
    try:
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "feed"
            manners.wait(feed.address)
            found = fetcher.fetch(feed.address, path, validators=feed.validators)
            held = _entries(feed.url, path, reading) if found.fresh else []
    except FetchError as error:
        failures = feed.failures + 1
        wait = min(every_s * 2.0 ** min(failures, 30), LONGEST_WAIT_S)
        wait = max(wait * (1 + JITTER * chance()), error.retry_s or 0.0)
        told = replace(feed, due=now + wait, failures=failures, error=str(error))
        return Poll(feed=told)
    told = Feed(
        url=feed.url,
        address=found.moved or feed.address,
        validators=found.validators,
        # A little less, or a feed that was asked late in a round would miss the next one.
        due=now + every_s * (1 - JITTER),
    )
    return Poll(feed=told, fresh=found.fresh, entries=held)


def _entries(url: str, path: Path, reading: Reading) -> list[Entry]:
    with path.open("rb") as stream:
        kind = kind_of("feed", stream.read(HEAD))
    if kind != "feed":
        told = f"it holds {kind}" if kind else "nothing tells what it holds"
        raise FetchError(f"{url} is no feed: {told}.", lasting=True)
    return list(entries([Source(url, str(path), path.stat().st_size)], reading))
