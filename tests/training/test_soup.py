"""Averaged runs: the mean of the weights, and only of runs that may be averaged."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.errors import TrainingError
from training.soup import average


def finished(folder: Path, *, value: float, seed: int, **changes: Any) -> Path:
    folder.mkdir()
    about = {
        "base": {"requested": "toy"},
        "taxonomy_version": "1",
        "data": {"fingerprint": changes.pop("fingerprint", "a")},
        "recipe": {"seed": seed, "epochs": 2, **changes},
    }
    (folder / "run.json").write_text(json.dumps(about))
    history = {"steps": 4, "seconds": 10, "resumed": False, "loss": [value, value / 2]}
    (folder / "history.json").write_text(json.dumps(history))
    save_file({"layer": torch.full((2, 2), value)}, folder / "network.safetensors")
    return folder


def test_each_weight_is_the_mean_of_the_runs(tmp_path: Path) -> None:
    runs = [finished(tmp_path / str(n), value=n, seed=n) for n in (1, 2, 6)]
    history = average(runs, tmp_path / "all")
    assert torch.equal(
        load_file(tmp_path / "all/network.safetensors")["layer"], torch.full((2, 2), 3.0)
    )
    assert history == json.loads((tmp_path / "all/history.json").read_text())
    assert history["seeds"] == [1, 2, 6]
    assert (history["steps"], history["seconds"], history["loss"]) == (12, 30, [3.0, 1.5])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"seed": 2, "epochs": 3}, "another epochs"),
        ({"seed": 2, "fingerprint": "b"}, "another data"),
        ({"seed": 1}, "one seed"),
    ],
)
def test_runs_that_are_no_siblings_are_refused(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    runs = [
        finished(tmp_path / "a", value=1, seed=1),
        finished(tmp_path / "b", value=2, **changes),
    ]
    with pytest.raises(TrainingError, match=named):
        average(runs, tmp_path / "all")
    assert not (tmp_path / "all").exists()


def test_a_run_that_is_not_finished_is_named(tmp_path: Path) -> None:
    runs = [finished(tmp_path / str(n), value=n, seed=n) for n in (1, 2)]
    (runs[1] / "network.safetensors").unlink()
    with pytest.raises(TrainingError, match="2 holds no finished run"):
        average(runs, tmp_path / "all")


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    runs = [finished(tmp_path / str(n), value=n, seed=n) for n in (1, 2)]
    with pytest.raises(TrainingError, match="not empty"):
        average(runs, runs[0])
