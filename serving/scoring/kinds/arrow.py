"""Arrow IPC, as a file or as a stream, batch by batch."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa

from serving.errors import SourceError
from serving.scoring.kinds import Reading
from serving.scoring.kinds.batches import choose, entries
from serving.scoring.records import Entry

_FILE = b"ARROW1"


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each row."""
    try:
        opened = _open(stream)
        columns = choose(opened.schema, source, reading)
        yield from entries(_batches(opened), columns, source, reading)
    except pa.ArrowException as error:
        raise SourceError(f"The source is not whole Arrow: {error}.") from error
    except OSError as error:
        # Arrow calls what is cut off an OSError too, but without a number.
        if error.errno:
            raise
        raise SourceError(f"The source is not whole Arrow: {error}.") from error


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
