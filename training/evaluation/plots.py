"""Plots of the report as PNG files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

SIZE = (7.0, 3.6)
DOTS = 110
"""Of an inch; enough for a page, and few bytes."""

Report = dict[str, Any]


def draw(found: Report, folder: Path) -> list[str]:
    """Write a PNG for every part of the report that has one; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, plot in _PLOTS.items():
        if name not in found:
            continue
        figure = Figure(figsize=SIZE, layout="constrained")
        plot(found[name], figure)
        # Without the drawing library's version in it, the same report makes the same file.
        figure.savefig(folder / f"{name}.png", dpi=DOTS, metadata={"Software": None})
        drawn.append(name)
    return drawn


def _reliability(found: Report, figure: Figure) -> None:
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for panel, (what, bins) in zip(panels, found.items(), strict=True):
        panel.plot([0, 1], [0, 1], color="0.7", linewidth=1)
        confidences, right = [b["confidence"] for b in bins], [b["right"] for b in bins]
        panel.plot(confidences, right, "o-", color="tab:blue")
        for entry in bins:
            where = (entry["confidence"], entry["right"])
            panel.annotate(str(entry["count"]), where, (4, -11), textcoords="offset points", size=7)
        _frame(panel, "confidence", "share that is right", what)


def _abstention(found: Report, figure: Figure) -> None:
    panel = figure.subplots()
    curve = found["curve"]
    shares = [point["sent_to_review"] for point in curve]
    for key, label in (
        ("wrong_or_other_stance", "narrative not there, or another stance"),
        ("wrong", "narrative not there"),
    ):
        (line,) = panel.plot(shares, [point[key] for point in curve], label=label)
        if found["accepted"][key] is not None:
            at = found["accepted"]["sent_to_review"], found["accepted"][key]
            panel.plot(*at, "o", color=line.get_color())
    _frame(panel, "share of findings sent to review", "error of the others", "")
    panel.legend(title="dots: released thresholds")


def _robustness(found: Report, figure: Figure) -> None:
    panel = figure.subplots()
    parts = found["perturbations"]
    figures = [part["macro_f1"]["difference"] for part in parts.values()]
    values = [figure["value"] for figure in figures]
    low = [figure["value"] - figure["low"] for figure in figures]
    high = [figure["high"] - figure["value"] for figure in figures]
    panel.barh(list(parts), values, xerr=[low, high], color="tab:blue", ecolor="0.3")
    panel.axvline(-found["promise"], color="tab:red", linewidth=1)
    panel.invert_yaxis()
    panel.set_xlabel("difference of macro F1; red: what is promised")


def _frame(panel: Axes, x: str, y: str, title: str) -> None:
    panel.set(xlabel=x, ylabel=y, title=title, xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))


_PLOTS: dict[str, Callable[[Report, Figure], None]] = {
    "reliability": _reliability,
    "abstention": _abstention,
    "robustness": _robustness,
}
