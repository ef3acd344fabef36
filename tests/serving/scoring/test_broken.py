"""Sources altered at random: whatever comes of it is records and rejects, never a traceback."""

import bz2
import gzip
import lzma
import random
import warnings
from pathlib import Path

import pyarrow as pa
import pytest

from serving.scoring.compression import zstd
from serving.scoring.kinds import Reading
from serving.scoring.reading import entries
from serving.scoring.sources import Source
from tests.serving.scoring.test_kinds import ATOM, PAGE, RSS, TABLE, archive, columnar

ROUNDS = 40
_PAGES = [("200 OK", "text/html", PAGE.encode()), ("200 OK", "text/plain", b"The boat.")]
_LINES = b'{"id": 1, "text": "red tractor"}\n' * 20
WHOLE = {
    "a.jsonl": _LINES,
    "a.csv": b'id,text,date\n1,"red, blue",2024\n' * 10,
    "a.warc": archive(_PAGES, compressed=False),
    "a.warc.gz": archive(_PAGES),
    "a.rss": RSS.encode(),
    "a.atom": ATOM.encode(),
    "a.html": PAGE.encode(),
    "a.txt": "Красный трактор.".encode(),
    "a.jsonl.gz": gzip.compress(_LINES),
    "a.jsonl.zst": zstd.compress(_LINES),
    "a.jsonl.bz2": bz2.compress(_LINES),
    "a.jsonl.xz": lzma.compress(_LINES),
}


def altered(whole: bytes, chance: random.Random) -> bytes:
    """Return the bytes with some of them changed, left out, doubled, or cut off."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(content) or 1)
        way = chance.randrange(4)
        if way == 0:
            content[at : at + 1] = bytes([chance.randrange(256)])
        elif way == 1:
            del content[at : at + chance.randint(1, 50)]
        elif way == 2:
            content[at:at] = content[at : at + chance.randint(1, 50)]
        elif chance.random() < 0.3:
            del content[at:]
    return bytes(content)


@pytest.mark.parametrize("name", [*WHOLE, "a.parquet", "a.arrow", "a.arrows"])
def test_what_is_altered_is_records_and_rejects(tmp_path: Path, name: str) -> None:
    chance = random.Random(name)
    path = tmp_path / name
    whole = WHOLE.get(name) or columnar(path, pa.table(TABLE)).read_bytes()
    for _ in range(ROUNDS):
        path.write_bytes(altered(whole, chance))
        with warnings.catch_warnings():
            # What libraries warn of is no error to a run.
            warnings.simplefilter("ignore")
            found = list(entries([Source(str(path), str(path), 0)], Reading()))
        assert all(entry.source == str(path) and entry.position >= 1 for entry in found)
