"""Sources: stand-off records get the text that was labelled, or are left out and counted."""

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import LabelError
from training.labels import sources
from training.labels.records import Record, StandOff, Written

COMMON = {"lang": "en", "labels": {"blue-boats": "for"}, "annotator": "A", "date": "2026-01-01"}
ROWS = [
    {"id": "1", "lang": "en", "text": "The boat is blue.", "speaker": "Ann"},
    {"id": "2", "lang": "kk", "text": " Қайық көк.\n", "speaker": "Bek"},
    {"id": "3", "lang": "en", "text": "Nobody labelled this row."},
]


def stand_off(name: str, text: str, source: str = "speeches", rows: int = 1) -> StandOff:
    digest = hashlib.sha256(text.encode()).hexdigest()
    about = {"how": "stand-off", "source": source, "sha256": digest, "picked": "random"}
    about |= {"rows": rows}
    return StandOff.model_validate({"id": name, **about, **COMMON})


def written(name: str, text: str) -> Written:
    about = {"how": "written", "text": text, "register": "post"}
    return Written.model_validate({"id": name, **about, **COMMON})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    put(tmp_path / "speeches.jsonl.gz", ROWS)
    return tmp_path


def put(path: Path, rows: list[dict[str, Any]]) -> None:
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def test_a_stand_off_record_gets_text_and_row_of_its_source(folder: Path) -> None:
    record = stand_off("1", "The boat is blue.")
    found = sources.resolve([record], folder)
    assert (found.without_source, found.changed) == ([], [])
    (passage,) = found.passages
    assert (passage.key, passage.source) == ("speeches:1", "speeches")
    assert (passage.text, passage.lang) == ("The boat is blue.", "en")
    assert passage.labels == {"blue-boats": "for"}
    assert passage.row == ROWS[0]
    assert passage.record == record


def test_white_space_around_a_text_is_not_part_of_it(folder: Path) -> None:
    (passage,) = sources.resolve([stand_off("2", "Қайық көк.")], folder).passages
    assert passage.text == "Қайық көк."


def test_a_written_record_needs_no_source() -> None:
    (passage,) = sources.resolve([written("1", "  The boat is blue. ")], None).passages
    assert (passage.key, passage.source, passage.row) == ("written:1", "written", {})
    assert passage.text == "The boat is blue."


@pytest.mark.parametrize("given", [True, False], ids=["not in the folder", "no folder"])
def test_a_record_whose_source_is_absent_is_left_out_and_named(folder: Path, given: bool) -> None:
    records = [stand_off("1", "The boat is blue.", "papers"), written("1", "A boat.")]
    found = sources.resolve(records, folder if given else None)
    assert found.without_source == ["papers:1"]
    assert found.changed == []
    assert [passage.key for passage in found.passages] == ["written:1"]


def test_a_record_whose_row_is_gone_is_left_out_and_named(folder: Path) -> None:
    found = sources.resolve([stand_off("4", "The boat is blue.")], folder)
    assert (found.passages, found.without_source, found.changed) == ([], [], ["speeches:4"])


def test_a_record_whose_text_has_changed_is_left_out_and_named(folder: Path) -> None:
    found = sources.resolve([stand_off("1", "The boat is green.")], folder)
    assert (found.passages, found.without_source, found.changed) == ([], [], ["speeches:1"])


def test_an_id_is_looked_up_in_its_own_source_alone(folder: Path) -> None:
    put(folder / "papers.jsonl.gz", [{"id": "1", "text": "The boat is in the paper."}])
    records = [
        stand_off("1", "The boat is in the paper.", "papers"),
        stand_off("1", "The boat is blue.", "speeches"),
        stand_off("3", "Nobody labelled this row.", "papers"),
    ]
    found = sources.resolve(records, folder)
    assert [passage.text for passage in found.passages] == [
        "The boat is in the paper.",
        "The boat is blue.",
    ]
    assert found.changed == ["papers:3"]


def test_a_record_of_several_rows_joins_their_texts(folder: Path) -> None:
    (passage,) = sources.resolve(
        [stand_off("1", "The boat is blue. Қайық көк.", rows=2)], folder
    ).passages
    assert passage.text == "The boat is blue. Қайық көк."
    assert passage.row["joined"] == ["1", "2"]
    assert passage.row["speaker"] == "Ann"


def test_a_record_of_more_rows_than_there_are_is_left_out_and_named(folder: Path) -> None:
    found = sources.resolve([stand_off("3", "Nobody labelled this row.", rows=2)], folder)
    assert (found.passages, found.changed) == ([], ["speeches:3"])


def test_passages_stand_in_the_order_of_their_records(folder: Path) -> None:
    records: list[Record] = [
        stand_off("3", "Nobody labelled this row."),
        written("9", "A boat."),
        stand_off("1", "The boat is blue."),
    ]
    found = sources.resolve(iter(records), folder)
    assert [passage.key for passage in found.passages] == ["speeches:3", "written:9", "speeches:1"]


@pytest.mark.parametrize(
    ("text", "same"),
    [("a boat", True), ("\ta boat\n ", True), ("a  boat", False), ("A boat", False)],
)
def test_the_hash_is_that_of_the_stripped_text(text: str, same: bool) -> None:
    assert (sources.digest(text) == hashlib.sha256(b"a boat").hexdigest()) is same


def test_a_damaged_source_is_named(folder: Path) -> None:
    whole = (folder / "speeches.jsonl.gz").read_bytes()
    (folder / "speeches.jsonl.gz").write_bytes(whole[:-12])
    with pytest.raises(LabelError, match=r"speeches\.jsonl\.gz is damaged"):
        sources.resolve([stand_off("1", "The boat is blue.")], folder)
