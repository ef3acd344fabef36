"""Manners: robots.txt is honoured, and a host is given time between two requests."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from protego import Protego

from serving.web.fetch import AGENT, Fetcher, FetchError, checked

ROBOTS_BYTES = 512 << 10
"""Of a robots.txt; RFC 9309 asks to read at least 500 KiB."""
LONGEST_DELAY_S = 60.0
"""A Crawl-delay beyond it would be no delay but a refusal that nobody sees."""
_KEPT_S = 24 * 3600
_NOTHING, _ALL = "", "User-agent: *\nDisallow: /"
_SERVER_FAULT = 500


class Manners:
    """Asks each host's robots.txt once a day (RFC 9309), and waits between requests to a host."""

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        delay_s: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Behave; `delay_s` is the least time between two requests to a host."""
        self._fetcher, self._delay_s, self._clock, self._sleep = fetcher, delay_s, clock, sleep
        self._rules: dict[str, tuple[float, Protego]] = {}
        self._next: dict[str, float] = {}

    def use(self, fetcher: Fetcher) -> None:
        """Ask by another fetcher from now on; what is known of hosts stays."""
        self._fetcher = fetcher

    def wait(self, url: str) -> None:
        """Return when `url` may be asked.

        Raises:
            FetchError: the host's robots.txt forbids it, or its server fails to say.
        """
        address = checked(url)
        parts = urlsplit(address)
        host = f"{parts.scheme}://{parts.netloc}"
        rules = self._robots(host)
        if not rules.can_fetch(address, AGENT):
            raise FetchError(f"{url} is closed to us by {host}/robots.txt.", lasting=True)
        asked = rules.crawl_delay(AGENT)
        self._pause(host, max(self._delay_s, min(float(asked or 0), LONGEST_DELAY_S)))

    def _pause(self, host: str, delay_s: float) -> None:
        now = self._clock()
        if (wait := self._next.get(host, now) - now) > 0:
            self._sleep(wait)
        self._next[host] = max(now, self._next.get(host, now)) + delay_s

    def _robots(self, host: str) -> Protego:
        kept = self._rules.get(host)
        if kept and self._clock() < kept[0]:
            return kept[1]
        self._pause(host, self._delay_s)
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "robots.txt"
            try:
                self._fetcher.fetch(f"{host}/robots.txt", path)
                text = path.read_bytes()[:ROBOTS_BYTES].decode("utf-8", "replace")
            except FetchError as error:
                if error.status is None and not error.lasting:
                    raise
                # No such file: nothing is forbidden. A server that fails: everything is, for now.
                failing = error.status is not None and error.status >= _SERVER_FAULT
                text = _ALL if failing else _NOTHING
                kept_s = 0 if failing else _KEPT_S
            else:
                kept_s = _KEPT_S
        rules = Protego.parse(text)
        self._rules[host] = (self._clock() + kept_s, rules)
        return rules
