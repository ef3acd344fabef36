"""Points `models/current` at a released folder, and back."""

import shutil
from pathlib import Path
from typing import Any

from serving.errors import ModelFolderError
from serving.model_folder import open_folder
from training.errors import TrainingError
from training.export import save_manifest
from training.model_card import write_card

CURRENT = "current"
RELEASED = "released"
"""Where a manifest's `training` says against which model it was released, and why."""


def current(models: Path) -> Path | None:
    """Return the folder that `current` points to; None if there is none yet."""
    link = models / CURRENT
    return link.resolve() if link.exists() else None


def promote(candidate: Path, models: Path, name: str, record: dict[str, Any]) -> Path:
    """Put a candidate under its name into `models`, with its record and card, and point to it.

    The folder appears whole or not at all, and `current` changes in one step.

    Args:
        candidate: a model folder; where it lies in `models` already, under another name, it stays.
        models: the folder of all releases.
        name: of the release.
        record: what it was compared with, for its manifest.

    Raises:
        TrainingError: there is another model of that name.
    """
    target = models / name
    if target.exists() and target.resolve() != candidate.resolve():
        raise TrainingError(f"{target} exists already: pass another --name.")
    manifest = open_folder(candidate)
    models.mkdir(parents=True, exist_ok=True)
    partial = models / f".{name}.partial"
    aside = models / f".{name}.old"
    shutil.rmtree(partial, ignore_errors=True)
    try:
        shutil.copytree(candidate.resolve(), partial)
        training = {**manifest.training, RELEASED: record}
        save_manifest(partial, manifest.model_copy(update={"name": name, "training": training}))
        write_card(partial)
        if target.exists():
            target.replace(aside)
        partial.replace(target)
    finally:
        for rest in (partial, aside):
            shutil.rmtree(rest, ignore_errors=True)
    _point(models, name)
    return target


def rollback(models: Path) -> str:
    """Point `current` to the model that was current before; return its name.

    Raises:
        TrainingError: nothing was before, or its folder is not whole.
    """
    folder = current(models)
    if folder is None:
        raise TrainingError(f"{models / CURRENT} points to no model: there is nothing to go back.")
    manifest = open_folder(folder)
    before = manifest.training.get(RELEASED, {}).get("before")
    if not before:
        raise TrainingError(
            f"{manifest.name} was not released over another model: there is nothing to go back to."
        )
    try:
        open_folder(models / before)
    except ModelFolderError as error:
        raise TrainingError(f"{manifest.name} cannot be rolled back: {error}") from error
    _point(models, before)
    return str(before)


def _point(models: Path, name: str) -> None:
    link = models / f".{CURRENT}.partial"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(models / CURRENT)
