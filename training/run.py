"""A training run: a folder with arguments, data fingerprint, weights and history."""

import hashlib
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_model, save_model

from serving.model_folder import Reading
from serving.tokens import Tokens
from training import fine_tune
from training.base import checkpoint
from training.corpus import Corpus
from training.encoding import TrainingRows
from training.errors import TrainingError
from training.fine_tune import WEIGHTS, Base
from training.labels import groups
from training.labels.sources import Passage
from training.network import Network
from training.recipe import Recipe

ARGUMENTS = "run.json"
TOKENIZER = "tokenizer.json"


def open_base(name: str, recipe: Recipe, cache: Path = checkpoint.CACHE) -> Base:
    """Resolve a base and open its tokenizer with the recipe's length limit.

    Raises:
        BaseError: there is no such base, or it has no fast tokenizer.
    """
    folder = checkpoint.resolve(name, cache)
    prefix = checkpoint.prefix_of(folder)
    path = checkpoint.tokenizer_of(folder)
    return Base(folder, Tokens(path, prefix=prefix, limit=recipe.tokens))


def reading_of(base: Base, recipe: Recipe) -> Reading:
    """Return how a model on this base reads text."""
    return Reading(prefix=checkpoint.prefix_of(base.folder), tokens=recipe.tokens)


def start(folder: Path, corpus: Corpus, base_name: str, recipe: Recipe) -> dict[str, Any]:
    """Train into `folder`, or go on with the run that was killed there.

    Raises:
        TrainingError: the folder holds a run with other arguments or other labels.
    """
    base = open_base(base_name, recipe)
    arguments = folder / ARGUMENTS
    if arguments.exists() and recipe.precision == "auto":
        # What `auto` chose at the start holds for the whole run, on whatever it is resumed.
        earlier = json.loads(arguments.read_text())["recipe"]["precision"]
        recipe = recipe.with_(precision=earlier)
    elif recipe.precision == "auto":
        recipe = recipe.with_(precision="bf16" if fine_tune.bf16_pays() else "fp32")
    about = {
        "base": {"requested": base_name, **checkpoint.provenance_of(base.folder)},
        "recipe": asdict(recipe),
        "taxonomy_version": corpus.taxonomy.version,
        "data": corpus.describe(),
    }
    if arguments.exists() and json.loads(arguments.read_text()) != about:
        raise TrainingError(
            f"{folder} holds a run with other arguments or labels: "
            "pass another --run, or delete it to begin anew."
        )
    folder.mkdir(parents=True, exist_ok=True)
    arguments.write_text(json.dumps(about, indent=1) + "\n")
    if (folder / WEIGHTS).exists():
        finished: dict[str, Any] = json.loads((folder / fine_tune.HISTORY).read_text())
        return finished
    network = fine_tune.build(base, corpus.taxonomy, recipe)
    rows = TrainingRows(
        share_of(corpus.side("train"), recipe.share),
        corpus.taxonomy,
        base.tokens,
        perturbed=recipe.perturbed,
        seed=recipe.seed,
    )
    history = fine_tune.fine_tune(network, rows, recipe, folder)
    partial = folder / (WEIGHTS + ".partial")
    save_model(network, str(partial))
    partial.replace(folder / WEIGHTS)
    return history


def share_of(passages: list[Passage], share: float) -> list[Passage]:
    """Return about `share` of the passages, whole groups; a smaller share is part of a larger one.

    Passages of one group teach much the same: without half of the groups a run knows half as much,
    without half of the passages it would know more than half.
    """
    if share >= 1:
        return passages
    numbers = groups.assign(passages)
    names: dict[int, str] = {}
    for passage, number in zip(passages, numbers, strict=True):
        names[number] = min(passage.key, names.get(number, passage.key))
    order = sorted(names, key=lambda n: hashlib.sha256(names[n].encode()).digest())
    kept = set(order[: math.ceil(len(order) * share)])
    return [p for p, number in zip(passages, numbers, strict=True) if number in kept]


def check_finished(folder: Path) -> None:
    """Raise TrainingError if there is no finished run in `folder`."""
    if not (folder / WEIGHTS).exists():
        raise TrainingError(
            f"{folder} holds no finished run (no {WEIGHTS}): run `narrascope train --run {folder}`."
        )


def load(folder: Path, corpus: Corpus) -> tuple[Network, Base, Recipe, dict[str, Any]]:
    """Load a finished run.

    Raises:
        TrainingError: there is no finished run in `folder`.
    """
    check_finished(folder)
    about = json.loads((folder / ARGUMENTS).read_text())
    recipe = Recipe(**about["recipe"])
    base = open_base(about["base"]["requested"], recipe)
    network = fine_tune.build(base, corpus.taxonomy, recipe)
    load_model(network, str(folder / WEIGHTS))
    history = json.loads((folder / fine_tune.HISTORY).read_text())
    return network.eval(), base, recipe, {**about, "history": history}
