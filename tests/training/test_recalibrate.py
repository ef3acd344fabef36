"""A desk's own labels behind the same weights: new decisions with a promise, or a refusal."""

import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from serving.classifier import Classifier
from serving.model_folder import open_folder
from tests.training.toy import OPINIONS, WORDS
from training import recalibrate
from training.commands.calibrate import calibrate
from training.errors import TrainingError
from training.labels.records import Written
from training.labels.sources import Passage
from training.taxonomy import Taxonomy

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def records(count: int) -> list[dict]:
    """Passages that are no near-duplicates of one another, every fourth without a narrative."""
    generator = random.Random(2)
    rows = []
    for number in range(count):
        tail = " ".join("".join(generator.choices(LETTERS, k=6)) for _ in range(3))
        narrative, stance = generator.choice(list(WORDS)), generator.choice(list(OPINIONS))
        labels = {narrative: stance} if number % 4 else {}
        start = f"{WORDS[narrative]} {OPINIONS[stance]}" if labels else "number"
        rows.append(
            {
                "how": "written",
                "id": f"desk-{number}",
                "lang": "en",
                "text": f"{start} {tail}",
                "labels": labels,
                "register": "post",
                "annotator": "desk",
                "date": "2026-01-01",
            }
        )
    return rows


def passages(count: int) -> list[Passage]:
    found = []
    for row in records(count):
        record = Written.model_validate(row)
        found.append(
            Passage(
                key=record.key,
                text=record.text,
                lang=record.lang,
                labels=record.labels,
                source="written",
                record=record,
            )
        )
    return found


@pytest.fixture(scope="module")
def refitted(
    tmp_path_factory: pytest.TempPathFactory, released: Path, made_up: Taxonomy
) -> tuple[Path, dict]:
    final = tmp_path_factory.mktemp("desk") / "desk-0.0.1"
    promise = recalibrate.recalibrate(
        released, passages(240), made_up, limit=0.2, final=final, delta=0.2
    )
    return final, promise


def test_the_weights_stay_and_the_decisions_are_new(
    refitted: tuple[Path, dict], released: Path
) -> None:
    final, promise = refitted
    old, new = open_folder(released), open_folder(final)
    assert new.files == old.files
    assert new.name == "desk-0.0.1"
    assert {rule.accept for rule in new.decisions.values()} == {promise["level"]}
    assert set(new.stance.accept.values()) == {promise["level"]}
    assert {name: rule.slope for name, rule in new.decisions.items()} != {
        name: rule.slope for name, rule in old.decisions.items()
    }
    assert Classifier.load(final).narratives == Classifier.load(released).narratives


def test_the_promise_is_kept_in_the_manifest_and_on_the_card(
    refitted: tuple[Path, dict], released: Path
) -> None:
    final, promise = refitted
    manifest = open_folder(final)
    assert manifest.training["recalibrated"] == promise
    assert promise["of"] == released.name
    assert promise["fitted_on"] + promise["tested_on"] == 240
    # What was measured with other thresholds is no longer said.
    assert manifest.metrics == {}
    card = (final / "README.md").read_text(encoding="utf-8")
    assert "at most 20.0% of the accepted findings" in card
    assert "macro F1" not in card


def test_too_few_labels_are_refused_with_a_number_and_leave_nothing(
    released: Path, made_up: Taxonomy, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=r"24 labelled passages do not show .*"):
        recalibrate.recalibrate(
            released, passages(24), made_up, limit=0.05, final=tmp_path / "desk-1"
        )
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_overwritten(
    released: Path, made_up: Taxonomy, tmp_path: Path
) -> None:
    (tmp_path / "desk-1").mkdir()
    with pytest.raises(TrainingError, match="exists already"):
        recalibrate.recalibrate(
            released, passages(40), made_up, limit=0.2, final=tmp_path / "desk-1"
        )


def test_another_taxonomy_is_refused(released: Path, made_up: Taxonomy, tmp_path: Path) -> None:
    other = made_up.model_copy(update={"narratives": made_up.narratives[:2]})
    with pytest.raises(TrainingError, match="other narratives"):
        recalibrate.recalibrate(released, passages(40), other, limit=0.2, final=tmp_path / "desk-1")


def test_the_command_says_what_is_promised_and_what_it_takes_for_granted(
    released: Path, corpus_folder: Path, tmp_path: Path
) -> None:
    labels = tmp_path / "mine"
    labels.mkdir()
    lines = [json.dumps(row) for row in records(240)]
    (labels / "mine.jsonl").write_text("\n".join(lines))
    out = tmp_path / "desk-1"
    options = {
        "--labels": labels,
        "--taxonomy": corpus_folder / "taxonomy.yaml",
        "--model": released,
        "--risk": 0.2,
        "--delta": 0.2,
        "--out": out,
    }
    arguments = [str(part) for pair in options.items() for part in pair]
    answer = CliRunner().invoke(calibrate, arguments, catch_exceptions=False)
    assert answer.exit_code == 0
    assert "With confidence 80%, at most 20.0% of the accepted findings are wrong" in answer.output
    assert "texts like the labelled ones" in answer.output
    assert open_folder(out).training["recalibrated"]["fitted_on"] > 0
