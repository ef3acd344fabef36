"""A picture of the counts: passages per narrative by stance, per language by origin."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.errors import LabelError
from training.labels.stats import Statistics

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00")
"""Told apart by colour-blind readers too (Okabe and Ito 2008)."""
INCHES = 0.27
"""Height of a bar with its gap."""


def draw(counted: Statistics, path: Path) -> None:
    """Write the picture; the ending of `path` says in which format.

    Raises:
        LabelError: the file cannot be written, or its ending is no picture's.
    """
    bars = max(len(counted.by_narrative), len(counted.by_language), 4)
    figure = Figure(figsize=(13, 1.4 + INCHES * bars), layout="constrained")
    left, right = figure.subplots(1, 2)
    _stack(left, counted.by_narrative, "Passages per narrative, by stance")
    _stack(right, counted.by_language, "Passages per language, by origin")
    figure.suptitle(
        f"{counted.total} passages, {counted.none} of them without a narrative, "
        f"{counted.read_twice} read twice"
    )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise LabelError(f"{path}: no picture can be written there: {error}") from error


def _stack(axes: Axes, bars: Mapping[str, Mapping[str, int]], title: str) -> None:
    names = list(bars)
    left = [0] * len(names)
    for number, part in enumerate(next(iter(bars.values()))):
        widths = [bars[name][part] for name in names]
        axes.barh(names, widths, left=left, label=part, color=COLOURS[number % len(COLOURS)])
        left = [start + width for start, width in zip(left, widths, strict=True)]
    for row, total in enumerate(left):
        axes.annotate(
            f"{total}", (total, row), xytext=(3, 0), textcoords="offset points", va="center"
        )
    axes.invert_yaxis()
    axes.margins(x=0.12, y=0.01)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left")
    axes.legend(frameon=False, loc="lower right")
