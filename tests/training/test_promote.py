"""Releasing and going back: `current` always points to a whole folder, in one step."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from serving.classifier import Classifier
from serving.model_folder import MANIFEST, open_folder
from tests.training.evaluation.toys import taxonomy
from tests.training.test_verdict import model, part, passages
from training import promote
from training.commands import release as command
from training.corpus import Corpus
from training.errors import TrainingError

RECORD: dict[str, Any] = {
    "before": "old-1",
    "macro_f1": {"value": 0.05, "low": 0.01, "high": 0.09},
    "refusals": [],
}


@pytest.fixture
def models(tmp_path: Path, released: Path) -> Path:
    """A folder of releases whose current one is `old-1`."""
    folder = tmp_path / "models"
    promote.promote(released, folder, "old-1", {"before": None})
    return folder


def test_a_release_is_whole_named_and_current(models: Path, released: Path) -> None:
    promote.promote(released, models, "new-2", RECORD)
    assert (models / "current").readlink() == Path("new-2")
    manifest = open_folder(models / "current")
    assert manifest.name == "new-2"
    assert manifest.training["released"] == RECORD
    assert manifest.files == open_folder(released).files
    assert (models / "current" / "README.md").read_text().startswith("# new-2")
    assert {path.name for path in models.iterdir()} == {"old-1", "new-2", "current"}
    assert Classifier.load(models / "current").manifest.name == "new-2"


def test_rollback_goes_back_release_by_release(models: Path, released: Path) -> None:
    promote.promote(released, models, "new-2", RECORD)
    promote.promote(released, models, "new-3", {**RECORD, "before": "new-2"})
    assert promote.rollback(models) == "new-2"
    assert promote.rollback(models) == "old-1"
    assert promote.current(models) == (models / "old-1").resolve()
    with pytest.raises(TrainingError, match="nothing to go back to"):
        promote.rollback(models)


def test_a_rollback_to_a_damaged_folder_changes_nothing(models: Path, released: Path) -> None:
    promote.promote(released, models, "new-2", RECORD)
    (models / "old-1" / "network.bin").write_bytes(b"")
    with pytest.raises(TrainingError, match="cannot be rolled back"):
        promote.rollback(models)
    assert (models / "current").readlink() == Path("new-2")


def test_a_rollback_without_any_model_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="points to no model"):
        promote.rollback(tmp_path)


def test_another_model_of_that_name_is_not_overwritten(models: Path, released: Path) -> None:
    with pytest.raises(TrainingError, match="exists already: pass another --name"):
        promote.promote(released, models, "old-1", {"before": None})


def test_a_candidate_that_lies_among_the_releases_keeps_its_place(
    models: Path, released: Path
) -> None:
    shutil.copytree(released, models / "new-2")
    promote.promote(models / "new-2", models, "new-2", RECORD)
    assert open_folder(models / "current").training["released"] == RECORD
    assert {path.name for path in models.iterdir()} == {"old-1", "new-2", "current"}


def test_a_release_that_dies_leaves_the_current_one(
    models: Path, released: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(promote, "write_card", die)
    with pytest.raises(KeyboardInterrupt):
        promote.promote(released, models, "new-2", RECORD)
    assert {path.name for path in models.iterdir()} == {"old-1", "current"}


class Released:
    """The command over toy measurements, so that which model is better is known."""

    def __init__(self, patch: pytest.MonkeyPatch, folder: Path, released: Path) -> None:
        self.models = folder
        self.candidate = shutil.copytree(released, folder.parent / "new-2")
        data = open_folder(self.candidate).data
        texts = passages()
        right = {"old-1": 30, "new-2": 50}

        class Labels(Corpus):
            def describe(self) -> dict[str, Any]:
                return data

        corpus = Labels(
            taxonomy=taxonomy(), passages=texts, split={}, without_source=[], changed=[]
        )
        self.right = right
        patch.setattr(command.corpora, "load", lambda *_: corpus)
        patch.setattr(
            command,
            "measure",
            lambda path, _: model(path.name, texts, part(60, right[path.name])),
        )

    def __call__(self, *options: str) -> Any:
        arguments = [str(self.candidate), "--models", str(self.models), *options]
        return CliRunner().invoke(command.release, arguments)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, models: Path, released: Path) -> Released:
    return Released(monkeypatch, models, released)


def test_a_better_candidate_is_released_with_the_table(run: Released) -> None:
    answer = run()
    assert answer.exit_code == 0, answer.output
    assert "macro F1, all" in answer.output
    record = open_folder(run.models / "current").training["released"]
    assert (record["before"], record["refusals"]) == ("old-1", [])
    assert record["macro_f1"]["low"] > 0


def test_a_worse_candidate_is_refused_with_the_table(run: Released) -> None:
    run.right.update({"old-1": 50, "new-2": 30})
    answer = run()
    assert answer.exit_code == 1
    assert "macro F1, all" in answer.output
    assert "Refused: it is not better" in answer.output
    assert (run.models / "current").readlink() == Path("old-1")
    assert not (run.models / "new-2").exists()


def test_force_keeps_refusals_and_reason(run: Released) -> None:
    run.right.update({"old-1": 50, "new-2": 30})
    answer = run("--force-with-reason", "the old one has a fault")
    assert answer.exit_code == 0
    record = open_folder(run.models / "current").training["released"]
    assert record["reason"] == "the old one has a fault"
    assert record["refusals"]


def test_the_card_says_what_was_forced(run: Released) -> None:
    run.right.update({"old-1": 50, "new-2": 30})
    run("--force-with-reason", "the old one has a fault")
    card = (run.models / "current" / "README.md").read_text(encoding="utf-8")
    assert "Released over old-1" in card
    assert "because: the old one has a fault" in card
    assert "- it is not better" in card


def test_a_reason_that_was_not_needed_is_not_kept(run: Released) -> None:
    run("--force-with-reason", "to be sure")
    assert "reason" not in open_folder(run.models / "current").training["released"]


def test_a_candidate_of_other_labels_is_refused(run: Released) -> None:
    path = run.candidate / MANIFEST
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"fingerprint": "', '"fingerprint": "0'), encoding="utf-8")
    answer = run()
    assert isinstance(answer.exception, TrainingError)
    assert "Train again" in str(answer.exception)


def test_the_first_release_has_nothing_to_beat(run: Released, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    answer = run("--models", str(empty), "--name", "first-1")
    assert answer.exit_code == 0
    assert (empty / "current").readlink() == Path("first-1")


def test_rollback_is_one_command(run: Released) -> None:
    run()
    answer = CliRunner().invoke(command.release, ["--models", str(run.models), "--rollback"])
    assert answer.exit_code == 0
    assert (run.models / "current").readlink() == Path("old-1")


def test_a_candidate_or_rollback_must_be_named() -> None:
    answer = CliRunner().invoke(command.release, [])
    assert answer.exit_code == 2
    assert "--rollback" in answer.output
