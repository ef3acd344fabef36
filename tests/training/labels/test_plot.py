"""The picture of the counts."""

from pathlib import Path

import pytest
from matplotlib.image import imread

from training.errors import LabelError
from training.labels import plot, stats
from training.labels.records import Written
from training.taxonomy import Taxonomy


@pytest.fixture
def counted(made_up: Taxonomy) -> stats.Statistics:
    about = {"how": "written", "id": "1", "lang": "en", "text": "A text.", "register": "post"}
    decided = {"labels": {"blue-boats": "for"}, "annotator": "A", "date": "2026-01-01"}
    return stats.count([Written.model_validate({**about, **decided})], made_up)


def test_the_picture_is_drawn(counted: stats.Statistics, tmp_path: Path) -> None:
    plot.draw(counted, tmp_path / "new" / "counts.png")
    assert imread(tmp_path / "new" / "counts.png").std() > 0


def test_the_picture_names_every_bar(counted: stats.Statistics, tmp_path: Path) -> None:
    plot.draw(counted, tmp_path / "counts.svg")
    drawn = (tmp_path / "counts.svg").read_text(encoding="utf-8")
    for name in ("red-tractors", "blue-boats", "for", "against", "en", "written"):
        assert f"<!-- {name} -->" in drawn


def test_an_ending_that_is_no_pictures_is_named(counted: stats.Statistics, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"counts\.doc: no picture"):
        plot.draw(counted, tmp_path / "counts.doc")
