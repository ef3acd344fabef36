"""Copies of what a run fetches from the web, kept until it is complete.

A run that goes on reads what it read before, not what is on the web by then. What failed is kept
too: it is a reject, and stays one.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from serving.errors import ServingError
from serving.scoring.durable import PARTIAL, publish, unfinished
from serving.scoring.limits import ADDRESSES
from serving.scoring.sources import Source
from serving.web.fetch import Fetcher, FetchError
from serving.web.manners import Manners
from serving.web.options import Web

FOLDER = "fetched" + PARTIAL


class Downloads:
    """Fetches addresses, each once for all processes of a run."""

    def __init__(self, folder: Path, fetcher: Fetcher, manners: Manners) -> None:
        """Keep what is fetched in `folder`."""
        self._folder, self._fetcher, self._manners = folder, fetcher, manners
        self._count = 0

    def source(self, url: str) -> Source:
        """Return what is at `url` as a source; one that cannot be fetched says why.

        Raises:
            ServingError: more addresses are named than a run may fetch.
        """
        self._count += 1
        if self._count > ADDRESSES:
            raise ServingError(f"More than {ADDRESSES} addresses of the web: split the list.")
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / hashlib.sha256(url.encode()).hexdigest()[:24]
        failed = path.with_suffix(".json")
        if not (path.exists() or failed.exists()):
            self._fetch(url, path, failed)
        if path.exists():
            return Source(url, str(path), path.stat().st_size, web=True)
        why = str(json.loads(failed.read_text())["why"])
        return Source(url, str(path), 0, web=True, broken=why)

    def _fetch(self, url: str, path: Path, failed: Path) -> None:
        try:
            self._manners.wait(url)
            self._fetcher.fetch(url, unfinished(path))
        except FetchError as error:
            unfinished(failed).write_text(json.dumps({"url": url, "why": str(error)}))
            publish(unfinished(failed), failed)
        else:
            publish(unfinished(path), path)


@contextmanager
def downloads(folder: Path, web: Web) -> Iterator[Downloads]:
    """Yield what fetches into `folder` below the output."""
    with Fetcher(web) as fetcher:
        yield Downloads(folder / FOLDER, fetcher, Manners(fetcher, delay_s=web.delay_s))


def forget(folder: Path) -> None:
    """Remove the copies when the run is complete."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)
