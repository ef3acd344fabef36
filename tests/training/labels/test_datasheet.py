"""The datasheet's numbers are those of the label files."""

import json
from pathlib import Path

import pytest

from training import taxonomy as taxonomies
from training.corpus import SPLIT
from training.errors import LabelError
from training.labels import datasheet, records, split
from training.labels.records import Written
from training.taxonomy import Taxonomy

ROOT = Path(__file__).parents[3]
LABELS = ROOT / "data" / "labels"


def test_the_committed_datasheet_is_not_stale() -> None:
    taxonomy = taxonomies.load(LABELS / "taxonomy.yaml")
    shortcuts = ROOT / "docs" / "shortcuts.json"
    audit = json.loads(shortcuts.read_bytes()) if shortcuts.exists() else None
    fresh = datasheet.blocks(
        records.read(LABELS, taxonomy), taxonomy, split.read(LABELS / SPLIT), audit
    )
    page = (LABELS / "DATASHEET.md").read_text(encoding="utf-8")
    stale = [
        match["name"]
        for match in datasheet.BLOCK.finditer(page)
        if match["content"] != fresh[match["name"]] + "\n"
    ]
    assert stale == [], "run `narrascope labels datasheet`"
    assert {match["name"] for match in datasheet.BLOCK.finditer(page)} == set(fresh)


def test_blocks_are_made_anew_and_the_rest_is_left_alone() -> None:
    page = "Before.\n\n<!-- generated:a -->\nold\n<!-- /generated -->\nBetween \\1.\n"
    page += "<!-- generated:b -->\n<!-- /generated -->\nAfter.\n"
    fresh = datasheet.refresh(page, {"a": "1 of \\2", "b": "two\nlines"})
    assert fresh == (
        "Before.\n\n<!-- generated:a -->\n1 of \\2\n<!-- /generated -->\nBetween \\1.\n"
        "<!-- generated:b -->\ntwo\nlines\n<!-- /generated -->\nAfter.\n"
    )
    assert datasheet.refresh(fresh, {"a": "1 of \\2", "b": "two\nlines"}) == fresh


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("<!-- generated:a -->\n", "without"),
        ("<!-- generated:a -->\n<!-- generated:a -->\n<!-- /generated -->\n", "without"),
        ("<!-- generated:b -->\n<!-- /generated -->\n", "asks for 'b'; there is a"),
    ],
)
def test_a_page_that_does_not_hold_together_is_refused(page: str, reason: str) -> None:
    with pytest.raises(LabelError, match=reason):
        datasheet.refresh(page, {"a": "1"})


def test_numbers_follow_the_records(made_up: Taxonomy) -> None:
    about = {"how": "written", "id": "1", "text": "A text.", "register": "post", "lang": "en"}
    decided = {"labels": {"blue-boats": "for"}, "annotator": "A", "date": "2026-01-01"}
    record = Written.model_validate({**about, **decided})
    made = datasheet.blocks([record], made_up, {"written:1": "dev"}, None)
    assert made["counts"].startswith("1 passages in 1 languages: 0 of real text by stand-off, 1")
    assert "| `blue-boats` | 1 | 0 | 1 |" in made["narratives"]
    assert "| dev | 0 | 1 |" in made["sides"]
    assert made["gaps"] == "- en: no `red-tractors`, `green-trains`"
    assert made["shortcuts"] == datasheet.NOT_AUDITED
