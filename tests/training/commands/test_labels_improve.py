"""The commands that count labels and look for what to mend or add, as one calls them."""

import gzip
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.training.toy import write_labels
from training.commands.labels import COMMANDS, labels
from training.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, made_up: Taxonomy) -> Path:
    folder = tmp_path_factory.mktemp("toy")
    write_labels(folder / "labels", made_up)
    (folder / "sources").mkdir()
    with gzip.open(folder / "sources" / "speeches.jsonl.gz", "wt", encoding="utf-8") as lines:
        for number, noun in enumerate(["the red tractor", "a blue boat, far away", "no train"]):
            row = {"id": str(number), "lang": "en", "text": f"{noun} is good"}
            lines.write(json.dumps(row) + "\n")
    return folder


def call(folder: Path, command: str, *arguments: str, sources: bool = True) -> Result:
    options = ["--labels", str(folder / "labels")]
    options += ["--taxonomy", str(folder / "labels" / "taxonomy.yaml")]
    options += ["--sources", str(folder / "sources")] if sources else []
    done = CliRunner().invoke(labels, [command, *arguments, *options])
    if done.exception:
        raise done.exception
    return done


def test_every_command_says_what_it_does() -> None:
    listed = CliRunner().invoke(labels, ["--help"]).output
    assert all(f"  {name} " in listed for name in COMMANDS)


def test_stats_is_an_object_and_a_picture(folder: Path, tmp_path: Path) -> None:
    plot = tmp_path / "counts.png"
    found = json.loads(call(folder, "stats", "--json", "--plot", str(plot), sources=False).stdout)
    assert (found["total"], found["real"], found["written"], found["none"]) == (140, 0, 140, 20)
    assert found["by_language"] == {"en": 140}
    assert found["by_narrative"]["blue-boats"] == {"for": 20, "against": 20}
    assert plot.exists()


def test_agreement_is_an_object(folder: Path) -> None:
    found = json.loads(call(folder, "agreement", "--json", sources=False).stdout)
    assert (found["passages"], found["read_twice"], found["alpha"]) == (140, 0, None)
    assert set(found["by_side"]) == {"train", "dev", "test"}


@pytest.mark.parametrize("features", ["tfidf", "encoder"])
def test_suspects_come_from_the_sides_that_are_asked_for(
    folder: Path, tmp_path: Path, checkpoint: Path, features: str
) -> None:
    out = tmp_path / "suspects.jsonl"
    options = ["--side", "train", "--features", features, "--base", str(checkpoint)]
    done = call(folder, "suspects", *options, "--out", str(out))
    assert "suspects in 84 passages" in done.stdout
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert all(row["side"] == "train" and row["text"] for row in rows)


def test_the_audit_goes_into_the_datasheet(folder: Path, tmp_path: Path) -> None:
    audit = tmp_path / "docs" / "shortcuts.json"
    call(folder, "shortcuts", "--json", str(audit))
    assert json.loads(audit.read_text(encoding="utf-8"))["sides"] == ["train", "dev"]
    page = folder / "labels" / "DATASHEET.md"
    page.write_text("<!-- generated:shortcuts -->\n<!-- /generated -->\n", encoding="utf-8")
    call(folder, "datasheet", "--shortcuts", str(audit), sources=False)
    assert "| single words |" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("ending", ["jsonl", "csv", "json"])
def test_next_writes_rows_that_can_be_labelled_and_imported(
    folder: Path, tmp_path: Path, tiny_model: Path, ending: str
) -> None:
    out = tmp_path / f"next.{ending}"
    done = call(folder, "next", "--model", str(tiny_model), "--lang", "en=2", "--out", str(out))
    assert "of 3 rows read, of 3 unlabelled" in done.stdout
    text = out.read_text(encoding="utf-8-sig")
    assert "speeches:" in text
    if ending != "jsonl":
        return
    rows = [json.loads(line) for line in text.splitlines()]
    out.write_text("".join(json.dumps(row | {"labels": {}}) + "\n" for row in rows))
    result = tmp_path / "records.jsonl"
    options = ["--annotator", "N", "--out", str(result)]
    call(folder, "import", str(out), *options, sources=False)
    made = [json.loads(line) for line in result.read_text(encoding="utf-8").splitlines()]
    assert [r["source"] for r in made] == ["speeches"] * len(rows)
    assert {r["picked"] for r in made} == {"uncertainty"}
