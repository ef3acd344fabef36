"""Cells, tables and plots of a page in Markdown."""

from collections.abc import Sequence
from typing import Any

from training.metrics import Figure

FEWEST = 20
"""Parts with fewer passages are left to the JSON."""

Report = dict[str, Any]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def plot(name: str, title: str, plots: Sequence[str]) -> list[str]:
    """Show a plot, if it was drawn."""
    return [f"![{title}](evaluation/{name}.png)", ""] if name in plots else []


def figure(value: dict[str, float]) -> str:
    """Write a figure with its interval."""
    return str(Figure(value["value"], value["low"], value["high"]))


def with_interval(value: float | None, interval: Sequence[float] | None) -> str:
    """Write a value with its interval, `-` for none."""
    if value is None or interval is None:
        return "-"
    return f"{value:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"


def rate(share: Report | None) -> str:
    """Write a share with its interval and counts, `-` for none."""
    if share is None:
        return "-"
    interval = f"[{share['low']:.1%}, {share['high']:.1%}]"
    return f"{share['value']:.1%} {interval}, {share['count']} of {share['total']}"


def cell(value: float | None, digits: int = 2) -> str:
    """Write a value, `-` for none."""
    return "-" if value is None else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """Write a share, `-` for none."""
    return "-" if share is None else f"{share:.1%}"
