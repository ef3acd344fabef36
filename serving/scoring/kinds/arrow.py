"""Arrow IPC, as a file or as a stream, batch by batch."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from serving.scoring.kinds import Reading
from serving.scoring.kinds.batches import choose, entries
from serving.scoring.kinds.broken import whole
from serving.scoring.records import Entry

_FILE = b"ARROW1"


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each row."""
    with whole("Arrow"):
        opened = _open(stream)
        columns = choose(opened.schema, source, reading)
        yield from entries(_batches(opened), columns, source, reading)


def _open(stream: BinaryIO) -> Any:
    start = stream.read(len(_FILE))
    stream.seek(0)
    return pa.ipc.open_file(stream) if start == _FILE else pa.ipc.open_stream(stream)


def _batches(opened: Any) -> Iterator[Any]:
    if isinstance(opened, pa.ipc.RecordBatchFileReader):
        for index in range(opened.num_record_batches):
            yield opened.get_batch(index)
    else:
        yield from opened
