"""One text: the prediction object, to the field."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from serving.engine import Engine, Scores

ENGLISH = (
    "The government said on Monday that the red tractor is good for the people of the country."
)
SHORT = "The red tractor is good."
"""One passage of the tiny model, which reads little more than single letters."""
NARRATIVES = {"red-tractors", "blue-boats", "green-trains"}
STANCES = {"for", "against"}


def _classify(client: TestClient, **fields: Any) -> dict[str, Any]:
    response = client.post("/v1/classify", json=fields)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()


def test_what_is_absent_is_left_out_and_never_null(client: TestClient) -> None:
    response = client.post("/v1/classify", json={"text": ENGLISH})
    assert response.json().keys() == {"language", "narratives", "model"}
    assert "null" not in response.text


def test_everything_that_can_be_asked_for_is_answered(client: TestClient) -> None:
    answer = _classify(client, text=ENGLISH, id="a1", scores=True)
    assert answer.keys() == {"id", "language", "narratives", "scores", "model"}
    assert (answer["id"], answer["language"], answer["model"]) == ("a1", "en", "tiny-0.0.1")


def test_a_finding_has_narrative_decision_stance_and_place(client: TestClient) -> None:
    findings = _classify(client, text=SHORT)["narratives"]
    assert sorted(finding["narrative"] for finding in findings) == sorted(NARRATIVES)
    for finding in findings:
        assert finding.keys() == {
            "narrative",
            "confidence",
            "decision",
            "stance",
            "stance_confidence",
            "begin",
            "end",
        }
        assert finding["decision"] in {"accept", "review"}
        assert finding["stance"] in STANCES
        assert 0 <= finding["confidence"] <= 1
        assert 0 <= finding["stance_confidence"] <= 1
        assert (finding["begin"], finding["end"]) == (0, len(SHORT))


@pytest.mark.parametrize("fields", [{"id": None}, {"scores": False}, {}], ids=str)
def test_defaults_may_be_written_out(client: TestClient, fields: dict[str, Any]) -> None:
    assert _classify(client, text=ENGLISH, **fields) == _classify(client, text=ENGLISH)


@pytest.mark.parametrize("given", ["", "0", "null", "x" * 256, "идентификатор 🚜", "a\0b"])
def test_an_id_comes_back_as_it_was_given(client: TestClient, given: str) -> None:
    assert _classify(client, text=ENGLISH, id=given)["id"] == given


def test_a_repeated_text_is_answered_the_same(client: TestClient) -> None:
    first, second = (_classify(client, text=ENGLISH, scores=True) for _ in range(2))
    assert first == second


def test_offsets_are_code_points_of_the_text_as_given(client: TestClient) -> None:
    text = "  \n🚜🚜 The\u200b ﬁrst cafe\u0301 boat is bad.\n "
    findings = _classify(client, text=text)["narratives"]
    assert findings
    for finding in findings:
        assert text[finding["begin"] : finding["end"]] == text.strip()


def test_a_long_text_has_findings_in_each_of_its_passages(client: TestClient) -> None:
    text = "The red tractor is good. The blue boat is bad. " * 10
    findings = _classify(client, text=text)["narratives"]
    spans = sorted({(finding["begin"], finding["end"]) for finding in findings})
    assert len(spans) > 1
    assert len(findings) == len(spans) * len(NARRATIVES)
    assert (spans[0][0], spans[-1][1]) == (0, len(text.rstrip()))
    for (_, end), (begin, _) in itertools.pairwise(spans):
        assert text[end:begin] == " "


def _varied(_: Engine, ids: Sequence[Sequence[int]]) -> Scores:
    # The untrained network says the same of everything, and would hide a wrong order.
    draw = np.random.default_rng(0).normal
    shapes = (len(ids), len(NARRATIVES)), (len(ids), len(NARRATIVES), len(STANCES))
    return Scores(*(draw(size=shape).astype(np.float32) for shape in shapes))


def test_findings_come_best_first_and_scores_are_the_highest_of_each(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Engine, "score", _varied)
    text = "The red tractor is good. The blue boat is bad. " * 10
    answer = _classify(client, text=text, scores=True)
    confidences = [finding["confidence"] for finding in answer["narratives"]]
    assert len(set(confidences)) > len(NARRATIVES)
    assert confidences == sorted(confidences, reverse=True)
    highest: dict[str, float] = {}
    for finding in answer["narratives"]:
        highest.setdefault(finding["narrative"], finding["confidence"])
    assert answer["scores"] == highest
    assert answer["scores"].keys() == NARRATIVES


@pytest.mark.parametrize(
    ("text", "language", "code"),
    [
        (
            "Hallitus kertoi maanantaina, että punainen traktori on hyvä koko maan kansalle.",
            "fi",
            "unsupported-language",
        ),
        ("12 345, 678!", "und", "unsure-language"),
    ],
)
def test_a_doubtful_language_is_a_warning(
    client: TestClient, text: str, language: str, code: str
) -> None:
    answer = _classify(client, text=text)
    assert answer.keys() == {"language", "narratives", "warnings", "model"}
    assert answer["language"] == language
    assert [warning["code"] for warning in answer["warnings"]] == [code]
    assert answer["warnings"][0].keys() == {"code", "detail"}
    assert text not in answer["warnings"][0]["detail"]


@pytest.mark.parametrize(
    "text",
    [
        "\u200b\u200b",
        "\U0001f69c",
        "a",
        "\ufeffThe red tractor",
        "e" + "\u0301" * 400,
        "[" * 500,
        '{"text": "\\u0000"}',
        "\x1b\x7f\x85\ufffe\U0010ffff",
        "x" * 500,
        "\N{TRACTOR}" * 500,
    ],
    ids=lambda text: ascii(text)[1:30],
)
def test_any_text_within_the_limit_is_answered(client: TestClient, text: str) -> None:
    findings = _classify(client, text=text)["narratives"]
    assert {finding["narrative"] for finding in findings} == NARRATIVES
    assert all(0 <= f["begin"] <= f["end"] <= len(text) for f in findings)
