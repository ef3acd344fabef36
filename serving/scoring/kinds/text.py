"""Plain text: a file is one text, whose id is the file's name."""

from collections.abc import Iterator
from typing import BinaryIO

from serving.scoring.kinds import Reading
from serving.scoring.kinds.documents import identifier, whole
from serving.scoring.records import Entry, Record, checked, reject


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield the text."""
    content = whole(stream)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield reject(source, 1, f"The text is not UTF-8 (byte {error.start}).", content)
        return
    yield checked(
        lambda: Record(source=source, position=1, text=text, id=identifier(source)),
        source,
        1,
        longest=reading.limits.characters,
        raw=content,
    )
