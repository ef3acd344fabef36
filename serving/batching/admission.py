"""What may come in: a queue that is bounded by tokens, and closed while the service stops."""

import math
from collections.abc import Iterator
from contextlib import contextmanager

from serving.batching.scorer import Batch
from serving.errors import ServingError

CODE_POINTS_PER_TOKEN = 3
"""Fewer than any alphabet's text has on average, so that the queue is not longer than it says."""
LIGATURES = {"\ufdfa": 18, "\ufdfb": 8}
"""Characters that are read as many: phrases in one code point. Each counts as its length."""
SMOOTHING = 0.2
"""Weight of the latest batch in the measured rate."""
LONGEST_WAIT_S = 60


class OverloadError(ServingError):
    """The queue is full; `retry_after` is in seconds."""

    def __init__(self, retry_after: int, limit: int) -> None:
        """Make the error with the time until there should be room."""
        super().__init__(
            f"The service has {limit} tokens waiting, and takes no more: "
            f"send this again in {retry_after} s."
        )
        self.retry_after = retry_after


class DrainingError(ServingError):
    """The service is stopping and takes nothing new."""

    def __init__(self) -> None:
        """Make the error."""
        super().__init__("The service is stopping: send this to another instance.")


class Admission:
    """Counts the tokens that were accepted and not yet answered."""

    def __init__(self, limit: int) -> None:
        """Accept up to `limit` tokens at a time."""
        self.limit = limit
        self.tokens = 0
        self.draining = False
        self._rate = 0.0

    @contextmanager
    def admit(self, tokens: int) -> Iterator[None]:
        """Hold room for `tokens` while they are answered; one request alone always has room.

        Raises:
            OverloadError: the queue is full.
            DrainingError: the service is stopping.
        """
        if self.draining:
            raise DrainingError
        if self.tokens and self.tokens + tokens > self.limit:
            raise OverloadError(self._until_room(tokens), self.limit)
        self.tokens += tokens
        try:
            yield
        finally:
            self.tokens -= tokens

    def measured(self, batch: Batch) -> None:
        """Learn the rate (tokens a second) from a batch."""
        rate = batch.tokens / max(batch.seconds, 1e-6)
        self._rate += (rate - self._rate) * (SMOOTHING if self._rate else 1)

    def _until_room(self, tokens: int) -> int:
        too_many = min(self.tokens, self.tokens + tokens - self.limit)
        seconds = too_many / self._rate if self._rate else 1
        return max(1, min(LONGEST_WAIT_S, math.ceil(seconds)))


def estimate(text: str) -> int:
    """Return about how many tokens a text has, before it is tokenised."""
    more = sum(text.count(char) * (length - 1) for char, length in LIGATURES.items())
    return (len(text) + more) // CODE_POINTS_PER_TOKEN + 1
