"""What the tests of fetching share: a site, and a fetcher that may ask it."""

from collections.abc import Iterator

import pytest

from serving.web.fetch import Fetcher
from serving.web.options import FetchLimits, Web


@pytest.fixture
def fetcher() -> Iterator[Fetcher]:
    limits = FetchLimits(bytes=100_000, connect_s=2, seconds=2)
    with Fetcher(Web(limits=limits, allow_private=True)) as made:
        yield made
