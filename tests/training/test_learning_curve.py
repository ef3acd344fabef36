"""Learning curves: runs on shares of the labels, measured on the same passages."""

import json
from pathlib import Path

import pytest

from tests.training.toy import write_labels
from training import corpus as corpora
from training import learning_curve, run
from training.errors import TrainingError
from training.learning_curve import Point
from training.recipe import Recipe
from training.taxonomy import Taxonomy


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, made_up: Taxonomy) -> corpora.Corpus:
    folder = tmp_path_factory.mktemp("labels")
    return corpora.load(folder, write_labels(folder, made_up), None)


@pytest.fixture(scope="module")
def points(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: corpora.Corpus,
    checkpoint: Path,
    tiny_recipe: Recipe,
) -> list[Point]:
    folder = tmp_path_factory.mktemp("runs")
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(learning_curve, "FEWEST", 1)
    for name, share in (("whole", 1.0), ("tenth", 0.1)):
        run.start(folder / name, corpus, str(checkpoint), tiny_recipe.with_(share=share))
    found = learning_curve.measure([folder / "whole", folder / "tenth"], corpus)
    monkeypatch.undo()
    return found


def test_the_points_stand_by_share_and_name_what_each_was_trained_on(
    points: list[Point], corpus: corpora.Corpus
) -> None:
    assert [point.share for point in points] == [0.1, 1.0]
    assert points[0].passages < points[1].passages == len(corpus.side("train"))


def test_more_of_these_labels_help(points: list[Point]) -> None:
    few, all_ = points
    assert few.macro_f1["all"].value < all_.macro_f1["all"].value
    assert few.average_precision.value < all_.average_precision.value
    assert all_.macro_f1["all"].low <= all_.macro_f1["all"].value <= all_.macro_f1["all"].high


def test_parts_without_passages_get_no_figure(points: list[Point]) -> None:
    assert set(points[0].macro_f1) == {"all", "written", "en"}


def test_page_figures_and_picture_are_written(points: list[Point], tmp_path: Path) -> None:
    learning_curve.write(points, tmp_path)
    page = (tmp_path / learning_curve.PAGE).read_text()
    assert str(points[1].macro_f1["all"]) in page
    assert learning_curve.PLOT in page
    assert (tmp_path / learning_curve.PLOT).read_bytes().startswith(b"\x89PNG")
    data = json.loads((tmp_path / learning_curve.DATA).read_text())
    assert data["points"][0]["share"] == 0.1


def test_an_unfinished_run_is_refused(corpus: corpora.Corpus, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="no finished run"):
        learning_curve.measure([tmp_path], corpus)
