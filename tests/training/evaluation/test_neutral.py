"""False alarms on a source that nobody labelled."""

import gzip
import json
from pathlib import Path

import pytest

from tests.training.evaluation.test_robustness import CLAIM, Scripted
from tests.training.evaluation.toys import measured, passage, taxonomy
from training.corpus import Corpus
from training.errors import LabelError
from training.evaluation.measured import Measured
from training.evaluation.neutral import false_alarms
from training.labels.sources import Passage

ROWS = [
    {"id": "1", "lang": "en", "text": "one", "parallel_id": 1},
    {"id": "2", "lang": "ka", "text": "two", "parallel_id": 1},
    {"id": "3", "lang": "en", "text": "three", "parallel_id": 0},
    {"id": "4", "lang": "en", "text": " "},
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with gzip.open(tmp_path / "plain.jsonl.gz", "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in ROWS)
    return tmp_path


@pytest.fixture
def alarmed() -> Measured:
    one = measured([passage({})], [{}])
    object.__setattr__(one, "classifier", Scripted(one.classifier.manifest, CLAIM))
    return one


def corpus(*passages: Passage) -> Corpus:
    return Corpus(
        taxonomy=taxonomy(), passages=list(passages), split={}, without_source=[], changed=[]
    )


def test_every_text_counts_in_its_language(folder: Path, alarmed: Measured) -> None:
    found = false_alarms(alarmed, corpus(), folder, "plain")
    assert [(part["language"], part["zero_shot"]) for part in found] == [
        ("en", False),
        ("ka", True),
    ]
    assert [part["accepted"]["total"] for part in found] == [2, 1]
    assert all(part["accepted"]["value"] == part["found"]["value"] == 1.0 for part in found)


def test_what_is_labelled_is_left_out_with_its_translations(
    folder: Path, alarmed: Measured
) -> None:
    labelled = passage({}, "1", source="plain")
    labelled.row.update(ROWS[0])
    false_alarms(alarmed, corpus(labelled), folder, "plain")
    assert alarmed.classifier.asked == ["three"]


def test_a_parallel_id_of_0_is_one(folder: Path, alarmed: Measured) -> None:
    labelled = passage({}, "3", source="plain")
    labelled.row.update(ROWS[2])
    false_alarms(alarmed, corpus(labelled), folder, "plain")
    assert alarmed.classifier.asked == ["one", "two"]


def test_a_source_that_is_not_there_is_named(folder: Path, alarmed: Measured) -> None:
    with pytest.raises(LabelError, match=r"no .*elsewhere\.jsonl\.gz: pass the --sources"):
        false_alarms(alarmed, corpus(), folder, "elsewhere")


def test_a_damaged_source_is_named(folder: Path, alarmed: Measured) -> None:
    (folder / "plain.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(LabelError, match="is damaged"):
        false_alarms(alarmed, corpus(), folder, "plain")
