"""Runs are followed by a local tool if it is there, and train the same without it."""

import os
from pathlib import Path

import pytest

from training import tracking
from training.recipe import Recipe


def test_without_the_tool_nothing_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: None)
    assert tracking.report_to() == "none"


def test_its_file_lies_where_it_was_told_or_beside_the_other_caches(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracking, "find_spec", lambda _: object())
    monkeypatch.setenv("TRACKIO_DIR", "elsewhere")
    assert tracking.report_to() == "trackio"
    assert os.environ["TRACKIO_DIR"] == "elsewhere"
    monkeypatch.delenv("TRACKIO_DIR")
    assert tracking.report_to() == "trackio"
    assert os.environ["TRACKIO_DIR"] == ".cache/trackio"


def test_a_run_is_followed_under_its_name(finished: Path, tiny_recipe: Recipe) -> None:
    trackio = pytest.importorskip("trackio")
    followed = {run.name: run for run in trackio.Api().runs(tracking.PROJECT)}
    assert followed[finished.name].config["num_train_epochs"] == tiny_recipe.epochs
