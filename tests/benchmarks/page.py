"""Puts the committed figures of `docs/bench/` into docs/scoring.md and docs/cluster.md."""

import json
import math
from pathlib import Path
from typing import Any

import click

from training.generated import contents, refresh, table

PAGES, BENCH = (Path("docs/scoring.md"), Path("docs/cluster.md")), Path("docs/bench")
A_DAY, SECONDS = 100_000_000, 86_400
PEAK, HEADROOM = 2.0, 1.3
"""Of the plan: the busiest hour beside the mean, and what is kept free for failures."""


def main() -> None:
    """Make the generated blocks anew, in place."""
    for path in PAGES:
        page = path.read_text(encoding="utf-8")
        path.write_text(refresh(page, {**contents(page), **blocks(BENCH)}), encoding="utf-8")
        click.echo(path)


def blocks(folder: Path) -> dict[str, str]:
    """Return the blocks that follow from the committed figures; what was not measured has none."""
    found = {path.stem: json.loads(path.read_bytes()) for path in folder.glob("*.json")}
    made: dict[str, str] = {}
    for name, make in (("growth", _growth), ("kills", _kills), ("kinds", _kinds)):
        if name in found:
            made[name] = make(found[name])
    if {"scoring", "growth"} <= found.keys():
        made["plan"] = _plan(found["scoring"], found["growth"])
    return made


def _growth(found: dict[str, Any]) -> str:
    rows = [
        [
            f"{row['lines']:,}",
            row["totals"],
            f"{row['seconds']} s",
            f"{1000 * row['seconds'] / row['lines']:.2f} ms",
            f"{row['peak_mb']} MB",
        ]
        for row in found["rows"]
    ]
    head = ["lines", "", "time", "a line", "peak memory"]
    share = found["share of first texts"]
    return f"{found['machine']}; {share:.0%} of the lines are no copies:\n\n{table(head, rows)}"


def _kills(found: dict[str, Any]) -> str:
    same = "the same to the byte" if found["same to the byte"] else "NOT the same"
    return (
        f"{found['lines']:,} lines, killed {found['kills']} times (SIGKILL) at random moments: "
        f"{found['files']} files, {same} as those of a run that nobody stopped; "
        f"{found['totals']}. {found['seconds uninterrupted']} s without kills, "
        f"{found['seconds with kills']} s with them; {found['machine']}."
    )


def _plan(scoring: dict[str, Any], growth: dict[str, Any]) -> str:
    cores = int(scoring["machine"].split()[0])
    rate = scoring["rows"][0]["passages_per_s"] / cores
    mean = A_DAY / SECONDS
    few, many = growth["rows"][0], growth["rows"][-1]
    # Two sizes with the same share of first texts: what a line costs beside the model's work.
    line = (many["seconds"] - few["seconds"]) / (many["lines"] - few["lines"])
    reading = max(0.0, line - growth["share of first texts"] / (rate * cores))
    rows = [
        ["one core scores (measured)", f"{rate:.0f} passages a second"],
        ["100 million a day, on average", f"{mean:,.0f} a second"],
        ["cores, if nothing is a copy", f"{mean:,.0f} / {rate:.0f} = {mean / rate:.0f}"],
        [
            f"the same at {PEAK:g} times the mean, with {HEADROOM:g} times as many in reserve",
            f"{mean / rate * PEAK * HEADROOM:.0f} cores",
        ],
        ["with half of it copies", f"{mean / rate * PEAK * HEADROOM / 2:.0f} cores"],
        ["reading and linking a line, mostly copies (measured)", f"{1000 * reading:.2f} ms"],
        [
            "one machine reads a day's lines in",
            f"{A_DAY * reading / 3600:.1f} h: {math.ceil(A_DAY * reading / SECONDS * PEAK)} "
            f"runs side by side at {PEAK:g} times the mean",
        ],
        ["index of copies, if nothing is a copy", f"{A_DAY * 0.9e3 / 1e9:.0f} GB a day"],
    ]
    return f"From `docs/bench/` ({scoring['machine']}):\n\n{table(['', ''], rows)}"


def _kinds(found: dict[str, Any]) -> str:
    rows = [[row["tool"], f"`{row['kind']}`", row["totals"]] for row in found["whole"]]
    broken = found["broken"]
    told = "adds up" if broken["adds up"] else "DOES NOT add up"
    return (
        f"{table(['made by', 'source', 'totals'], rows)}\n\n"
        f"{broken['sources']} broken copies of such files, in one run: {broken['totals']}, "
        f"which {told}."
    )


if __name__ == "__main__":
    main()
