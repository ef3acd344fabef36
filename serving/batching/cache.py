"""Scores of passages that were asked for lately, in bounded memory."""

import hashlib
from array import array
from collections import OrderedDict
from collections.abc import Sequence

from serving.engine import Scores


class Cache:
    """The last `entries` passages by a hash of what the network reads; it holds no text.

    It belongs to one loaded model and goes with it, so no answer can outlive a model's version.
    """

    def __init__(self, entries: int) -> None:
        """Make room for `entries` passages; 0 keeps nothing."""
        self._entries = entries
        self._kept: OrderedDict[bytes, Scores] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: bytes) -> Scores | None:
        """Return the scores of a passage if they are still there."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, scores: Scores) -> None:
        """Keep scores; the passage that was asked for longest ago makes room."""
        self._kept[key] = scores
        self._kept.move_to_end(key)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)


def content_hash(ids: Sequence[int]) -> bytes:
    """Return a hash of a passage's token ids; passages that are read alike share it."""
    return hashlib.blake2b(array("i", ids).tobytes(), digest_size=16).digest()
