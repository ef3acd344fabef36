"""Parquet, a few rows at a time."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from serving.errors import SourceError
from serving.scoring.kinds import Reading
from serving.scoring.kinds.batches import SLICE, choose, entries
from serving.scoring.records import Entry


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each row."""
    try:
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=1 << 20)
        columns = choose(file.schema_arrow, source, reading)
        yield from entries(_batches(file, columns.used()), columns, source, reading)
    except pa.ArrowException as error:
        raise SourceError(f"The source is not whole Parquet: {error}.") from error


def _batches(file: Any, names: list[str]) -> Iterator[Any]:
    try:
        yield from file.iter_batches(batch_size=SLICE, columns=names, use_threads=False)
    except OSError as error:
        # Arrow calls broken pages an OSError too, but without a number.
        if error.errno:
            raise
        raise SourceError(f"The source is not whole Parquet: {error}.") from error
