"""Runs that differ in their seed alone, averaged weight by weight into one.

All runs start from one network and end in one valley; the middle of where they end is often better
than any of them, at no cost when serving (Wortsman et al. 2022, arXiv:2203.05482).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from training.errors import TrainingError
from training.fine_tune import HISTORY, WEIGHTS
from training.run import ARGUMENTS, check_finished

FEWEST = 2


def average(runs: Sequence[Path], into: Path) -> dict[str, Any]:
    """Write the mean of finished runs to `into`, a run like any other.

    Returns:
        The history of all runs together: `steps` and `seconds` are sums, `loss` is the mean of
        each epoch, `seeds` are those of the runs.

    Raises:
        TrainingError: a run is not finished, the runs differ in more than their seed, two have one
            seed, or `into` is taken.
    """
    if len(runs) < FEWEST:
        raise TrainingError("one run cannot be averaged: name two or more.")
    if into.exists() and any(into.iterdir()):
        raise TrainingError(f"{into} is not empty: pass another --run.")
    for folder in runs:
        check_finished(folder)
    about = [json.loads((folder / ARGUMENTS).read_text()) for folder in runs]
    _check_alike(runs, about)
    histories = [json.loads((folder / HISTORY).read_text()) for folder in runs]
    history = {
        "steps": sum(one["steps"] for one in histories),
        "seconds": sum(one["seconds"] for one in histories),
        "resumed": any(one["resumed"] for one in histories),
        "loss": [
            round(sum(losses) / len(losses), 4)
            for losses in zip(*(one["loss"] for one in histories), strict=True)
        ],
        "seeds": [one["recipe"]["seed"] for one in about],
    }
    into.mkdir(parents=True, exist_ok=True)
    (into / ARGUMENTS).write_text(json.dumps(about[0], indent=1) + "\n")
    (into / HISTORY).write_text(json.dumps(history, indent=1) + "\n")
    save_file(_mean([folder / WEIGHTS for folder in runs]), into / WEIGHTS)
    return history


def _check_alike(runs: Sequence[Path], about: Sequence[dict[str, Any]]) -> None:
    for folder, one in zip(runs[1:], about[1:], strict=True):
        for part in ("base", "taxonomy_version", "data"):
            if one[part] != about[0][part]:
                raise TrainingError(f"{folder} has another {part} than {runs[0]}.")
        first = about[0]["recipe"]
        other = [name for name, value in one["recipe"].items() if first.get(name) != value]
        if more := [name for name in other if name != "seed"]:
            raise TrainingError(f"{folder} has another {', '.join(more)} than {runs[0]}.")
    seeds = [one["recipe"]["seed"] for one in about]
    if len(set(seeds)) < len(seeds):
        raise TrainingError(f"two of the runs have one seed ({seeds}): they are the same run.")


def _mean(paths: Sequence[Path]) -> dict[str, torch.Tensor]:
    first = load_file(paths[0])
    total = {name: weight.double() for name, weight in first.items()}
    for path in paths[1:]:
        for name, weight in load_file(path).items():
            total[name] += weight.double()
    return {name: (weight / len(paths)).to(first[name].dtype) for name, weight in total.items()}
