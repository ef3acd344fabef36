"""Memory does not grow with the input: ten times the records take no more than a few of them."""

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.scoring.copies import Copies
from serving.scoring.kinds import Reading
from serving.scoring.reading import entries
from serving.scoring.records import Record
from serving.scoring.shards import Item, cut
from serving.scoring.sources import expand

FEW, MANY = 1_000, 10_000
ROOM = 400_000
"""Bytes that the larger input may take more; it has some four million more itself."""


def peak(path: Path, index: Path) -> int:
    """Return the most bytes of Python objects while a source is read, linked and cut."""
    tracemalloc.start()
    try:
        with Copies(index, "exact") as copies:
            items = (
                Item(entry, copies.link(entry, str(entry.position)))
                for entry in entries(expand([str(path)]), Reading())
                if isinstance(entry, Record)
            )
            count = sum(len(group) for group in cut(items, 100, 10**9))
        assert count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write(path: Path, count: int) -> Path:
    texts = [f"{n} {'the red tractor ' * 30}" for n in range(count)]
    if path.suffix == ".parquet":
        pq.write_table(pa.table({"text": texts}), path)
    elif path.suffix == ".csv":
        path.write_text("text\n" + "".join(f"{text}\n" for text in texts))
    else:
        with gzip.open(path, "wt") as sink:
            sink.writelines(f'{{"text": "{text}"}}\n' for text in texts)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".jsonl.gz", ".parquet"])
def test_memory_stays_flat(tmp_path: Path, suffix: str) -> None:
    def measured(name: str, count: int) -> Any:
        return peak(write(tmp_path / f"{name}{suffix}", count), tmp_path / "index")

    measured("warm", 200)
    assert measured("many", MANY) < measured("few", FEW) + ROOM
