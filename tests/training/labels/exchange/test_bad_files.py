"""What is wrong in a file is listed with its row; the rows around it are read."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from training.labels.exchange import hub, label_studio, lines, table
from training.labels.exchange.rows import Reject, Row
from training.taxonomy import Taxonomy


def test_lines_that_are_no_objects_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"labels": {}}\n{"a": \n[1]\n\xff\xfe\n\n{"labels": null}\n' + b"[" * 9999)
    read = list(lines.read(path))
    assert [type(row) for row in read] == [Row, Reject, Reject, Reject, Row, Reject]
    assert [row.where for row in read if isinstance(row, Reject)] == [
        f"{path}:{number}" for number in (2, 3, 4, 7)
    ]


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("blue-boats", "not of the form narrative=stance"),
        ("blue-boats=for; blue-boats=against", "stands twice"),
        ("blue-boats=for; none", "not of the form"),
    ],
)
def test_cells_that_are_no_labels_are_listed(tmp_path: Path, cell: str, reason: str) -> None:
    path = tmp_path / "in.csv"
    path.write_text(f'key,labels\n1,none\n2,"{cell}"\n3,red-tractors = for\n', encoding="utf-8")
    first, bad, last = table.read(path)
    assert isinstance(bad, Reject)
    assert bad.where == f"{path}:3"
    assert reason in bad.reason
    assert isinstance(first, Row)
    assert first.reading == {}
    assert isinstance(last, Row)
    assert last.reading == {"red-tractors": "for"}


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_table_saved_with_another_delimiter_is_read(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "in.csv"
    cells = ["written:1", '"one, two; three"', '"blue-boats=for; red-tractors=for"']
    path.write_text(f"{delimiter.join(['key', 'text', 'labels'])}\n{delimiter.join(cells)}\n")
    (row,) = table.read(path)
    assert isinstance(row, Row)
    assert row.fields["text"] == "one, two; three"
    assert row.reading == {"blue-boats": "for", "red-tractors": "for"}


def test_a_row_with_too_many_cells_and_a_bad_annotation_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("key,labels,annotations\n1,none,,4\n2,none,{oops\n3,none,\n", encoding="utf-8")
    assert [type(row) for row in table.read(path)] == [Reject, Reject, Row]


def test_a_cell_beyond_the_limit_is_listed_and_the_rest_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "LONGEST_CELL", 50)
    path = tmp_path / "in.csv"
    path.write_text(f"key,labels\n1,{'x' * 60}\n2,none\n", encoding="utf-8")
    read = list(table.read(path))
    assert isinstance(read[0], Reject)
    assert isinstance(read[-1], Row)


def task(*annotations: object) -> dict[str, object]:
    return {"data": {"key": "written:1", "text": "A text."}, "annotations": list(annotations)}


def chosen(**stances: str) -> dict[str, object]:
    return {
        "result": [
            {
                "from_name": name.replace("_", "-"),
                "to_name": "text",
                "type": "choices",
                "value": {"choices": [stance]},
            }
            for name, stance in stances.items()
        ]
    }


def test_label_studio_tasks_are_read_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    tasks = [
        task(chosen(blue_boats="for", red_tractors="against")),
        task(chosen()),
        task(),
        task(chosen(blue_boats="for") | {"was_cancelled": True}),
        task(chosen(), chosen()),
        task({"result": [{"type": "choices"}]}),
        {"text": "of JSON_MIN"},
        "no task",
    ]
    path.write_text(json.dumps(tasks), encoding="utf-8")
    read = list(label_studio.read(path))
    assert [row.reading if isinstance(row, Row) else "refused" for row in read] == [
        {"blue-boats": "for", "red-tractors": "against"},
        {},
        None,
        None,
        *["refused"] * 4,
    ]
    assert "2 annotations" in str(read[4])
    assert "task 7" in str(read[6])


@pytest.mark.parametrize("content", ["{", "{}", "[" * 9999])
def test_a_file_that_is_no_list_of_tasks_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "in.json").write_text(content, encoding="utf-8")
    assert [type(row) for row in label_studio.read(tmp_path / "in.json")] == [Reject]


def test_the_labelling_interface_has_every_narrative_and_stance(made_up: Taxonomy) -> None:
    view = ElementTree.fromstring(label_studio.config(made_up))
    choices = {c.get("name"): [s.get("value") for s in c] for c in view.iter("Choices")}
    assert choices == {name: ["for", "against"] for name in made_up.narrative_ids}
    assert view.find("Text").get("value") == "$text"


def test_what_is_no_parquet_is_listed(tmp_path: Path) -> None:
    assert [type(row) for row in hub.read(tmp_path)] == [Reject]
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no")
    assert "no Parquet" in str(next(hub.read(tmp_path)))
