"""Merging: readings stand beside decided labels, new passages become records, bad rows are told."""

from datetime import date
from typing import Any

import pytest

from training.labels import merge, records
from training.labels.exchange.rows import Reject, Row
from training.labels.records import Record, StandOff, Written
from training.labels.sources import digest
from training.taxonomy import Taxonomy

DAY = date(2026, 2, 2)
FOR = {"blue-boats": "for"}


def row(reading: Any = None, **fields: Any) -> Row:
    return Row(where="in:1", fields=fields, reading=reading)


@pytest.fixture
def known(made_up: Taxonomy) -> dict[str, Record]:
    decided = {"lang": "en", "labels": FOR, "annotator": "A", "date": "2026-01-01"}
    about = {"how": "written", "text": "A boat.", "register": "post"}
    once = records.parse({**about, "id": "1", **decided}, made_up)
    stand_off = {"how": "stand-off", "source": "speeches", "picked": "random"}
    real = records.parse({**stand_off, "id": "1", "sha256": digest("Real."), **decided}, made_up)
    twice = {**about, "id": "2", **decided, "annotator": "C", "annotations": {"A": {}, "B": FOR}}
    both = records.parse(twice, made_up)
    made = [r for r in (once, real, both) if not isinstance(r, list)]
    return {record.key: record for record in made}


def merged(known: dict[str, Record], taxonomy: Taxonomy, *rows: Row | Reject) -> merge.Merged:
    return merge.merge(rows, known, taxonomy, annotator="N", day=DAY)


def test_a_second_reading_stands_beside_the_first(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    found = merged(known, made_up, row({}, key="written:1", text=" A boat. "))
    (record,) = found.changed
    assert record.annotations == {"A": FOR, "N": {}}
    assert (record.labels, record.annotator, record.date) == (FOR, "A", date(2026, 1, 1))
    assert found.differing == ["written:1"]


def test_a_third_reading_leaves_the_two_and_the_adjudication(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    found = merged(known, made_up, row(FOR, key="written:2"))
    assert found.changed[0].annotations == {"A": {}, "B": FOR, "N": FOR}
    assert found.changed[0].annotator == "C"
    assert found.differing == []


def test_a_reading_of_a_stand_off_record_is_checked_by_hash(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    found = merged(
        known,
        made_up,
        row(FOR, key="speeches:1", text="Unreal."),
        row(FOR, key="speeches:1", text="Real."),
    )
    assert [r.key for r in found.changed] == ["speeches:1"]
    assert "not the one that was labelled" in found.rejects[0].reason


def test_the_same_reading_twice_changes_nothing_and_another_one_is_refused(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    again = row({}, key="written:1")
    found = merged(known, made_up, again, again, row(FOR, key="written:1"))
    assert (len(found.changed), len(found.unchanged)) == (1, 1)
    assert "N has already read it, and otherwise" in found.rejects[0].reason


def test_a_new_real_passage_becomes_a_stand_off_record(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    found = merged(known, made_up, row(FOR, key="papers:a:b", lang="kk", text="Жаңа мәтін. "))
    (record,) = found.added
    assert isinstance(record, StandOff)
    assert (record.source, record.id, record.picked) == ("papers", "a:b", "import")
    assert record.sha256 == digest("Жаңа мәтін.")
    assert (record.annotator, record.date, record.annotations) == ("N", DAY, {})


def test_a_text_without_key_becomes_a_written_record_once(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    new = row(FOR, lang="en", text="A new boat.", register="post")
    found = merged(known, made_up, new, new)
    (record,) = found.added
    assert isinstance(record, Written)
    assert record.text == "A new boat."
    assert found.unchanged == [record]


def test_bad_rows_are_told_and_the_good_ones_taken(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    bad = [
        Reject(where="in:0", reason="no row"),
        row(None, key="written:1"),
        row({"yellow-planes": "for"}, key="written:1"),
        row({"blue-boats": "perhaps"}, key="written:2"),
        row(["blue-boats"], key="written:2"),
        row({}, key="papers:1", lang="EN", text="Text."),
        row({}, lang="en", text="No register."),
        row({}, lang="en", register="post"),
        row({}, lang="en", register="post", text="\ud800"),
        row({}, lang="en", register="post", text=5),
        row({}),
    ]
    found = merged(known, made_up, *bad, row({}, key="written:1"))
    assert len(found.rejects) == len(bad)
    assert all(reject.reason for reject in found.rejects)
    assert [r.key for r in found.changed] == ["written:1"]
    assert "'yellow-planes' is no narrative" in found.rejects[2].reason


def test_a_whole_record_that_differs_from_the_known_one_is_refused(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    fields = {"key": "written:1", **records.dump(known["written:1"]), "labels": {}}
    other = Row(where="in:1", fields=fields, reading={})
    found = merge.merge([other], known, made_up, annotator=None, day=DAY)
    assert "is known and differs" in found.rejects[0].reason


def test_an_annotation_without_an_annotator_is_refused(
    known: dict[str, Record], made_up: Taxonomy
) -> None:
    fields = {"key": "written:1", **records.dump(known["written:1"])}
    read = Row(where="in:1", fields=fields, reading={})
    found = merge.merge([read], known, made_up, annotator=None, day=DAY)
    assert "pass --annotator" in found.rejects[0].reason
