"""What the tests of serving share: a small real web site."""

from collections.abc import Iterator

import pytest

from tests.serving.web.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()
