"""The shape of Perspective API: what its clients read, and the errors that they know."""

from typing import Any

import pytest
from fastapi.testclient import TestClient

PATH = "/v1alpha1/comments:analyze"
TEXT = "The government said on Monday that the red tractor is good for the people of the country."
SECRET = "Zanzibarquux"


def _ask(client: TestClient, **fields: Any) -> Any:
    body = {
        "comment": {"text": TEXT},
        "requestedAttributes": {"red-tractors": {}, "blue-boats": {}},
        "languages": ["en"],
        **fields,
    }
    return client.post(PATH, params={"key": "any"}, json=body)


def _error(response: Any, code: int, status: str, kind: str | None) -> dict[str, Any]:
    assert response.status_code == code, response.text
    error = response.json()["error"]
    assert (error["code"], error["status"]) == (code, status)
    assert error["message"]
    assert SECRET not in response.text
    if kind is None:
        assert "details" not in error
        return {}
    [detail] = error["details"]
    assert detail["@type"] == "type.googleapis.com/google.commentanalyzer.v1alpha1.Error"
    assert detail["errorType"] == kind
    return detail


def test_every_requested_attribute_has_its_scores(client: TestClient) -> None:
    answer = _ask(client).json()
    assert answer.keys() == {"attributeScores", "languages", "detectedLanguages"}
    assert (answer["languages"], answer["detectedLanguages"]) == (["en"], ["en"])
    ours = client.post("/v1/classify", json={"text": TEXT, "scores": True}).json()["scores"]
    assert answer["attributeScores"].keys() == {"red-tractors", "blue-boats"}
    for name, found in answer["attributeScores"].items():
        summary = {"value": pytest.approx(ours[name], abs=1e-3), "type": "PROBABILITY"}
        assert found["summaryScore"] == summary
        assert found["spanScores"] == [{"begin": 0, "end": len(TEXT), "score": summary}]


def test_spans_are_told_passage_by_passage_if_asked(client: TestClient) -> None:
    text = "The red tractor is good. The blue boat is bad. " * 8
    scores = _ask(client, comment={"text": text}, spanAnnotations=True).json()["attributeScores"]
    for found in scores.values():
        spans = found["spanScores"]
        assert len(spans) > 1
        assert (spans[0]["begin"], spans[-1]["end"]) == (0, len(text.rstrip()))
        values = [span["score"]["value"] for span in spans]
        assert max(values) == found["summaryScore"]["value"]


def test_scores_below_the_threshold_are_left_out(client: TestClient) -> None:
    wanted = {"red-tractors": {"scoreThreshold": 1}, "blue-boats": {"scoreThreshold": 0}}
    assert _ask(client, requestedAttributes=wanted).json()["attributeScores"].keys() == {
        "blue-boats"
    }


def test_what_their_clients_send_besides_is_passed_over(client: TestClient) -> None:
    response = _ask(
        client,
        comment={"text": TEXT, "type": "PLAIN_TEXT"},
        context={"entries": [{"text": SECRET}]},
        sessionId=SECRET,
        communityId=SECRET,
        clientToken="mine",
        doNotStore=True,
    )
    assert response.status_code == 200
    assert response.json()["clientToken"] == "mine"
    assert SECRET not in response.text


def test_the_language_is_detected_if_it_is_not_given(client: TestClient) -> None:
    answer = _ask(client, languages=[]).json()
    assert answer["languages"] == answer["detectedLanguages"] == ["en"]


def test_do_not_store_leaves_nothing_behind(client: TestClient) -> None:
    cache = client.app.state.service.slot.batcher._scorer._cache
    before = len(cache)
    text = "Never said before: a boat."
    assert _ask(client, comment={"text": text}, doNotStore=True).status_code == 200
    assert len(cache) == before
    assert _ask(client, comment={"text": text}).status_code == 200
    assert len(cache) == before + 1


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"comment": {"text": ""}}, "COMMENT_EMPTY"),
        ({"comment": {}}, "COMMENT_EMPTY"),
        ({"comment": {"text": SECRET * 50}}, "COMMENT_TOO_LONG"),
        ({"requestedAttributes": {}}, "NO_REQUESTED_ATTRIBUTES"),
        ({"requestedAttributes": {SECRET: {}}}, "INVALID_REQUEST"),
        ({"requestedAttributes": {"blue-boats": {"scoreType": SECRET}}}, "INVALID_REQUEST"),
        ({"requestedAttributes": {"blue-boats": {"scoreThreshold": 2}}}, "INVALID_REQUEST"),
        ({"requestedAttributes": [SECRET]}, "INVALID_REQUEST"),
        ({"comment": {"text": TEXT, "type": "HTML"}}, "INVALID_REQUEST"),
        ({"comment": SECRET}, "INVALID_REQUEST"),
        ({"comment": {"text": "a\0"}}, "INVALID_REQUEST"),
        ({"comment": {"text": "12345"}, "languages": []}, "LANGUAGE_DETECTION_FAILED"),
    ],
)
def test_a_bad_request_has_the_error_that_they_know(
    client: TestClient, fields: dict[str, Any], kind: str
) -> None:
    _error(_ask(client, **fields), 400, "INVALID_ARGUMENT", kind)


def test_a_language_that_the_model_does_not_know_is_named(client: TestClient) -> None:
    for fields in (
        {"languages": ["fi"]},
        {"languages": [], "comment": {"text": "Hallitus kertoi maanantaina uudesta laista."}},
    ):
        response = _ask(client, **fields)
        detail = _error(response, 400, "INVALID_ARGUMENT", "LANGUAGE_NOT_SUPPORTED_BY_ATTRIBUTE")
        told = detail["languageNotSupportedByAttributeError"]
        assert told["attribute"] == "red-tractors"
        assert len(told["detectedLanguages"]) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"comment": NaN}'])
def test_what_is_no_request_is_invalid(client: TestClient, content: bytes) -> None:
    response = client.post(PATH, content=content, headers={"content-type": "application/json"})
    _error(response, 400, "INVALID_ARGUMENT", "INVALID_REQUEST")


def test_overload_and_failure_have_their_names(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = client.app.state.service
    monkeypatch.setattr(service.admission, "limit", 1)
    monkeypatch.setattr(service.admission, "tokens", 1)
    response = _ask(client)
    _error(response, 429, "RESOURCE_EXHAUSTED", None)
    assert int(response.headers["retry-after"]) >= 1
    monkeypatch.setattr(service.admission, "draining", True)
    _error(_ask(client), 503, "UNAVAILABLE", None)
    monkeypatch.undo()
    monkeypatch.setattr(service.slot.batcher.classifier, "prepare", None)
    _error(_ask(client), 500, "INTERNAL", None)
