"""Confident learning: planted errors are found, sound labels are left alone."""

import random

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from training.labels import suspects
from training.labels.folds import out_of_fold
from training.labels.records import Labels, Written
from training.labels.sources import Passage
from training.taxonomy import Taxonomy

OPINION = {"for": "splendid", "against": "rotten"}
THING = {"red-tractors": "tractor", "blue-boats": "boat"}


def passage(number: int, text: str, labels: Labels) -> Passage:
    draw = random.Random(number)
    # Letters by chance, so that no two texts are near-duplicates.
    padded = f"{text} {''.join(draw.choices('abcdefghijklmnopqrstuvwxyz ', k=120))}"
    about = {"how": "written", "id": str(number), "lang": "en", "register": "post"}
    decided = {"labels": labels, "annotator": "A", "date": "2026-01-01"}
    record = Written.model_validate({**about, "text": padded, **decided})
    return Passage(
        key=record.key, text=padded, lang="en", labels=labels, source="written", record=record
    )


@pytest.fixture
def corpus() -> list[Passage]:
    made = []
    for thing, noun in THING.items():
        for stance, adjective in OPINION.items():
            for _ in range(20):
                made.append(passage(len(made), f"{adjective} {noun}", {thing: stance}))
    return made + [passage(len(made) + n, "nothing here", {}) for n in range(40)]


def found(passages: list[Passage], taxonomy: Taxonomy) -> list[suspects.Suspect]:
    words = ["splendid", "rotten", "tractor", "boat", "nothing"]
    features = CountVectorizer(vocabulary=words).fit_transform(p.text for p in passages)
    return suspects.find(passages, features, taxonomy)


def test_confident_is_who_reaches_the_mean_of_another_class() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.4, 0.6], [0.85, 0.15]])
    given = np.array([0, 0, 1, 1, 1])
    # Thresholds: class 0 at 0.8, class 1 at 0.5167.
    assert suspects.confident(probabilities, given).tolist() == [0, -1, 1, 1, 0]


def test_planted_errors_of_each_kind_come_first(corpus: list[Passage], made_up: Taxonomy) -> None:
    planted = {
        "superfluous": (100, "nothing at all", {"blue-boats": "for"}),
        "missing": (200, "splendid tractor", {}),
        "stance": (300, "rotten boat", {"blue-boats": "for"}),
    }
    passages = corpus + [passage(*about) for about in planted.values()]
    listed = found(passages, made_up)
    named = {(s.kind, s.passage.record.id, s.narrative, s.given, s.suggested) for s in listed[:3]}
    assert named == {
        ("superfluous", "100", "blue-boats", "for", None),
        ("missing", "200", "red-tractors", None, None),
        ("stance", "300", "blue-boats", "for", "against"),
    }
    assert all(s.self_confidence < 0.5 < s.probability for s in listed[:3])
    order = [s.self_confidence for s in listed]
    assert order == sorted(order)


def test_sound_labels_have_no_suspects(corpus: list[Passage], made_up: Taxonomy) -> None:
    assert found(corpus, made_up) == []


def test_too_few_to_leave_out_are_no_task(made_up: Taxonomy) -> None:
    assert found([passage(0, "boat", {"blue-boats": "for"}), passage(1, "", {})], made_up) == []


def test_nothing_is_told_of_a_group_that_was_trained_on() -> None:
    draw = np.random.default_rng(0)
    # The features are the group itself: who trains on a group's twin knows its class.
    numbers = np.repeat(np.arange(100), 2)
    classes = np.repeat(draw.integers(2, size=100), 2)
    probabilities = out_of_fold(LogisticRegression(C=1e6), np.eye(100)[numbers], classes, numbers)
    assert probabilities is not None
    assert ((probabilities[:, 1] > 0.5) == classes).mean() < 0.65
