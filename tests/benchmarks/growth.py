"""Does the cost of `narrascope score` grow with its input, and its memory not? One run, in turns.

The same share of the lines are first texts at every size; the rest are their copies.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

from tests.benchmarks.kills import write_lines
from tests.benchmarks.scoring import machine

SIZES = (10_000, 100_000, 1_000_000)
SHARE = 0.02


def main() -> None:
    """Score inputs of growing size, each by a process of its own, and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--sizes", type=int, nargs="*", default=[*SIZES])
    parser.add_argument("--share", type=float, default=SHARE, help="of texts that are no copies")
    parser.add_argument("--out", type=Path, help="also write the table as JSON")
    parser.add_argument("--child", type=Path, nargs=2, metavar=("LINES", "DEST"))
    options = parser.parse_args()
    if options.child:
        _run(*options.child, options.model)
        return
    rows = []
    for size in options.sizes:
        with tempfile.TemporaryDirectory() as scratch:
            lines = Path(scratch) / "lines.jsonl"
            write_lines(lines, options.sources, size, round(size * options.share))
            command = [sys.executable, "-m", "tests.benchmarks.growth", "--model"]
            command += [str(options.model), "--child", str(lines), f"{scratch}/out"]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append({"lines": size, **json.loads(done.stdout)})
            click.echo(json.dumps(rows[-1]))
    if options.out:
        found = {"machine": machine(), "share of first texts": options.share, "rows": rows}
        options.out.write_text(json.dumps(found, indent=1) + "\n")


def _run(lines: Path, out: Path, model: Path) -> None:
    from serving.classifier import Classifier
    from serving.scoring.engines.local import Local
    from serving.scoring.options import Options
    from serving.scoring.run import score

    classifier = Classifier.load(model)
    begun = time.perf_counter()
    *_, totals = score([str(lines)], out, Local(classifier), Options(copies="near"))
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"seconds": round(seconds, 1), "peak_mb": round(peak), "totals": str(totals)}
    click.echo(json.dumps(figures))


if __name__ == "__main__":
    main()
