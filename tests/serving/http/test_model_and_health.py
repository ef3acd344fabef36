"""What the service says of itself: its model, its state, its own description."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.errors import ModelFolderError
from serving.http.app import create_app
from serving.model_folder import MANIFEST
from serving.settings import Settings

Refused = Callable[..., dict[str, Any]]


def test_the_model_is_described_by_its_manifest(client: TestClient, tiny_model: Path) -> None:
    manifest = json.loads((tiny_model / MANIFEST).read_text())
    response = client.get("/v1/model")
    assert response.status_code == 200
    assert response.json() == {
        "model": manifest["name"],
        "taxonomy_version": manifest["taxonomy_version"],
        "narratives": manifest["narratives"],
        "stances": manifest["stances"],
        "thresholds": manifest["decisions"],
        "languages": manifest["languages"],
        "metrics": manifest["metrics"],
    }
    assert response.json()["model"] == "tiny-0.0.1"


def test_the_model_that_is_described_is_the_one_that_answers(client: TestClient) -> None:
    model = client.get("/v1/model").json()
    answer = client.post("/v1/classify", json={"text": "a boat", "scores": True}).json()
    assert answer["model"] == model["model"]
    assert list(answer["scores"]) == [narrative["id"] for narrative in model["narratives"]]


def test_ready_only_between_start_and_stop(settings: Settings, refused: Refused) -> None:
    client = TestClient(create_app(settings))
    problem = refused(client.get("/readyz"), 503)
    assert "loaded" in problem["detail"]
    with client:
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()) == (200, {"status": "ready"})
    refused(client.get("/readyz"), 503)


def test_alive_even_before_the_model_is_loaded(settings: Settings) -> None:
    response = TestClient(create_app(settings)).get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_alive_while_serving(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_folder_that_is_no_model_stops_the_start(tmp_path: Path) -> None:
    with (
        pytest.raises(ModelFolderError, match="is no model folder"),
        TestClient(create_app(Settings(model=tmp_path))),
    ):
        pytest.fail("started without a model")


def test_docs_are_a_page(client: TestClient) -> None:
    response = client.get("/docs")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert "/openapi.json" in response.text


def test_docs_need_nothing_from_elsewhere(client: TestClient) -> None:
    page = client.get("/docs")
    assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]", page.text)
    named = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert len(named) >= 2
    for address in named:
        if not address.startswith("data:"):
            assert client.get(address).status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]


def test_the_examples_of_the_description_are_answered(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    tried = []
    for route, methods in description["paths"].items():
        if "post" in methods:
            [(kind, content)] = methods["post"]["requestBody"]["content"].items()
            example = content["example"]
            body = example if isinstance(example, str) else json.dumps(example)
            response = client.post(route, content=body, headers={"content-type": kind})
            assert response.status_code == 200, response.text
            assert "error" not in response.text
            tried.append(route)
    assert tried == [
        "/v1/classify",
        "/v1/classify/batch",
        "/v1/classify/stream",
        "/v1alpha1/comments:analyze",
        "/predict",
    ]


def test_every_reference_in_the_description_leads_somewhere(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    references = list(_references(description))
    assert references
    for reference in references:
        found: Any = description
        for part in reference.removeprefix("#/").split("/"):
            assert part in found, reference
            found = found[part]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        part = list(part.values())
    if isinstance(part, list):
        for child in part:
            yield from _references(child)


def test_errors_are_described_with_the_type_they_are_sent_as(client: TestClient) -> None:
    description = client.get("/openapi.json").json()
    for route in ("/v1/classify", "/v1/classify/batch"):
        responses = description["paths"][route]["post"]["responses"]
        assert {"200", "400", "413", "415", "422"} <= responses.keys()
        for status in ("400", "413", "415", "422"):
            assert list(responses[status]["content"]) == ["application/problem+json"]
