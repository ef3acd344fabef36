"""Label files: what holds is read in order, what does not is named by file, line and field."""

import json
from pathlib import Path
from typing import Any

import pytest

from training.errors import LabelError
from training.labels import records
from training.labels.records import StandOff, Written
from training.taxonomy import Taxonomy

WRITTEN = {
    "how": "written",
    "id": "w-1",
    "lang": "en",
    "text": "The tractor is red.",
    "labels": {"red-tractors": "for"},
    "register": "post",
    "set": None,
    "annotator": "W",
    "date": "2026-01-01",
}
STAND_OFF = {
    "how": "stand-off",
    "source": "speeches",
    "id": "s-1",
    "lang": "kk",
    "sha256": "0" * 64,
    "labels": {},
    "annotator": "A",
    "date": "2026-01-02",
    "picked": "random",
    "annotations": {"A": {}, "B": {"blue-boats": "against"}},
    "reason": "The boat was not blue.",
}


def put(folder: Path, *lines: object, name: str = "labels.jsonl") -> Path:
    """Write lines; what is no string or bytes is written as JSON."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    raw = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    path.write_bytes(b"\n".join(raw) + b"\n")
    return path


def without(record: dict[str, Any], field: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name != field}


def test_a_written_record_holds_its_text(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, WRITTEN | {"set": "tractors", "text": "Трактор қызыл."})
    (found,) = records.read(tmp_path, made_up)
    assert isinstance(found, Written)
    assert (found.key, found.text, found.set) == ("written:w-1", "Трактор қызыл.", "tractors")
    assert (found.register_, found.labels) == ("post", {"red-tractors": "for"})


def test_a_stand_off_record_names_its_source(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, STAND_OFF)
    (found,) = records.read(tmp_path, made_up)
    assert isinstance(found, StandOff)
    assert (found.key, found.sha256) == ("speeches:s-1", "0" * 64)
    assert found.annotations == {"A": {}, "B": {"blue-boats": "against"}}


def test_records_come_in_the_order_of_files_and_lines(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, WRITTEN | {"id": "4"}, WRITTEN | {"id": "3"}, name="written/b.jsonl")
    put(tmp_path, WRITTEN | {"id": "2"}, name="written/a.jsonl")
    put(tmp_path, WRITTEN | {"id": "1"}, name="a.jsonl")
    put(tmp_path, {"no": "label"}, name="notes.json")
    assert [record.id for record in records.read(tmp_path, made_up)] == ["1", "2", "4", "3"]


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        (
            WRITTEN | {"labels": {"purple-planes": "for"}},
            "labels: 'purple-planes' is no narrative of the taxonomy 9.9.9; "
            "it knows red-tractors, blue-boats, green-trains.",
        ),
        (
            WRITTEN | {"labels": {"blue-boats": "perhaps"}},
            "labels.blue-boats: 'perhaps' is no stance of the taxonomy 9.9.9; "
            "it knows for, against.",
        ),
        (
            STAND_OFF | {"annotations": {"B": {"purple-planes": "for"}}},
            "annotations.B: 'purple-planes' is no narrative",
        ),
        (
            STAND_OFF | {"annotations": {"B": {"blue-boats": "perhaps"}}},
            "annotations.B.blue-boats: 'perhaps' is no stance",
        ),
        (without(WRITTEN, "text"), "text: Field required."),
        (without(WRITTEN, "labels"), "labels: Field required."),
        (without(WRITTEN, "register"), "register: Field required."),
        (without(STAND_OFF, "sha256"), "sha256: Field required."),
        (without(STAND_OFF, "picked"), "picked: Field required."),
        (without(WRITTEN, "how"), "how: "),
        (WRITTEN | {"how": "guessed"}, "how: "),
        (WRITTEN | {"text": 5}, "text: Input should be a valid string."),
        (WRITTEN | {"text": ""}, "text: "),
        (WRITTEN | {"text": " \n"}, "text: "),
        (WRITTEN | {"id": 7}, "id: Input should be a valid string."),
        (WRITTEN | {"labels": ["red-tractors"]}, "labels: Input should be a valid dictionary."),
        (WRITTEN | {"labels": {"red-tractors": None}}, "labels.red-tractors: "),
        (WRITTEN | {"labels": None}, "labels: Input should be a valid dictionary."),
        (WRITTEN | {"lang": "English"}, "lang: "),
        (WRITTEN | {"date": "yesterday"}, "date: "),
        (STAND_OFF | {"sha256": "0" * 63}, "sha256: "),
        (STAND_OFF | {"source": "../speeches"}, "source: "),
        (STAND_OFF | {"text": "A text that should stay away."}, "text: Extra inputs"),
        (WRITTEN | {"registre": "post"}, "registre: Extra inputs"),
        ([WRITTEN], "how: "),
        ("a text", "how: "),
    ],
    ids=lambda value: value.split(": ")[0] if isinstance(value, str) else None,
)
def test_what_does_not_hold_is_named_by_file_line_and_field(
    tmp_path: Path, made_up: Taxonomy, record: object, problem: str
) -> None:
    path = put(tmp_path, WRITTEN | {"id": "good"}, record, STAND_OFF | {"id": "good too"})
    good, problems = records.check(tmp_path, made_up)
    assert [found.id for found in good] == ["good", "good too"]
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: {problem}")


def test_four_narratives_are_one_too_many(tmp_path: Path, made_up: Taxonomy) -> None:
    names = [*made_up.narrative_ids, "yellow-trams"]
    raw = made_up.model_dump(mode="json")
    raw["narratives"].append(raw["narratives"][0] | {"id": "yellow-trams"})
    four = Taxonomy.model_validate(raw)
    path = put(tmp_path, WRITTEN | {"labels": dict.fromkeys(names, "for")})
    _, problems = records.check(tmp_path, four)
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:1: labels: Dictionary should have at most 3 items")
    put(tmp_path, WRITTEN | {"labels": dict.fromkeys(names[1:], "for")})
    assert len(records.read(tmp_path, four)) == 1


def test_every_problem_of_a_record_is_named(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, without(WRITTEN, "text") | {"lang": "English", "date": None})
    _, problems = records.check(tmp_path, made_up)
    assert len(problems) == 3
    assert all(any(f": {field}: " in p for p in problems) for field in ("text", "lang", "date"))


def test_an_id_that_stands_in_two_files_names_both(tmp_path: Path, made_up: Taxonomy) -> None:
    first = put(tmp_path, WRITTEN | {"id": "other"}, WRITTEN, name="a.jsonl")
    second = put(tmp_path, WRITTEN | {"text": "Another text."}, name="b.jsonl")
    good, problems = records.check(tmp_path, made_up)
    assert problems == [f"{second}:1: id: 'written:w-1' stands already at {first}:2."]
    assert [record.text for record in good] == ["The tractor is red."] * 2


def test_sources_may_use_the_same_id(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, STAND_OFF, STAND_OFF | {"source": "papers"}, WRITTEN | {"id": "s-1"})
    found = records.read(tmp_path, made_up)
    assert [record.key for record in found] == ["speeches:s-1", "papers:s-1", "written:s-1"]


@pytest.mark.parametrize(
    ("line", "key"),
    [
        (b'{"how": "written", "id": "1", "id": "2"}', "id"),
        (
            b'{"how": "written", "labels": {"blue-boats": "for", "blue-boats": "against"}}',
            "blue-boats",
        ),
    ],
    ids=["field", "narrative"],
)
def test_a_key_that_stands_twice_is_an_error(
    tmp_path: Path, made_up: Taxonomy, line: bytes, key: str
) -> None:
    path = put(tmp_path, line)
    _, problems = records.check(tmp_path, made_up)
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:1: the line is not JSON: the key {key!r} stands twice")


@pytest.mark.parametrize(
    "line",
    [b"{", b'{"how": "written",}', b"{'how': 'written'}", b"<<<<<<< HEAD", b"\xef\xbb\xbf{}"],
    ids=["cut off", "comma", "quotes", "merge conflict", "byte order mark"],
)
def test_what_is_not_json_is_named_by_line(tmp_path: Path, made_up: Taxonomy, line: bytes) -> None:
    path = put(tmp_path, WRITTEN, line)
    good, problems = records.check(tmp_path, made_up)
    assert len(good) == 1
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:2: the line is not JSON: ")


def test_what_is_not_utf8_names_the_byte(tmp_path: Path, made_up: Taxonomy) -> None:
    path = put(tmp_path, b'{"text": "' + "трактор".encode("cp1251") + b'"}', WRITTEN)
    good, problems = records.check(tmp_path, made_up)
    assert problems == [f"{path}:1: the line is not UTF-8 (byte 10)."]
    assert len(good) == 1


def test_half_a_surrogate_pair_is_an_error_of_its_field(tmp_path: Path, made_up: Taxonomy) -> None:
    # JSON can write it, UTF-8 cannot: its hash could not be taken.
    path = put(tmp_path, WRITTEN | {"text": "A tractor \ud83d."})
    _, problems = records.check(tmp_path, made_up)
    assert len(problems) == 1
    assert problems[0].startswith(f"{path}:1: text: ")


def test_blank_lines_are_passed_over_and_counted(tmp_path: Path, made_up: Taxonomy) -> None:
    path = put(tmp_path, b"", WRITTEN, b"  \t\r", b"", b"{")
    good, problems = records.check(tmp_path, made_up)
    assert len(good) == 1
    assert problems[0].startswith(f"{path}:5: ")


def test_windows_line_ends_are_read(tmp_path: Path, made_up: Taxonomy) -> None:
    lines = [json.dumps(WRITTEN | {"id": name}).encode() for name in "ab"]
    put(tmp_path, b"\r\n".join(lines) + b"\r")
    assert [record.id for record in records.read(tmp_path, made_up)] == ["a", "b"]


def test_reading_lists_every_bad_line(tmp_path: Path, made_up: Taxonomy) -> None:
    one = put(tmp_path, b"{", WRITTEN, name="a.jsonl")
    two = put(tmp_path, without(STAND_OFF, "lang"), name="b.jsonl")
    with pytest.raises(LabelError) as caught:
        records.read(tmp_path, made_up)
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(f"{one}:1: the line is not JSON")
    assert lines[1].startswith(f"{two}:1: lang: Field required")


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_labels_is_one_sentence(
    tmp_path: Path, made_up: Taxonomy, name: str
) -> None:
    with pytest.raises(LabelError, match=r"no labels under .*\*\.jsonl"):
        records.read(tmp_path / name, made_up)


def test_a_record_that_was_read_cannot_be_changed(tmp_path: Path, made_up: Taxonomy) -> None:
    put(tmp_path, WRITTEN)
    (found,) = records.read(tmp_path, made_up)
    with pytest.raises(ValueError, match="frozen"):
        found.lang = "kk"
