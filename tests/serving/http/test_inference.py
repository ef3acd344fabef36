"""The shape of text-embeddings-inference's /predict, and the errors that its clients know."""

import math
from typing import Any

import pytest
from fastapi.testclient import TestClient

TEXT = "The government said on Monday that the red tractor is good."
NAMES = {"red-tractors", "blue-boats", "green-trains"}


def _ask(client: TestClient, **fields: Any) -> Any:
    return client.post("/predict", json=fields)


def _scores(answer: list[dict[str, Any]]) -> dict[str, float]:
    assert all(each.keys() == {"score", "label"} for each in answer)
    values = [each["score"] for each in answer]
    assert values == sorted(values, reverse=True)
    return {each["label"]: each["score"] for each in answer}


@pytest.mark.parametrize("inputs", [TEXT, [TEXT]])
def test_one_text_has_every_label_best_first(client: TestClient, inputs: Any) -> None:
    ours = client.post("/v1/classify", json={"text": TEXT, "scores": True}).json()["scores"]
    scores = _scores(_ask(client, inputs=inputs, raw_scores=False, truncate=True).json())
    assert scores == pytest.approx(ours, abs=1e-3)
    assert scores.keys() == NAMES


def test_several_texts_are_answered_in_order(client: TestClient) -> None:
    texts = [TEXT, "Boats. " * 30, "Поезд."]
    answers = _ask(client, inputs=[[text] for text in texts]).json()
    for text, answer in zip(texts, answers, strict=True):
        assert _scores(answer) == pytest.approx(_scores(_ask(client, inputs=text).json()), abs=1e-3)
    assert len(_ask(client, inputs=[[TEXT]]).json()) == 1


def test_raw_scores_are_log_odds(client: TestClient) -> None:
    plain = _scores(_ask(client, inputs=TEXT).json())
    raw = _scores(_ask(client, inputs=TEXT, raw_scores=True).json())
    for name, score in raw.items():
        assert 1 / (1 + math.exp(-score)) == pytest.approx(plain[name], abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "status", "kind"),
    [
        ({"inputs": ""}, 400, "Empty"),
        ({"inputs": []}, 400, "Empty"),
        ({"inputs": [[]]}, 422, "Validation"),
        ({"inputs": ["one", "two"]}, 422, "Validation"),
        ({"inputs": [["one", "two"]]}, 422, "Validation"),
        ({"inputs": [["one"], "two"]}, 200, None),
        ({"inputs": ["one", ["two"]]}, 422, "Validation"),
        ({"inputs": 7}, 422, "Validation"),
        ({"inputs": {"text": "one"}}, 422, "Validation"),
        ({"text": "one"}, 422, "Validation"),
        ({"inputs": "a\0"}, 422, "Validation"),
        ({"inputs": "x" * 501}, 413, "Validation"),
        ({"inputs": [["one"]] * 9}, 413, "Validation"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_errors_are_those_that_they_know(
    client: TestClient, fields: dict[str, Any], status: int, kind: str | None
) -> None:
    response = _ask(client, **fields)
    assert response.status_code == status, response.text
    if kind is not None:
        assert response.json().keys() == {"error", "error_type"}
        assert response.json()["error_type"] == kind


def test_overload_and_failure_have_their_names(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client.app.state.service
    monkeypatch.setattr(service.admission, "limit", 1)
    monkeypatch.setattr(service.admission, "tokens", 1)
    response = _ask(client, inputs=TEXT)
    assert (response.status_code, response.json()["error_type"]) == (429, "Overloaded")
    assert int(response.headers["retry-after"]) >= 1
    monkeypatch.setattr(service.admission, "draining", True)
    response = _ask(client, inputs=TEXT)
    assert (response.status_code, response.json()["error_type"]) == (503, "Unhealthy")
    monkeypatch.undo()
    monkeypatch.setattr(service.slot.batcher.classifier, "prepare", None)
    response = _ask(client, inputs=TEXT)
    assert (response.status_code, response.json()["error_type"]) == (424, "Backend")
