"""Decisions: calibrated probabilities, and accept only where narrative and stance are both sure."""

import numpy as np
import pytest

from serving.decisions import Decisions, sigmoid, softmax
from serving.engine import Scores
from serving.model_folder import Manifest

FILES = ("network.xml", "network.bin", "embeddings.safetensors", "tokenizer.json")
RULES = {
    "boats": {"slope": 3.0, "intercept": 0.5, "accept": 0.9, "review": 0.4},
    "trains": {"slope": 1.0, "intercept": -1.0, "accept": 0.6, "review": 0.2},
}


@pytest.fixture
def decisions() -> Decisions:
    manifest = {
        "format": 1,
        "name": "made-up",
        "created": "2026-01-01",
        "taxonomy_version": "1.0.0",
        # The rules stand in another order than the narratives, which are the network's outputs.
        "narratives": [{"id": "trains", "title": {}}, {"id": "boats", "title": {}}],
        "stances": [{"id": "for", "title": {}}, {"id": "against", "title": {}}],
        "decisions": RULES,
        "stance": {"temperature": 2.0, "accept": {"against": 0.8, "for": 0.5}},
        "reading": {"tokens": 64},
        "languages": {},
        "base": {},
        "data": {},
        "training": {},
        "metrics": {},
        "files": dict.fromkeys(FILES, ""),
    }
    return Decisions(Manifest.model_validate(manifest))


def test_thresholds_stand_in_the_order_of_the_labels(decisions: Decisions) -> None:
    assert decisions.accept.tolist() == [0.6, 0.9]
    assert decisions.review.tolist() == [0.2, 0.4]
    assert decisions.stance_accept.tolist() == [0.5, 0.8]


def test_each_narrative_is_scaled_by_its_own_rule(decisions: Decisions) -> None:
    scores = Scores(
        np.array([[1.0, 1.0], [0.0, -0.5]], np.float32), np.zeros((2, 2, 2), np.float32)
    )
    narratives, _ = decisions.probabilities(scores)
    expected = [[1 / (1 + np.exp(-z)) for z in row] for row in ((0.0, 3.5), (-1.0, -1.0))]
    np.testing.assert_allclose(narratives, expected)


def test_stances_of_a_narrative_sum_to_one_at_the_temperature(decisions: Decisions) -> None:
    stances = np.array([[[2.0, 0.0], [-4.0, 4.0]]], np.float32)
    _, found = decisions.probabilities(Scores(np.zeros((1, 2), np.float32), stances))
    first, second = 1 / (1 + np.exp(-1)), 1 / (1 + np.exp(4))
    np.testing.assert_allclose(found, [[[first, 1 - first], [second, 1 - second]]])


@pytest.mark.parametrize(
    ("confidence", "stance", "sureness", "decision"),
    [
        (0.9, 0, 0.5, "accept"),
        (1.0, 1, 0.8, "accept"),
        (0.89999, 0, 1.0, "review"),
        (1.0, 0, 0.49999, "review"),
        (1.0, 1, 0.79999, "review"),
        (0.4, 0, 0.1, "review"),
    ],
)
def test_only_a_sure_narrative_with_a_sure_stance_is_accepted(
    decisions: Decisions, confidence: float, stance: int, sureness: float, decision: str
) -> None:
    assert decisions.decide(1, confidence, stance, sureness) == decision


def test_each_narrative_is_accepted_by_its_own_threshold(decisions: Decisions) -> None:
    assert [decisions.decide(index, 0.7, 0, 1.0) for index in (0, 1)] == ["accept", "review"]


def test_the_sigmoid_does_not_overflow() -> None:
    scores = np.array([-1e300, -1e4, -1.0, 0.0, 1.0, 1e4, 1e300])
    found = sigmoid(scores)
    assert found[[0, 1, 3, 5, 6]].tolist() == [0, 0, 0.5, 1, 1]
    np.testing.assert_allclose(found + sigmoid(-scores), 1)
    assert (np.diff(found) >= 0).all()


def test_the_softmax_does_not_overflow_and_is_over_the_last_axis() -> None:
    scores = np.array([[1e300, -1e300, 0.0], [1e5, 1e5, 1e5], [0.0, np.log(2), np.log(3)]])
    expected = [[1, 0, 0], [1 / 3] * 3, [1 / 6, 1 / 3, 1 / 2]]
    np.testing.assert_allclose(softmax(scores), expected)
