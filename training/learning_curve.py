"""Learning curves: what runs on growing shares of the labels say of the dev side.

Whether more labels still help, and in which language: each run is measured on the same passages, at
a probability of one half for every narrative, so that no threshold is fitted to them.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure as Picture

from training import run as runs
from training.corpus import Corpus
from training.encoding import collate, dataset
from training.errors import TrainingError
from training.labels import groups
from training.labels.sources import Passage
from training.metrics import Array, Figure, bootstrap, macro_f1, mean_average_precision
from training.readout import stance_truth, truth

PAGE = "learning-curve.md"
DATA = "learning-curve.json"
PLOT = "learning-curve.png"
BATCH = 32
FEWEST = 30
"""Passages with a narrative below which a part of the dev side gets no figure of its own."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A run on a share of the labels: macro F1 by part of the dev side, and two more figures."""

    share: float
    passages: int
    macro_f1: dict[str, Figure]
    average_precision: Figure
    stance_accuracy: Figure

    def as_json(self) -> dict[str, Any]:
        """Return the point for machines."""
        return {
            "share": self.share,
            "passages": self.passages,
            "macro_f1": {part: figure.as_json() for part, figure in self.macro_f1.items()},
            "average_precision": self.average_precision.as_json(),
            "stance_accuracy": self.stance_accuracy.as_json(),
        }


def measure(folders: Sequence[Path], corpus: Corpus) -> list[Point]:
    """Measure finished runs on the dev side, smallest share first.

    Raises:
        TrainingError: a folder holds no finished run, or one on other labels.
    """
    dev = corpus.side("dev")
    if not dev:
        raise TrainingError("no passage is on the dev side: run `narrascope labels split`.")
    numbers = np.array(groups.assign(dev))
    fingerprint = corpus.describe()["fingerprint"]
    points = []
    for folder in folders:
        network, base, recipe, about = runs.load(folder, corpus)
        if about["data"]["fingerprint"] != fingerprint:
            raise TrainingError(f"{folder} was trained on other labels than those given.")
        narratives, stances = _score(network, dataset(dev, corpus.taxonomy, base.tokens))
        points.append(
            _point(
                share=recipe.share,
                passages=len(runs.share_of(corpus.side("train"), recipe.share)),
                scores=narratives,
                stances=stances,
                dev=dev,
                corpus=corpus,
                numbers=numbers,
            )
        )
    return sorted(points, key=lambda point: point.share)


@torch.no_grad()
def _score(network: Any, rows: Any) -> tuple[Array, Array]:
    """Return raw scores of encoded passages in their order, in batches of similar length."""
    order = np.argsort([len(ids) for ids in rows["input_ids"]], kind="stable")
    narratives, stances = [], []
    for start in range(0, len(order), BATCH):
        batch = collate([rows[int(index)] for index in order[start : start + BATCH]])
        answer = network(batch["input_ids"], batch["attention_mask"])
        narratives.append(answer["narratives"].numpy())
        stances.append(answer["stances"].numpy())
    back = np.argsort(order)
    return np.concatenate(narratives)[back], np.concatenate(stances)[back]


def _point(
    *,
    share: float,
    passages: int,
    scores: Array,
    stances: Array,
    dev: list[Passage],
    corpus: Corpus,
    numbers: Any,
) -> Point:
    true = truth(dev, corpus.taxonomy)
    stance_true = stance_truth(dev, corpus.taxonomy)
    carried = stance_true >= 0
    right = (stances.argmax(-1) == stance_true) & carried

    def accuracy(rows: Any) -> float:
        return float(right[rows].sum() / max(1, carried[rows].sum()))

    def f1(rows: Any) -> float:
        return macro_f1(true[rows], scores[rows] > 0)

    figures = {}
    for part, chosen in _parts(dev).items():
        rows = np.flatnonzero(chosen)
        if true[rows].any(1).sum() >= FEWEST:
            figures[part] = bootstrap(partial(_on, f1, rows), numbers[rows])
    return Point(
        share=share,
        passages=passages,
        macro_f1=figures,
        average_precision=bootstrap(
            lambda drawn: mean_average_precision(true[drawn], scores[drawn]), numbers
        ),
        stance_accuracy=bootstrap(accuracy, numbers),
    )


def _on(measure: Callable[[Any], float], rows: Any, drawn: Any) -> float:
    """Measure the rows of a part that a resample of it drew."""
    return measure(rows[drawn])


def _parts(dev: list[Passage]) -> dict[str, Any]:
    languages = np.array([p.lang for p in dev])
    written = np.array([p.source == "written" for p in dev])
    parts = {"all": np.ones(len(dev), bool), "real text": ~written, "written": written}
    for language in sorted(set(languages), key=lambda code: -(languages == code).sum()):
        parts[language] = languages == language
        parts[f"{language}, real text"] = (languages == language) & ~written
    return parts


def write(points: list[Point], folder: Path) -> None:
    """Write the curve as Markdown, JSON and a picture."""
    (folder / DATA).write_text(
        json.dumps({"points": [point.as_json() for point in points]}, indent=1) + "\n"
    )
    (folder / PAGE).write_text(_page(points), encoding="utf-8")
    _picture(points).savefig(folder / PLOT, dpi=120)


def _page(points: list[Point]) -> str:
    shares = [f"{point.share:.1%} ({point.passages:,})" for point in points]
    lines = [
        "# Do more labels still help?",
        "",
        "The recipe, trained on growing shares of the training side (whole groups; a smaller share "
        "is part of a larger one), each measured on the same dev passages: macro F1 of the "
        "narratives at a probability of one half, with 95 % intervals over groups. Made by "
        "`narrascope learning-curve`.",
        "",
        f"![learning curve]({PLOT})",
        "",
        "| dev passages | " + " | ".join(shares) + " |",
        "|---|" + "---|" * len(points),
    ]
    for part in points[-1].macro_f1:
        cells = [str(point.macro_f1[part]) for point in points]
        lines.append(f"| {part} | " + " | ".join(cells) + " |")
    for title, name in (
        ("average precision, all", "average_precision"),
        ("stance accuracy, all", "stance_accuracy"),
    ):
        lines.append(f"| {title} | " + " | ".join(str(getattr(p, name)) for p in points) + " |")
    return "\n".join(lines) + "\n"


def _picture(points: list[Point]) -> Picture:
    picture = Picture(figsize=(7, 4.2), layout="constrained")
    axes = picture.subplots()
    sizes = [point.passages for point in points]
    for part in points[-1].macro_f1:
        figures = [point.macro_f1[part] for point in points]
        middle = [figure.value for figure in figures]
        width = 2.4 if part == "all" else 1.2
        axes.plot(sizes, middle, marker="o", markersize=3, linewidth=width, label=part)
        if part == "all":
            low, high = [f.low for f in figures], [f.high for f in figures]
            axes.fill_between(sizes, low, high, alpha=0.15)
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xlabel("passages trained on")
    axes.set_ylabel("macro F1 on dev")
    axes.grid(alpha=0.3)
    axes.legend(fontsize=7, ncols=2)
    return picture
