"""The exchange of the model: the new one answers, nobody fails, and a bad one changes nothing."""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.http.app import create_app
from serving.model_folder import MANIFEST
from serving.settings import Settings

WAIT_S = 120
ASKED = {"text": "The red tractor is good."}


@pytest.fixture
def models(tiny_model: Path, tmp_path: Path) -> Path:
    """A folder with two models, and `current` that leads to the first."""
    for name in ("one-1", "two-2"):
        shutil.copytree(tiny_model, tmp_path / name)
        manifest = tmp_path / name / MANIFEST
        raw = json.loads(manifest.read_text())
        manifest.write_text(json.dumps({**raw, "name": name}))
    (tmp_path / "current").symlink_to("one-1")
    return tmp_path


@pytest.fixture
def serve(settings: Settings, models: Path) -> Iterator[Callable[[float], TestClient]]:
    started: list[TestClient] = []

    def start(watch_seconds: float) -> TestClient:
        update = {"model": models / "current", "watch_seconds": watch_seconds, "cache": 10}
        client = TestClient(create_app(settings.model_copy(update=update)))
        started.append(client.__enter__())
        return client

    yield start
    for client in started:
        client.__exit__(None, None, None)


def _lead_to(models: Path, name: str) -> None:
    new = models / "new"
    new.symlink_to(name)
    new.replace(models / "current")


def _model(client: TestClient) -> str:
    return str(client.post("/v1/classify", json=ASKED).json()["model"])


def _until(seen: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while not seen():
        assert time.monotonic() < ends, "it never came"
        time.sleep(0.05)


def _swaps(client: TestClient, outcome: str) -> float:
    name = f'narrascope_model_swaps_total{{outcome="{outcome}"}} '
    lines = client.get("/metrics").text.splitlines()
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


def test_the_model_is_exchanged_when_the_name_leads_elsewhere(
    serve: Callable[[float], TestClient], models: Path
) -> None:
    client = serve(0.01)
    assert _model(client) == "one-1"
    _lead_to(models, "two-2")
    _until(lambda: client.app.state.service.slot.batcher.classifier.manifest.name == "two-2")
    assert _model(client) == "two-2"
    assert client.get("/v1/model").json()["model"] == "two-2"
    metrics = client.get("/metrics").text
    assert 'narrascope_model_info{model="two-2"} 1.0' in metrics
    assert 'model="one-1"' not in metrics


def test_the_model_is_exchanged_when_it_is_asked_for(
    serve: Callable[[float], TestClient], models: Path
) -> None:
    client = serve(0)
    _lead_to(models, "two-2")
    assert _model(client) == "one-1"
    assert client.portal is not None
    client.portal.call(client.app.state.service.slot.ask)
    _until(lambda: client.app.state.service.slot.batcher.classifier.manifest.name == "two-2")
    assert _model(client) == "two-2"


def test_nobody_fails_while_models_are_exchanged(
    serve: Callable[[float], TestClient], models: Path
) -> None:
    client = serve(0.01)
    done = threading.Event()

    def ask(number: int) -> list[tuple[int, str, str]]:
        seen = []
        while not done.is_set():
            asked = {"id": f"{number}-{len(seen)}", "text": f"Boat {number}.", "cache": False}
            answer = client.post("/v1/classify", json=asked)
            seen.append((answer.status_code, answer.json().get("model"), answer.json().get("id")))
            assert seen[-1][2] == asked["id"]
        return seen

    with ThreadPoolExecutor(2) as pool:
        callers = [pool.submit(ask, number) for number in range(2)]
        for turn, name in enumerate(["two-2", "one-1"]):
            _lead_to(models, name)
            _until(lambda turn=turn: _swaps(client, "taken") >= turn + 2)
        done.set()
        seen = [entry for caller in callers for entry in caller.result(WAIT_S)]
    assert {status for status, _, _ in seen} == {200}
    assert {model for _, model, _ in seen} <= {"one-1", "two-2"}
    assert _model(client) == "one-1"


@pytest.mark.parametrize("spoil", ["a file", "the manifest", "gone", "empty"])
def test_a_bad_folder_leaves_the_old_model_and_says_so(
    serve: Callable[[float], TestClient], models: Path, caplog: Any, spoil: str
) -> None:
    client = serve(0.01)
    bad = models / "two-2"
    if spoil == "a file":
        (bad / "network.bin").write_bytes(b"spoilt")
    elif spoil == "the manifest":
        (bad / MANIFEST).write_text("{")
    else:
        shutil.rmtree(bad)
        if spoil == "empty":
            bad.mkdir()
    _lead_to(models, "two-2")
    _until(lambda: _swaps(client, "refused") >= 1)
    assert _model(client) == "one-1"
    assert client.get("/readyz").status_code == 200
    [record] = [r for r in caplog.records if "refused" in r.getMessage()]
    assert record.fields["model"] == "one-1"
    assert record.fields["reason"].endswith(".")
    # Mended, it is taken.
    _lead_to(models, "one-1")
    _until(lambda: _swaps(client, "taken") >= 2)
    assert _model(client) == "one-1"
