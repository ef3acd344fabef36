"""What serving's classifier says of labelled passages, beside their labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from serving.classifier import Classifier, Reading
from serving.decisions import sigmoid, softmax
from serving.embeddings import EmbeddingTable
from serving.engine import Engine
from serving.language import Language
from serving.model_folder import EMBEDDINGS, NETWORK, TOKENIZER
from serving.tokens import Tokens
from training import readout
from training.encoding import NO_STANCE
from training.labels.records import Labels, Written
from training.labels.sources import Passage
from training.readout import Readout
from training.taxonomy import Taxonomy


def passage(text: str, labels: Labels | None = None) -> Passage:
    fields = {"id": text, "lang": "en", "annotator": "test", "date": "2026-01-01"}
    record = Written.model_validate(
        {"how": "written", "register": "post", "text": text, "labels": labels or {}, **fields}
    )
    return Passage(
        key=record.key, text=text, lang="en", labels=labels or {}, source="written", record=record
    )


class Parrot:
    """Stands for a classifier: says of each text the parts that it was given."""

    def __init__(self, parts: dict[str, tuple[list[list[float]], list[list[list[float]]]]]) -> None:
        self._parts = parts

    def read(self, texts: Sequence[str]) -> list[Reading]:
        readings = []
        for text in texts:
            narratives, stances = map(np.array, self._parts[text])
            readings.append(Reading(Language("en", 1.0), [], narratives, stances))
        return readings


def test_the_surest_part_speaks_for_a_text_and_tells_the_stance(made_up: Taxonomy) -> None:
    parts = (
        [[0.1, 0.9, 0.3], [0.8, 0.2, 0.4]],
        [
            [[0.9, 0.1], [0.3, 0.7], [0.5, 0.5]],
            [[0.2, 0.8], [0.6, 0.4], [0.1, 0.9]],
        ],
    )
    found = readout.read(Parrot({"long": parts}), [passage("long")], made_up)
    np.testing.assert_array_equal(found.narratives, [[0.8, 0.9, 0.4]])
    np.testing.assert_array_equal(found.stances, [[[0.2, 0.8], [0.3, 0.7], [0.1, 0.9]]])


def test_more_passages_than_are_read_at_once_stay_in_order(made_up: Taxonomy) -> None:
    count = 2 * readout.CHUNK + 3
    parts = {f"text {i}": ([[i / 1000] * 3], [[[0.5, 0.5]] * 3]) for i in range(count)}
    found = readout.read(Parrot(parts), [passage(text) for text in parts], made_up)
    np.testing.assert_allclose(found.narratives[:, 0], np.arange(count) / 1000)
    assert found.stances.shape == (count, 3, 2)


def test_labels_stand_beside_what_was_read(made_up: Taxonomy) -> None:
    parts = {text: ([[0.5] * 3], [[[0.5, 0.5]] * 3]) for text in ("one", "other")}
    labels = {"green-trains": "against", "red-tractors": "for"}
    found = readout.read(Parrot(parts), [passage("one"), passage("other", labels)], made_up)
    assert found.truth.tolist() == [[0, 0, 0], [1, 0, 1]]
    assert found.stance_truth.tolist() == [[NO_STANCE] * 3, [0, NO_STANCE, 1]]


def test_raw_scores_give_the_probabilities_back() -> None:
    narratives = np.array([[0.0, 1e-6, 0.3], [0.5, 0.999, 1.0]])
    stances = softmax(np.random.default_rng(0).normal(size=(2, 3, 2)))
    stances[0, 0] = [1.0, 0.0]
    truth = np.array([[0, 0, 1], [0, 1, 1]])
    made = Readout(narratives=narratives, stances=stances, truth=truth, stance_truth=truth - 1)
    raw = made.as_raw()
    assert np.isfinite(raw.scores).all()
    assert np.isfinite(raw.stances).all()
    np.testing.assert_allclose(sigmoid(raw.scores), narratives, atol=1e-9)
    np.testing.assert_allclose(softmax(raw.stances), stances, atol=1e-9)
    assert raw.truth is truth


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    return [passage(text) for text in ("the red tractor", "a blue boat is bad", "no 7")]


def test_raw_scores_of_an_uncalibrated_folder_are_those_of_its_graph(
    tiny_model: Path, made_up: Taxonomy, passages: list[Passage]
) -> None:
    classifier = Classifier.load(tiny_model)
    raw = readout.read(classifier, passages, made_up).as_raw()
    reading = classifier.manifest.reading
    tokens = Tokens(tiny_model / TOKENIZER, prefix=reading.prefix, limit=reading.tokens)
    engine = Engine(tiny_model / NETWORK, EmbeddingTable.load(tiny_model / EMBEDDINGS))
    expected = engine.score(tokens.encode([p.text for p in passages]))
    np.testing.assert_allclose(raw.scores, expected.narratives, atol=1e-4)
    np.testing.assert_allclose(softmax(raw.stances), softmax(expected.stances), atol=1e-5)
    assert np.ptp(expected.stances) > 1e-3
