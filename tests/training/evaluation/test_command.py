"""The command over a real folder: one reading, every part, a page, plots and an object."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from serving.model_folder import MANIFEST
from training.commands.evaluate import evaluate
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation.explanations import faithfulness
from training.evaluation.fp32 import unquantised
from training.evaluation.measured import Measured, measure
from training.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def toy(released: Path, corpus: Corpus) -> Measured:
    return measure(released, corpus)


def run(labels: Path, model: Path, *options: object) -> Result:
    shared = ("--labels", labels, "--taxonomy", labels / "taxonomy.yaml", "--model", model)
    arguments = [str(option) for option in (*shared, "--no-baselines", *options)]
    return CliRunner().invoke(evaluate, arguments, catch_exceptions=False)


def test_everything_that_is_asked_for_is_measured_and_written(
    corpus_folder: Path, released: Path, finished: Path, tmp_path: Path
) -> None:
    options = ("--run", finished, "--robustness", "--explanations", "--out", tmp_path)
    assert run(corpus_folder, released, *options).exit_code == 0
    found: dict[str, Any] = json.loads((tmp_path / "evaluation.json").read_text())
    assert set(found["systems"]) == {released.name, "the same network in fp32"}
    assert {"robustness", "explanations", "abstention", "reliability"} <= set(found)
    page = (tmp_path / "evaluation.md").read_text()
    assert "## Robustness" in page
    assert "the same network in fp32, paired" in page
    assert {path.name for path in (tmp_path / "evaluation").iterdir()} == {
        "abstention.png",
        "reliability.png",
        "robustness.png",
    }


def test_without_a_folder_the_page_is_printed(corpus_folder: Path, released: Path) -> None:
    answer = run(corpus_folder, released)
    assert answer.output.startswith(f"# How good {released.name} is")
    assert "png" not in answer.output


def test_the_unquantised_network_says_about_the_same(
    toy: Measured, finished: Path, corpus: Corpus
) -> None:
    system = unquantised(toy, finished, corpus)
    gap = np.abs(system.test.narratives - toy.system.test.narratives)
    assert gap.max() > 0
    assert gap.mean() < 0.05
    np.testing.assert_array_equal(system.test.truth, toy.system.test.truth)


def test_a_run_that_the_model_was_not_made_of_is_refused(
    toy: Measured, finished: Path, corpus: Corpus, tmp_path: Path
) -> None:
    for path in finished.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    about = json.loads((tmp_path / "run.json").read_text())
    about["recipe"]["seed"] += 1
    (tmp_path / "run.json").write_text(json.dumps(about))
    with pytest.raises(TrainingError, match="was not made of the run"):
        unquantised(toy, tmp_path, corpus)


def test_a_folder_of_other_narratives_is_refused(released: Path, corpus: Corpus) -> None:
    fewer = corpus.taxonomy.model_copy(update={"narratives": corpus.taxonomy.narratives[1:]})
    other = Corpus(
        taxonomy=Taxonomy.model_validate(fewer.model_dump()),
        passages=corpus.passages,
        split=corpus.split,
        without_source=[],
        changed=[],
    )
    with pytest.raises(TrainingError, match="other narratives"):
        measure(released, other)


def test_an_empty_side_is_named(released: Path, corpus: Corpus) -> None:
    nothing = Corpus(
        taxonomy=corpus.taxonomy,
        passages=corpus.passages,
        split=dict.fromkeys(corpus.split, "train"),
        without_source=[],
        changed=[],
    )
    with pytest.raises(TrainingError, match="no passage with a text stands on the side dev"):
        measure(released, nothing)


def test_explanations_of_a_trained_model_are_faithful(toy: Measured) -> None:
    found = faithfulness(toy)
    assert found is not None
    assert found["findings"] > 0
    assert found["named"]["value"] > found["random"]["value"]


def test_what_is_measured_is_what_the_manifest_says(toy: Measured, released: Path) -> None:
    manifest = json.loads((released / MANIFEST).read_text())
    assert toy.system.name == manifest["name"]
    assert toy.languages == set(manifest["languages"])
    assert toy.accepted.shape == toy.reviewed.shape == toy.system.test.truth.shape
    assert not (toy.accepted & ~toy.reviewed).any()
