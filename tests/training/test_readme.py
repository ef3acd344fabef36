"""The README's numbers are those that were measured, and its answer is the model's."""

import json
from pathlib import Path

import pytest

from serving.classifier import Classifier
from training import readme
from training.errors import TrainingError
from training.generated import contents

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def page() -> str:
    return (ROOT / readme.README).read_text(encoding="utf-8")


def test_figures_and_speed_are_not_stale(page: str) -> None:
    fresh = readme.measured(
        json.loads((ROOT / readme.EVALUATION).read_bytes()),
        json.loads((ROOT / readme.BENCHMARK).read_bytes()),
    )
    shown = contents(page)
    assert {name: shown[name] for name in fresh} == fresh, "run `make readme`"


def test_the_evaluation_is_of_the_released_model() -> None:
    evaluation = json.loads((ROOT / readme.EVALUATION).read_bytes())
    assert evaluation["model"] == (ROOT / "models" / "current").resolve().name


def test_the_answer_is_json_with_a_finding_a_line(tiny_model: Path) -> None:
    page = """```sh\ncurl -s host -d '{"id": "a", "text": "the red tractor"}'\n```"""
    block = readme.answer(Classifier.load(tiny_model), page)
    said = json.loads(block.removeprefix("```json\n").removesuffix("\n```"))
    assert (said["id"], said["model"]) == ("a", tiny_model.name)
    assert len(said["narratives"]) == 3


def test_the_table_of_a_text_counts_what_it_leaves_out(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readme, "FINDINGS_SHOWN", 2)
    block = readme.findings(Classifier.load(tiny_model), "the red tractor is good")
    assert "0 findings accepted, 3 sent to review" in block
    assert block.count("\n| `") == 2


def test_a_page_without_an_example_is_refused(tiny_model: Path) -> None:
    with pytest.raises(TrainingError, match="curl"):
        readme.answer(Classifier.load(tiny_model), "nothing here")
