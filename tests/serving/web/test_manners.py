"""Manners: robots.txt is asked once and honoured, and hosts are given time."""

import pytest

from serving.web.fetch import Fetcher, FetchError
from serving.web.manners import Manners
from tests.serving.web.site import Site, send


class Clock:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


def manners(fetcher: Fetcher, clock: Clock, delay_s: float = 1.0) -> Manners:
    return Manners(fetcher, delay_s=delay_s, clock=clock, sleep=clock.sleep)


def test_what_robots_forbids_us_is_not_asked(site: Site, fetcher: Fetcher) -> None:
    site.pages["/robots.txt"] = send(200, "User-agent: Narrascope\nDisallow: /private*/feed$\n")
    ours = manners(fetcher, Clock())
    ours.wait(f"{site.url}/open/feed")
    with pytest.raises(FetchError, match=r"closed to us by .*/robots\.txt"):
        ours.wait(f"{site.url}/private-1/feed")
    assert [path for path, _ in site.asked] == ["/robots.txt"]


def test_what_robots_forbids_others_is_asked(site: Site, fetcher: Fetcher) -> None:
    site.pages["/robots.txt"] = send(200, "User-agent: Other\nDisallow: /\n")
    manners(fetcher, Clock()).wait(f"{site.url}/feed")


def test_without_robots_everything_is_open(site: Site, fetcher: Fetcher) -> None:
    manners(fetcher, Clock()).wait(f"{site.url}/feed")


def test_while_robots_fails_everything_is_closed(site: Site, fetcher: Fetcher) -> None:
    site.pages["/robots.txt"] = send(503)
    ours = manners(fetcher, Clock())
    with pytest.raises(FetchError, match="closed"):
        ours.wait(f"{site.url}/feed")
    site.pages["/robots.txt"] = send(404)
    ours.wait(f"{site.url}/feed")


def test_a_host_is_given_time_between_requests(site: Site, fetcher: Fetcher) -> None:
    clock = Clock()
    ours = manners(fetcher, clock, delay_s=2)
    for number in range(3):
        ours.wait(f"{site.url}/feed-{number}")
    assert clock.slept == [2, 2, 2]


def test_a_longer_delay_that_robots_asks_for_is_kept_within_reason(
    site: Site, fetcher: Fetcher
) -> None:
    site.pages["/robots.txt"] = send(200, "User-agent: *\nCrawl-delay: 5\n")
    clock = Clock()
    ours = manners(fetcher, clock)
    ours.wait(f"{site.url}/1")
    ours.wait(f"{site.url}/2")
    assert clock.slept == [1, 5]
    site.pages["/robots.txt"] = send(200, "User-agent: *\nCrawl-delay: 86400\n")
    clock.now += 100_000
    ours.wait(f"{site.url}/3")
    ours.wait(f"{site.url}/4")
    assert clock.slept[-1] == 60
