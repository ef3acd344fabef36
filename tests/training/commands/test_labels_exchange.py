"""`labels fetch`, `export` and `import` as one calls them, on a small folder of labels."""

import csv
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from training import taxonomy as taxonomies
from training.commands.labels import labels
from training.labels import records
from training.labels.records import Record
from training.labels.sources import digest
from training.taxonomy import Taxonomy

REAL = "The boat is blue, they say."


@pytest.fixture
def folder(tmp_path: Path, made_up: Taxonomy) -> Path:
    """A folder of labels, with a folder of sources beside it."""
    decided = {"lang": "en", "labels": {"blue-boats": "for"}, "annotator": "A"}
    decided |= {"date": "2026-01-01"}
    written = [
        {"how": "written", "id": f"w-{n}", "text": f"Boat {n}.", "register": "post", **decided}
        for n in range(4)
    ]
    about = {"how": "stand-off", "source": "speeches", "picked": "random"}
    real = [{**about, "id": str(n), "sha256": digest(f"{REAL} {n}"), **decided} for n in range(3)]
    real.append({**about, "id": "7", "source": "absent", "sha256": digest(REAL), **decided})
    put(tmp_path / "labels" / "written" / "en.jsonl", written)
    put(tmp_path / "labels" / "stand-off" / "real.jsonl", real)
    taxonomy = yaml.safe_dump(made_up.model_dump(mode="json"))
    (tmp_path / "labels" / "taxonomy.yaml").write_text(taxonomy, encoding="utf-8")
    (tmp_path / "sources").mkdir()
    with gzip.open(tmp_path / "sources" / "speeches.jsonl.gz", "wt", encoding="utf-8") as lines:
        for n, text in enumerate([f"{REAL} 0", f"{REAL} 1", "Changed."]):
            lines.write(json.dumps({"id": str(n), "lang": "en", "text": text}) + "\n")
    return tmp_path / "labels"


def put(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # A space that json.dumps would not write: an untouched line must stay as it is.
    path.write_text("".join(json.dumps(row)[:-1] + " }\n" for row in rows), encoding="utf-8")


def call(folder: Path, command: str, *arguments: str) -> Result:
    options = ["--labels", str(folder), "--taxonomy", str(folder / "taxonomy.yaml")]
    if command in ("fetch", "export"):
        options += ["--sources", str(folder.parent / "sources")]
    done = CliRunner().invoke(labels, [command, *arguments, *options])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def corpus(folder: Path) -> dict[str, Record]:
    taxonomy = taxonomies.load(folder / "taxonomy.yaml")
    return {record.key: record for record in records.read(folder, taxonomy)}


def test_fetch_writes_texts_and_tells_what_has_none(folder: Path, tmp_path: Path) -> None:
    done = call(folder, "fetch", "--out", str(tmp_path / "full.jsonl"))
    rows = [*map(json.loads, (tmp_path / "full.jsonl").read_text(encoding="utf-8").splitlines())]
    assert {row["key"]: row["text"] for row in rows} == {
        **{f"written:w-{n}": f"Boat {n}." for n in range(4)},
        **{f"speeches:{n}": f"{REAL} {n}" for n in range(2)},
    }
    assert "speeches:2: the source's row is gone or has another text." in done.stderr
    assert "6 records with text; left out: 1 whose source is not under" in done.stdout
    assert "1 whose text changed" in done.stdout


def test_a_new_annotator_reads_in_a_spreadsheet_and_merges(folder: Path, tmp_path: Path) -> None:
    before = (folder / "written" / "en.jsonl").read_bytes().splitlines()
    table = tmp_path / "read.csv"
    call(folder, "export", "--format", "csv", "--blind", "--count", "3", "--out", str(table))
    with table.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 3
    readings = ["none", "blue-boats=against", "yellow-planes=for"]
    for row, reading in zip(rows, readings, strict=True):
        assert row["labels"] == ""
        row["labels"] = reading
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    done = call(folder, "import", str(table), "--annotator", "N", "--date", "2026-02-02")
    assert "0 new records, 2 new readings, 0 known already, 1 rows refused" in done.stdout
    assert "'yellow-planes' is no narrative" in done.stderr
    found = corpus(folder)
    assert found[rows[0]["key"]].annotations == {"A": {"blue-boats": "for"}, "N": {}}
    assert found[rows[1]["key"]].annotations["N"] == {"blue-boats": "against"}
    assert found[rows[2]["key"]].annotations == {}
    assert all(record.labels == {"blue-boats": "for"} for record in found.values())
    after = (folder / "written" / "en.jsonl").read_bytes().splitlines()
    touched = [key for key in found if key.startswith("written:") and found[key].annotations]
    assert sum(old != new for old, new in zip(before, after, strict=True)) == len(touched)


def test_label_studio_annotations_are_merged(folder: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.json"
    call(folder, "export", "--format", "label-studio", "--out", str(tasks))
    assert (tmp_path / "tasks.xml").exists()
    exported = json.loads(tasks.read_text(encoding="utf-8"))
    # Label Studio gives back tasks as it got them, with what its users did.
    for task in exported:
        task["annotations"] = [{"completed_by": 1, "result": task["predictions"][0]["result"]}]
    tasks.write_text(json.dumps(exported), encoding="utf-8")
    done = call(folder, "import", str(tasks), "--annotator", "N")
    assert "6 new readings" in done.stdout
    assert "0 readings differ" in done.stdout


def test_new_rows_go_to_the_files_of_their_language_and_source(
    folder: Path, tmp_path: Path
) -> None:
    rows = [
        {"key": "papers:1", "lang": "uk", "text": "Газета.", "labels": {}},
        {"lang": "kk", "text": "Қайық көк.", "labels": {"blue-boats": "for"}, "register": "post"},
    ]
    put(tmp_path / "new.jsonl", rows)
    done = call(folder, "import", str(tmp_path / "new.jsonl"), "--annotator", "N")
    assert "2 new records" in done.stdout
    paper = json.loads((folder / "stand-off" / "papers.jsonl").read_text(encoding="utf-8"))
    assert "text" not in paper
    assert paper["sha256"] == digest("Газета.")
    assert "Қайық көк." in (folder / "written" / "kk.jsonl").read_text(encoding="utf-8")
    assert len(corpus(folder)) == 10
    again = call(folder, "import", str(tmp_path / "new.jsonl"), "--annotator", "N")
    assert "0 new records, 0 new readings, 2 known already" in again.stdout


def test_with_out_the_labels_stay_as_they_are(folder: Path, tmp_path: Path) -> None:
    before = corpus(folder)
    put(tmp_path / "read.jsonl", [{"key": "written:w-1", "labels": {}}])
    out = tmp_path / "out.jsonl"
    call(folder, "import", str(tmp_path / "read.jsonl"), "--annotator", "N", "--out", str(out))
    assert json.loads(out.read_text(encoding="utf-8"))["annotations"]["N"] == {}
    assert corpus(folder) == before
