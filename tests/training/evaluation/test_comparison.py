"""Several folders beside each other, on dev and on the held-out side."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.training.evaluation.toys import Said, measured, passage, taxonomy
from training.commands.compare import compare
from training.corpus import Corpus
from training.errors import TrainingError
from training.evaluation import comparison

PAGE = """# Before and after

<!-- generated:comparison -->
stale figures
<!-- /generated -->

The end.
"""


@pytest.fixture(scope="module")
def twins(released: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    other = tmp_path_factory.mktemp("twin") / "toy-twin"
    shutil.copytree(released, other)
    return released, other


def run(labels: Path, *arguments: object) -> Result:
    shared = ["--labels", labels, "--taxonomy", labels / "taxonomy.yaml"]
    command = [str(argument) for argument in (*arguments, *shared)]
    return CliRunner().invoke(compare, command, catch_exceptions=False)


def test_a_model_gains_nothing_over_its_twin(twins: tuple[Path, Path], corpus: Corpus) -> None:
    found = comparison.beside(twins, corpus)
    assert list(found) == ["dev", "test"]
    for side, (first, second) in found.items():
        assert first["passages"] == len(corpus.side(side))
        assert first["gain"] is None
        assert second["gain"]["macro_f1"] == {"value": 0, "low": 0, "high": 0}
        assert first["macro_f1"] == second["macro_f1"]


def test_the_tables_go_into_the_block_of_a_page_and_the_figures_beside_it(
    twins: tuple[Path, Path], corpus_folder: Path, tmp_path: Path
) -> None:
    page = tmp_path / "before-after.md"
    page.write_text(PAGE)
    assert run(corpus_folder, *twins, "--page", page).exit_code == 0
    text = page.read_text()
    assert "stale figures" not in text
    assert text.endswith("The end.\n")
    assert "### Dev: " in text
    assert "### Gold (test): " in text
    assert set(json.loads(page.with_suffix(".json").read_text())) == {"dev", "test"}


def test_two_folders_of_one_name_cannot_be_told_apart(released: Path, corpus_folder: Path) -> None:
    with pytest.raises(TrainingError, match="one name"):
        run(corpus_folder, released, released)


def test_errors_of_every_kind_are_counted_where_they_are_made() -> None:
    texts = [
        passage({"red": "advances"}, "claim"),
        passage({"red": "rebuts"}, "debunk"),
        passage({}, "neutral"),
        passage({}, "real neutral", source="feed"),
    ]
    as_claim: Said = {"red": (0.9, "advances", 0.9)}
    model = measured(texts, [as_claim, as_claim, {}, as_claim])
    one = comparison._one(model, model, _Corpus()).as_json()
    assert one["debunks_accepted_as_claims"]["count"] == 1
    assert one["neutral_accepted"]["real text"]["count"] == 1
    assert one["neutral_accepted"]["written for the project"]["count"] == 0
    assert one["macro_f1_by_origin"].keys() == {"written for the project"}


class _Corpus:
    taxonomy = taxonomy()
