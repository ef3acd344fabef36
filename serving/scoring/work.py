"""What a run has to do: its sources, read, linked and cut into the shards that are not finished.

What an earlier process finished is read again but not scored again: reading costs little beside
scoring, it makes the index of copies what it was, and it tells if a source has changed.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from serving.errors import ServingError
from serving.scoring import shards
from serving.scoring.durable import PARTIAL
from serving.scoring.kinds import Reading
from serving.scoring.options import Options
from serving.scoring.reading import entries
from serving.scoring.records import Link, Record
from serving.scoring.rows import Run, identifier
from serving.scoring.shards import Group, Item, cut
from serving.scoring.sources import Source

_INDEX = "copies.sqlite" + PARTIAL


@dataclass(frozen=True, kw_only=True)
class Work:
    """Everything that decides what comes out, beside the model; it may be sent elsewhere.

    `finished` has the digests of what the shards were made of that an earlier process finished.
    """

    sources: Sequence[Source]
    options: Options
    run: Run
    finished: Sequence[str] = ()

    def groups(self, scratch: Path, tell: Callable[[str], None]) -> Iterator[Group]:
        """Read all sources and yield the shards that are not finished, the same at every run.

        The index of copies lies in the folder `scratch` meanwhile. There is always a shard in a
        run, even if nothing is in it: readers of the folder find a file with the right columns.

        Raises:
            ServingError: a source changed since a finished shard was made of it, cannot be read
                for a reason that may pass, or the index cannot be kept.
        """
        index = scratch / _INDEX
        number = 0
        try:
            with ExitStack() as stack:
                items = self._items(index, tell, stack)
                for number, group in enumerate(self._cut(items)):
                    if number >= len(self.finished):
                        yield Group(number, group)
                    elif self.finished[number] != shards.digest(group):
                        raise ServingError(_changed(number))
        except sqlite3.Error as error:
            raise ServingError(f"{index}: {error}.") from error
        if number + 1 < len(self.finished):
            raise ServingError(_changed(len(self.finished) - 1))

    def _cut(self, items: Iterator[Item]) -> Iterator[list[Item]]:
        group = None
        for group in cut(items, self.options.shard_records, shards.SHARD_TEXT):
            yield group
        if group is None:
            yield []

    def _items(self, index: Path, tell: Callable[[str], None], stack: ExitStack) -> Iterator[Item]:
        reading = Reading(self.options.columns, self.options.limits, _once(tell))
        if self.options.copies is None or self.options.copies == "score":
            for entry in entries(self.sources, reading):
                yield Item(entry)
            return
        # Its library takes half a second to load, which is for those who use it.
        from serving.scoring.copies import Copies

        copies = stack.enter_context(Copies(index, self.options.copies))
        for entry in entries(self.sources, reading):
            link: Link | None = None
            if isinstance(entry, Record):
                link = copies.link(entry, identifier(entry))
            yield Item(entry, link)


def _once(tell: Callable[[str], None]) -> Callable[[str, str], None]:
    """Return what tells each choice once: a folder may have a thousand files of one shape."""
    told: set[str] = set()

    def tell_choice(source: str, choice: str) -> None:
        if choice not in told:
            told.add(choice)
            tell(f"{source}: {choice}")

    return tell_choice


def _changed(number: int) -> str:
    return (
        f"The sources have changed since shard {number} was made of them: "
        "remove the output, or pass another --out."
    )
