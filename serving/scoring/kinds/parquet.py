"""Parquet, a few rows at a time."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow.parquet as pq

from serving.scoring.kinds import Reading
from serving.scoring.kinds.batches import SLICE, choose, entries
from serving.scoring.kinds.broken import whole
from serving.scoring.records import Entry

_BUFFER = 1 << 20


def read(stream: BinaryIO, source: str, reading: Reading) -> Iterator[Entry]:
    """Yield an entry for each row."""
    with whole("Parquet"):
        file = pq.ParquetFile(stream, pre_buffer=False, buffer_size=_BUFFER)
        columns = choose(file.schema_arrow, source, reading)
        batches = file.iter_batches(batch_size=SLICE, columns=columns.used(), use_threads=False)
        yield from entries(batches, columns, source, reading)
