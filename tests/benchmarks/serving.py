"""Ours over HTTP beside other ways to serve the same passages: one run, in interleaved rounds.

Each system is a server of its own in a virtual environment of its own, which this script sets up
under `.cache/peers`. The peers load the base encoder with a classification head of as many labels,
as their documentation shows; the head is untrained, which changes nothing of the arithmetic. Every
caller keeps one connection and sends its next passage when it has its answer. Ours is asked with
`"cache": false`, so that no passage is answered from memory.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import httpx
import numpy as np
import psutil

from tests.benchmarks import peers
from tests.benchmarks.scoring import machine, sample

CALLERS = (1, 8, 32, 128)
ROUNDS = 3
LABELS = 14
START_S = 300
PEERS = Path(".cache/peers")


@dataclass(frozen=True)
class System:
    """How a system is installed, started and asked."""

    packages: tuple[str, ...]
    command: Callable[[str, int], list[str]]
    route: str
    body: Callable[[str], object]
    ready: str


def _peer(name: str) -> Callable[[str, int], list[str]]:
    return lambda python, port: [python, str(Path(peers.__file__)), name, str(port)]


SYSTEMS = {
    "narrascope": System(
        (),
        lambda _, port: [sys.executable, "-c", peers.OURS, str(port)],
        "/v1/classify",
        lambda text: {"text": text, "cache": False},
        "/readyz",
    ),
    "fastapi + transformers": System(
        ("fastapi", "uvicorn", "transformers", "torch"),
        _peer("pipeline"),
        "/classify",
        lambda text: {"text": text},
        "/healthz",
    ),
    "infinity-emb (torch)": System(
        ("infinity-emb[server,torch]",),
        lambda python, port: peers.infinity(python, port, "torch"),
        "/classify",
        lambda text: {"model": peers.NAME, "input": [text]},
        "/health",
    ),
    "infinity-emb (optimum)": System(
        ("infinity-emb[server,torch,optimum]",),
        lambda python, port: peers.infinity(python, port, "optimum"),
        "/classify",
        lambda text: {"model": peers.NAME, "input": [text]},
        "/health",
    ),
    "litserve": System(
        ("litserve", "transformers", "torch"),
        _peer("litserve"),
        "/predict",
        lambda text: {"text": text},
        "/health",
    ),
    "ray serve": System(
        ("ray[serve]", "transformers", "torch"),
        _peer("ray"),
        "/",
        lambda text: {"text": text},
        "/-/healthz",
    ),
}


def main() -> None:
    """Run all systems in turns, print the table and write the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sources", type=Path, default=Path("../shared/data"))
    parser.add_argument("--texts", type=Path, help="JSONL of passages instead of the sources")
    parser.add_argument("--systems", nargs="*", choices=[*SYSTEMS], default=[*SYSTEMS])
    parser.add_argument("--callers", nargs="*", type=int, default=[*CALLERS])
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--requests", type=int, default=400, help="of a round, at most")
    parser.add_argument("--out", type=Path, help="also write the rows as JSON, and plots beside it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        path = options.texts or Path(scratch) / "texts.jsonl"
        if options.texts is None:
            sample(options.sources, path)
        lines = path.read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines][: options.requests]
    if any(SYSTEMS[name].packages for name in options.systems):
        peers.save_base(LABELS, PEERS / "base")
    seen: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(options.rounds):
        for name in options.systems:
            for callers, figures in _round(name, texts, options.callers):
                seen.setdefault((name, callers), []).append(figures)
    rows = [
        {"system": name, "callers": callers, **_medians(runs)}
        for (name, callers), runs in sorted(seen.items(), key=lambda found: found[0][1])
    ]
    click.echo(_table(rows))
    if options.out:
        found = {"machine": machine(), "rounds": options.rounds, "rows": rows}
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        _plot(rows, options.out.with_suffix(".png"))


def _round(name: str, texts: list[str], callers: list[int]) -> list[tuple[int, dict[str, float]]]:
    system = SYSTEMS[name]
    python = _environment(name, system.packages)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PEER_BASE": str(PEERS / "base")}
    begun = time.perf_counter()
    server = subprocess.Popen(
        system.command(python, port),
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _until_ready(server, address + system.ready, name)
        started = time.perf_counter() - begun
        found = []
        asyncio.run(_load(address, system, texts[:8], 1))  # warm
        for count in callers:
            figures = asyncio.run(_load(address, system, texts, count))
            memory = _resident(server.pid)
            found.append((count, {**figures, "rss_mb": memory, "start_s": started}))
        return found
    finally:
        for process in [*psutil.Process(server.pid).children(recursive=True), server]:
            process.terminate()
        server.wait(60)


def _environment(name: str, packages: tuple[str, ...]) -> str:
    """Make a system's virtual environment, once."""
    if not packages:
        return sys.executable
    folder = PEERS / name.replace(" ", "-").replace("(", "").replace(")", "")
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        venv.create(folder, with_pip=True, clear=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        # The torch that we measure ours beside; another one may bring gigabytes of CUDA.
        pip += ["--constraint", "requirements/torch.txt"]
        subprocess.run([*pip, *packages], check=True)
        done.touch()
    return str(python)


def _until_ready(server: "subprocess.Popen[bytes]", address: str, name: str) -> None:
    ends = time.monotonic() + START_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise SystemExit(f"{name} ended with status {server.returncode} before it was ready.")
        try:
            if httpx.get(address, timeout=5).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise SystemExit(f"{name} was not ready within {START_S} s.")


async def _load(address: str, system: System, texts: list[str], callers: int) -> dict[str, float]:
    """Ask for every text once, by so many callers; seconds are told as milliseconds."""
    waiting = iter(texts)
    taken: list[float] = []

    async def caller() -> None:
        async with httpx.AsyncClient(base_url=address, timeout=START_S) as client:
            for text in waiting:
                begun = time.perf_counter()
                response = await client.post(system.route, json=system.body(text))
                response.raise_for_status()
                taken.append(time.perf_counter() - begun)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for _ in range(callers):
            tasks.create_task(caller())
    whole = time.perf_counter() - begun
    p50, p95, p99 = np.percentile(taken, [50, 95, 99]) * 1000
    return {"rps": len(taken) / whole, "p50_ms": p50, "p95_ms": p95, "p99_ms": p99}


def _resident(pid: int) -> float:
    parent = psutil.Process(pid)
    processes = [parent, *parent.children(recursive=True)]
    return sum(process.memory_info().rss for process in processes) / 1e6


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(run[key] for run in runs), 1) for key in runs[0]}


def _table(rows: list[dict[str, object]]) -> str:
    names = list(rows[0])
    lines = ["| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    lines += ["| " + " | ".join(str(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)


def _plot(rows: list[dict[str, object]], path: Path) -> None:
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4))
    for axis, key, label in zip(
        axes, ("rps", "p99_ms"), ("passages a second", "p99, ms"), strict=True
    ):
        for name in dict.fromkeys(row["system"] for row in rows):
            mine = [row for row in rows if row["system"] == name]
            axis.plot([r["callers"] for r in mine], [r[key] for r in mine], "o-", label=name)
        axis.set(xlabel="callers", ylabel=label, xscale="log", yscale="log")
    axes[0].legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
