"""Reads one source after the other; what is broken becomes a reject and never ends the run."""

import io
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import BinaryIO, cast

from serving.errors import ServingError, SourceError
from serving.scoring.compression import PIECE, Started, undone
from serving.scoring.kinds import HEAD, LISTINGS, Reading, kind_of, reader
from serving.scoring.limits import SOURCE_BYTES
from serving.scoring.records import Entry, reject
from serving.scoring.sources import Source

_SEEKING = {"parquet", "arrow"}
"""Kinds that are read from their end, so that a compressed one is undone into a file first."""
_OF_THE_FILE = (FileNotFoundError, PermissionError, IsADirectoryError)


def entries(sources: Iterable[Source], reading: Reading) -> Iterator[Entry]:
    """Yield what all sources hold, in order.

    Raises:
        ServingError: reading failed in a way that may pass, such as a network's: run again.
    """
    for source in sources:
        yield from _entries(source, reading)


def _entries(source: Source, reading: Reading) -> Iterator[Entry]:
    position = 0
    if source.broken:
        yield reject(source.name, 1, source.broken)
        return
    try:
        with ExitStack() as stack:
            raw = stack.enter_context(source.open())
            stream, compressed = undone(raw, most=reading.limits.source_bytes)
            stack.enter_context(stream)
            head, stream = _head(stream)
            found = kind_of(source.name, head)
            if found is None or found in LISTINGS:
                if head:
                    yield reject(source.name, 1, "The source is of no kind that is read here.")
                return
            if found in _SEEKING:
                stream = _seekable(source, stream, compressed, stack)
            for entry in reader(found)(stream, source.name, reading):
                position = entry.position
                yield entry
    except SourceError as error:
        yield reject(source.name, position + 1, str(error))
    except _OF_THE_FILE as error:
        yield reject(source.name, position + 1, f"The source cannot be read: {error.strerror}.")
    except OSError as error:
        raise ServingError(
            f"{source.name}: {error.strerror or error}: run the same command again to go on."
        ) from error


def kind(source: Source) -> str | None:
    """Return a source's kind, or None if it cannot be told or read."""
    try:
        with source.open() as raw:
            stream, _ = undone(raw, most=SOURCE_BYTES)
            return kind_of(source.name, stream.read(HEAD))
    except (OSError, SourceError):
        return None


def _head(stream: BinaryIO) -> tuple[bytes, BinaryIO]:
    """Return a stream's first bytes, and the stream from its start."""
    head = b""
    try:
        # BufferedReader.read would drop what it has when what follows is broken.
        while len(head) < HEAD and (piece := cast(io.BufferedReader, stream).read1(HEAD)):
            head += piece
    except SourceError:
        # It is raised again where it belongs: behind what was read.
        pass
    return head, cast(BinaryIO, io.BufferedReader(Started(stream, head), PIECE))


def _seekable(source: Source, stream: BinaryIO, compressed: bool, stack: ExitStack) -> BinaryIO:
    if not compressed:
        return stack.enter_context(source.open())
    spooled = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 (the stack closes it)
    shutil.copyfileobj(stream, spooled, PIECE)
    spooled.seek(0)
    return cast(BinaryIO, spooled)
