"""The page and the plots are made of the report alone, with every part or without."""

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.evaluation.test_robustness import CLAIM, under_change
from tests.training.evaluation.toys import STANCES, passage, taxonomy
from training.corpus import Corpus
from training.evaluation import markdown, plots, report
from training.evaluation.robustness import robustness


@pytest.fixture
def found() -> dict[str, Any]:
    passages = [
        passage({"red": "advances"} if n % 2 else {}, f"Russia said: «{n}». No.", lang=lang)
        for lang in ("en", "ka")
        for n in range(20)
    ]
    before = [CLAIM if n % 3 == 0 else {} for n in range(40)]
    one = under_change(passages, before, {})
    corpus = Corpus(
        taxonomy=taxonomy(),
        passages=passages,
        split={p.key: "test" for p in passages},
        without_source=[],
        changed=[],
    )
    rate = {"count": 1, "total": 4, "value": 0.25, "low": 0.0063, "high": 0.8059}
    parts = {
        "robustness": robustness(one, STANCES),
        "neutral_sources": {
            "plain": [{"language": "hy", "zero_shot": True, "accepted": rate, "found": rate}]
        },
    }
    return report.evaluate(one, [one.system], corpus, **parts)


def test_the_report_is_for_machines(found: dict[str, Any]) -> None:
    assert json.loads(json.dumps(found, allow_nan=False))["model"] == "toy-1"


def test_the_page_shows_what_was_measured(found: dict[str, Any]) -> None:
    page = markdown.page(found)
    assert "| hy, zero-shot | 25.0% [0.6%, 80.6%], 1 of 4 |" in page
    assert "| ka, zero-shot | 20 |" in page
    assert "| upper case | 40 | " in page
    assert "Debunks flagged as advancing" not in page or found["debunks_as_claims"]
    assert ".png" not in page
    assert not [line for line in page.splitlines() if line != line.rstrip()]


def test_tables_are_whole(found: dict[str, Any]) -> None:
    lines = markdown.page(found).splitlines()
    for line, following in itertools.pairwise(lines):
        if line.startswith("|") and following.startswith("|"):
            assert line.count("|") == following.count("|")


def test_parts_that_were_not_measured_are_not_on_the_page(found: dict[str, Any]) -> None:
    del found["robustness"], found["neutral_sources"]
    page = markdown.page(found)
    assert "## Robustness" not in page
    assert "taken as neutral" not in page


def test_plots_are_drawn_and_shown(found: dict[str, Any], tmp_path: Path) -> None:
    drawn = plots.draw(found, tmp_path / "evaluation")
    assert drawn == ["reliability", "abstention", "robustness"]
    page = markdown.page(found, drawn)
    for name in drawn:
        assert (tmp_path / "evaluation" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert f"(evaluation/{name}.png)" in page
