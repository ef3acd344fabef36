"""`explain` over HTTP: asked for, answered; not asked for, absent."""

from fastapi.testclient import TestClient

TEXT = "the red tractor is good and the blue boat is bad"


def test_an_explanation_comes_when_asked_for(client: TestClient) -> None:
    plain = client.post("/v1/classify", json={"text": TEXT}).json()
    asked = client.post("/v1/classify", json={"text": TEXT, "explain": True}).json()
    assert all("explanation" not in finding for finding in plain["narratives"])
    assert asked["narratives"]
    for finding in asked["narratives"]:
        for words in finding.pop("explanation"):
            assert set(words) == {"begin", "end", "weight"}
            assert 0 <= words["begin"] < words["end"] <= len(TEXT)
    assert asked == plain


def test_explain_is_yes_or_no(client: TestClient) -> None:
    answer = client.post("/v1/classify", json={"text": TEXT, "explain": "please"})
    assert answer.status_code == 422
    assert "explain" in answer.json()["detail"]


def test_a_batch_takes_no_explain(client: TestClient) -> None:
    items = [{"id": "1", "text": TEXT}]
    answer = client.post("/v1/classify/batch", json={"items": items, "explain": True})
    assert answer.status_code == 422
