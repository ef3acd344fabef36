"""HTML: the main text of a page, without menus and the like."""

from collections.abc import Iterator
from typing import BinaryIO

from serving.scoring.kinds import Reading
from serving.scoring.kinds.documents import identifier, whole
from serving.scoring.kinds.pages import page
from serving.scoring.records import Entry


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield the page's text."""
    yield page(
        whole(stream),
        source,
        1,
        identifier=identifier(source),
        longest=reading.limits.characters,
        url=source if source.startswith(("http://", "https://")) else None,
    )
