"""What scores the shards of a run: this process, or a cluster.

An engine decides where the work is done, and nothing of what comes out: it makes the same files
from the same work, so that a run may be begun by one and finished by another.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from serving.model_folder import Manifest
from serving.scoring.manifest import Totals
from serving.scoring.parts import Part
from serving.scoring.records import Reject
from serving.scoring.work import Work


@dataclass(frozen=True, kw_only=True)
class Made:
    """A shard whose files are made, unfinished (`durable.unfinished`) in the run's folder.

    `input` is the digest of what it was made of, `rejects` what of that could not be scored.
    """

    number: int
    parts: Sequence[Part]
    input: str
    rejects: Sequence[Reject]
    totals: Totals


class Engine(Protocol):
    """Scores what a run has to do."""

    @property
    def model(self) -> Manifest:
        """Return the manifest of the model that scores."""

    def make(
        self, work: Work, folder: Path, tell: Callable[[str], None]
    ) -> Iterator[Totals | Made]:
        """Make the files of all shards of the work in `folder`, which is this machine's.

        Yields the shards in the order of their numbers, and before each its totals so far, as
        often as they are known to have grown. In order, because a run that was stopped goes on
        after the first shards that are finished without a gap.

        Raises:
            ServingError: the work cannot be done; what was yielded stays valid.
        """
