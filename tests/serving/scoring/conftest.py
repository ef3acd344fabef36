"""What the tests of scoring share: a small real model, and sources read whole."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from serving.classifier import Classifier
from serving.scoring.engines.local import Local
from serving.scoring.kinds import Reading
from serving.scoring.options import Options
from serving.scoring.reading import entries
from serving.scoring.records import Entry, Record, Reject
from serving.scoring.run import score
from serving.scoring.sources import expand

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)


@pytest.fixture(scope="session")
def classifier(tiny_model: Path) -> Classifier:
    return Classifier.load(tiny_model, threads=1)


@pytest.fixture
def run(classifier: Classifier) -> Callable[..., dict[str, int]]:
    """Run sources into a destination and return the totals at the end."""

    def finished(sources: list[object], out: Path, **options: Any) -> dict[str, int]:
        *_, last = score(
            [str(s) for s in sources], out, Local(classifier), Options(**options), now=NOW
        )
        assert last.read == last.scored + last.duplicates + last.rejected
        return {"read": last.read, "scored": last.scored} | {
            name: count for name in ("duplicates", "rejected") if (count := getattr(last, name))
        }

    return finished


def read(path: Path, reading: Reading | None = None) -> list[Entry]:
    return list(entries(expand([str(path)]), reading or Reading()))


def records(path: Path, reading: Reading | None = None) -> list[Record]:
    found = read(path, reading)
    assert [entry for entry in found if isinstance(entry, Reject)] == []
    return [entry for entry in found if isinstance(entry, Record)]


def rejects(path: Path, reading: Reading | None = None) -> list[Reject]:
    return [entry for entry in read(path, reading) if isinstance(entry, Reject)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path
