"""The cache: bounded, the one that was asked for longest ago goes first."""

import numpy as np

from serving.batching.cache import Cache, content_hash
from serving.engine import Scores


def _scores(value: float) -> Scores:
    return Scores(np.full((1, 2), value, np.float32), np.full((1, 2, 2), value, np.float32))


def test_what_was_put_is_found() -> None:
    cache = Cache(2)
    scores = _scores(1)
    cache.put(b"a", scores)
    assert cache.get(b"a") is scores
    assert cache.get(b"b") is None


def test_the_one_asked_for_longest_ago_makes_room() -> None:
    cache = Cache(2)
    for name in (b"a", b"b"):
        cache.put(name, _scores(1))
    cache.get(b"a")
    cache.put(b"c", _scores(1))
    assert [cache.get(name) is not None for name in (b"a", b"b", b"c")] == [True, False, True]


def test_it_never_holds_more_than_its_entries() -> None:
    cache = Cache(3)
    for number in range(100):
        cache.put(str(number).encode(), _scores(number))
        assert len(cache) <= 3


def test_without_entries_nothing_is_kept() -> None:
    cache = Cache(0)
    cache.put(b"a", _scores(1))
    assert len(cache) == 0
    assert cache.get(b"a") is None


def test_hashes_tell_passages_apart_by_every_token_and_their_order() -> None:
    rows = [[1], [2], [1, 2], [2, 1], [1, 0], [256], [1, 2, 0]]
    assert len({content_hash(row) for row in rows}) == len(rows)
    assert content_hash([1, 2]) == content_hash((1, 2))
