"""The datasheet's numbers are those of the label files."""

import json
from pathlib import Path

from training import taxonomy as taxonomies
from training.corpus import SPLIT
from training.generated import contents
from training.labels import actors, datasheet, records, split
from training.labels.records import Written
from training.taxonomy import Taxonomy

ROOT = Path(__file__).parents[3]
LABELS = ROOT / "data" / "labels"


def test_the_committed_datasheet_is_not_stale() -> None:
    taxonomy = taxonomies.load(LABELS / "taxonomy.yaml")
    shortcuts = ROOT / "docs" / "shortcuts.json"
    audit = json.loads(shortcuts.read_bytes()) if shortcuts.exists() else None
    fresh = datasheet.blocks(
        records.read(LABELS, taxonomy),
        taxonomy,
        split.read(LABELS / SPLIT),
        audit,
        actors.load(LABELS),
    )
    shown = contents((LABELS / "DATASHEET.md").read_text(encoding="utf-8"))
    stale = [name for name, content in shown.items() if content != fresh[name]]
    assert stale == [], "run `narrascope labels datasheet`"
    assert set(shown) == set(fresh)


def test_numbers_follow_the_records(made_up: Taxonomy) -> None:
    about = {"how": "written", "id": "1", "text": "A text.", "register": "post", "lang": "en"}
    decided = {"labels": {"blue-boats": "for"}, "annotator": "A", "date": "2026-01-01"}
    record = Written.model_validate({**about, **decided})
    made = datasheet.blocks([record], made_up, {"written:1": "dev"}, None, {"texts": ["text"]})
    assert made["counts"].startswith("1 passages in 1 languages: 0 of real text by stand-off, 1")
    assert "| `blue-boats` | 1 | 0 | 1 |" in made["narratives"]
    assert "| dev | 0 | 1 |" in made["sides"]
    assert made["gaps"] == "- en: no `red-tractors`, `green-trains`"
    assert "| en | 1 | 100% | 0% |" in made["actors"]
    assert made["neutral"] == "0 of 1 written passages (0.0%) carry no narrative."
    assert made["shortcuts"] == datasheet.NOT_AUDITED
