"""Kills a run of `narrascope score` at random moments until it has been killed often enough.

What the run leaves in the end is compared, file by file, with what an uninterrupted one leaves.
Both are given the same moment to mark rows with, which is all that two runs differ in.
"""

import argparse
import hashlib
import json
import random
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from tests.benchmarks.scoring import machine, sample

NOW = datetime(2026, 1, 5, tzinfo=UTC)
LINES, KILLS, FIRSTS = 100_000, 50, 5_000


def main() -> None:
    """Make the lines, run once whole and once killed, compare and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--lines", type=int, default=LINES)
    parser.add_argument("--firsts", type=int, default=FIRSTS, help="texts that are no copies")
    parser.add_argument("--kills", type=int, default=KILLS)
    parser.add_argument("--out", type=Path, help="also write the figures as JSON")
    parser.add_argument("--child", type=Path, nargs=2, metavar=("LINES", "DEST"))
    options = parser.parse_args()
    if options.child:
        _run(*options.child, options.model)
        return
    with tempfile.TemporaryDirectory() as scratch:
        found = _compare(Path(scratch), options)
    click.echo(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n")


def _run(lines: Path, out: Path, model: Path) -> None:
    from serving.classifier import Classifier
    from serving.scoring.engines.local import Local
    from serving.scoring.options import Options
    from serving.scoring.run import score

    classifier = Classifier.load(model)
    *_, totals = score([str(lines)], out, Local(classifier), Options(copies="near"), now=NOW)
    click.echo(str(totals))


def _compare(scratch: Path, options: argparse.Namespace) -> dict[str, object]:
    lines = scratch / "lines.jsonl"
    rejects = write_lines(lines, options.sources, options.lines, options.firsts)
    command = [sys.executable, "-m", "tests.benchmarks.kills", "--model", str(options.model)]
    begun = time.monotonic()
    whole = subprocess.run(
        [*command, "--child", str(lines), str(scratch / "whole")],
        check=True,
        capture_output=True,
        text=True,
    )
    seconds = time.monotonic() - begun
    chance = random.Random(1)
    shards = []
    begun = time.monotonic()
    for _ in range(options.kills):
        child = subprocess.Popen(
            [*command, "--child", str(lines), str(scratch / "killed")],
            stdout=subprocess.DEVNULL,
        )
        # What is finished is read again first, so a later run is given longer.
        done = _finished(scratch / "killed") / max(1, _finished(scratch / "whole"))
        time.sleep(chance.uniform(0, 3 * seconds / options.kills) + done * seconds / 6)
        if child.poll() is not None:
            break
        child.send_signal(signal.SIGKILL)
        child.wait()
        shards.append(_finished(scratch / "killed"))
    last = subprocess.run(
        [*command, "--child", str(lines), str(scratch / "killed")],
        check=True,
        capture_output=True,
        text=True,
    )
    return {
        "machine": machine(),
        "lines": options.lines,
        "texts that are no copies": options.firsts,
        "lines that are rejected": rejects,
        "kills": len(shards),
        "shards finished at each kill": shards,
        "seconds uninterrupted": round(seconds, 1),
        "seconds with kills": round(time.monotonic() - begun, 1),
        "totals": whole.stdout.strip(),
        "same totals": whole.stdout == last.stdout,
        "files": len(_hashes(scratch / "whole")),
        "same to the byte": _hashes(scratch / "whole") == _hashes(scratch / "killed"),
    }


def write_lines(target: Path, sources: Path, count: int, firsts: int) -> int:
    """Write lines of which so many are no copies, in a random order, and some are broken.

    Returns:
        How many are broken.
    """
    sample(sources, target, firsts)
    texts = target.read_text().splitlines()
    chance = random.Random(2)
    broken = 0
    with target.open("w") as sink:
        for number in range(count):
            if chance.random() < 0.01:
                broken += 1
                sink.write('{"id": "broken"\n')
            elif number < len(texts):
                sink.write(texts[number] + "\n")
            else:
                row = json.loads(chance.choice(texts))
                sink.write(json.dumps({**row, "id": f"copy-{number}"}) + "\n")
    return broken


def _finished(folder: Path) -> int:
    return len(list(folder.glob("shard-*.jsonl")))


def _hashes(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
    }


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    main()
