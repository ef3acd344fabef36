"""The classifier: order, offsets into the text as given, warnings, and what it refuses."""

import copy
import json
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest
import torch

from serving.classifier import LONGEST, LONGEST_ID, Classifier, Item, check_id, check_text
from serving.errors import ModelFolderError, TextError
from serving.model_folder import EMBEDDINGS, MANIFEST, NETWORK, TOKENIZER, digest
from serving.predictions import Prediction
from training import export
from training.network import Network

NARRATIVES = ["red-tractors", "blue-boats", "green-trains"]
ENGLISH = "The minister said on Monday that the government would not change its foreign policy."
RUSSIAN = "Министр заявил в понедельник, что правительство не станет менять внешнюю политику."
GERMAN = "Der Minister sagte am Montag, die Regierung werde ihre Außenpolitik nicht ändern."
REFUSED = {
    "empty": ("", "text-empty", "at least one word"),
    "white space": (" \t\r\n\u00a0\u3000", "text-empty", "at least one word"),
    "NUL": ("abc\0def", "text-nul", "code point 3"),
    "only NUL": ("\0", "text-nul", "code point 0"),
    "high surrogate": ("ab\ud83d", "text-surrogate", "code point 2"),
    "low surrogate": ("\ude00ab", "text-surrogate", "code point 0"),
    "pair written as two": ("\ud83d\ude00", "text-surrogate", "code point 0"),
    "too long": ("a" * (LONGEST + 1), "text-length", str(LONGEST)),
    "too long and blank": (" " * (LONGEST + 1), "text-length", str(LONGEST)),
}
REFUSED_CASES = pytest.mark.parametrize(
    ("text", "limit", "named"), REFUSED.values(), ids=[*REFUSED]
)


@pytest.fixture(scope="module")
def model(
    tiny_model: Path, tiny_network: Network, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The tiny model with scores that differ: untrained, it gives every text the same."""
    network = copy.deepcopy(tiny_network)
    torch.manual_seed(2)
    torch.nn.init.normal_(network.heads.narrative, std=0.3)
    graph = export.graph(network, width=64, int8=False, calibration=[])

    def exchange(raw: dict[str, Any]) -> None:
        openvino.save_model(graph, folder / NETWORK, compress_to_fp16=False)
        raw["files"] = {name: digest(folder / name) for name in raw["files"]}

    folder = tmp_path_factory.mktemp("models") / tiny_model.name
    return altered(tiny_model, folder.parent, exchange)


@pytest.fixture(scope="module")
def classifier(model: Path) -> Classifier:
    return Classifier.load(model, threads=1)


def test_the_model_tells_texts_and_narratives_apart(classifier: Classifier) -> None:
    # Without this, tests of order and of disguises would pass whatever was read.
    texts = ["red tractor", "boat", RUSSIAN, "Россия", "12"]
    found = [predict(classifier, text, scores=True).scores or {} for text in texts]
    assert len({score for scores in found for score in scores.values()}) > 10


def predict(classifier: Classifier, text: str, **options: bool) -> Prediction:
    return classifier.predict([Item(text)], **options)[0]


def spans(prediction: Prediction) -> list[tuple[int, int]]:
    return sorted({(finding.begin, finding.end) for finding in prediction.narratives})


def test_predictions_come_in_the_order_of_the_items_with_their_ids(classifier: Classifier) -> None:
    texts = ["red tractor " * 15, "boat", RUSSIAN, "the green train is good", "12", "blue " * 40]
    items = [Item(text, f"id-{number}") for number, text in enumerate(texts)]
    found = classifier.predict([*items, Item("no id")], scores=True)
    assert [prediction.id for prediction in found] == [*(item.id for item in items), None]
    for item, prediction in zip(items, found, strict=False):
        alone = classifier.predict([item], scores=True)[0]
        assert prediction.scores == pytest.approx(alone.scores, abs=1e-3)
        assert spans(prediction) == spans(alone)


def test_no_items_have_no_predictions(classifier: Classifier) -> None:
    assert classifier.predict([]) == []


def test_every_narrative_of_every_passage_is_found_once_when_review_is_zero(
    classifier: Classifier,
) -> None:
    text = " ".join(f"Sentence number {n} is about a red tractor." for n in range(12))
    found = predict(classifier, text)
    keys = [(finding.narrative, finding.begin) for finding in found.narratives]
    assert len(spans(found)) > 2
    assert len(keys) == len(set(keys)) == len(spans(found)) * len(NARRATIVES)
    assert {name for name, _ in keys} == set(NARRATIVES)


def test_findings_are_sorted_by_confidence_and_then_by_place(classifier: Classifier) -> None:
    # The same paragraph again and again: equal confidences, told apart by their place alone.
    paragraph = " ".join(["The red tractor is good"] * 10) + "."
    found = predict(classifier, "\n\n".join([paragraph, GERMAN, paragraph, ENGLISH, paragraph]))
    keys = [(-finding.confidence, finding.begin) for finding in found.narratives]
    assert keys == sorted(keys)
    assert len({confidence for confidence, _ in keys}) < len(keys)


def test_findings_below_review_are_left_out(model: Path, tmp_path: Path) -> None:
    def raise_one(raw: dict[str, Any]) -> None:
        raw["decisions"]["blue-boats"].update(accept=1, review=1)

    raised = Classifier.load(altered(model, tmp_path, raise_one))
    found = predict(raised, "the red tractor", scores=True)
    assert {f.narrative for f in found.narratives} == {"red-tractors", "green-trains"}
    assert list(found.scores or {}) == NARRATIVES


def test_a_finding_says_what_the_thresholds_say(model: Path, tmp_path: Path) -> None:
    def accept_all(raw: dict[str, Any]) -> None:
        raw["decisions"]["red-tractors"].update(accept=0)
        raw["stance"]["accept"] = {"for": 0, "against": 0}

    found = predict(Classifier.load(altered(model, tmp_path, accept_all)), ENGLISH)
    decided = {finding.narrative: finding.decision for finding in found.narratives}
    assert decided["red-tractors"] == "accept"


def test_scores_are_the_highest_over_the_passages_and_only_when_asked(
    classifier: Classifier,
) -> None:
    text = "\n\n".join([ENGLISH * 3, RUSSIAN * 3, "The green train is bad. " * 9])
    assert predict(classifier, text).scores is None
    found = predict(classifier, text, scores=True)
    assert found.scores == {
        name: max(f.confidence for f in found.narratives if f.narrative == name)
        for name in NARRATIVES
    }


def test_what_is_absent_is_left_out_of_the_object(classifier: Classifier) -> None:
    found = predict(classifier, ENGLISH).as_json()
    assert set(found) == {"language", "narratives", "model"}
    assert found["model"] == "tiny-0.0.1"
    json.dumps(found, allow_nan=False)


def test_probabilities_are_rounded_and_within_their_range(classifier: Classifier) -> None:
    for finding in predict(classifier, ENGLISH).narratives:
        for value in (finding.confidence, finding.stance_confidence):
            assert 0 <= value <= 1
            assert value == round(value, 4)
        assert finding.stance in ("for", "against")
        assert finding.stance_confidence >= 0.5  # the likelier of two


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("red tractor", (0, 11)),
        ("  red tractor \n", (2, 13)),
        ("😀 red tractor 😀", (0, 15)),
        ("\u200b\u200bred tra\u200bctor", (2, 14)),
        ("\ufeff\u202ered tractor", (2, 13)),
        ("\u200b \u200bred tractor", (3, 14)),
        ("½ red tractors", (0, 14)),
        ("red tractor ½", (0, 13)),
        ("ﬁne, ﬁne", (0, 8)),
        ("re\u0301d tracto\u0301r", (0, 13)),
        ("\n\n\u1112\u1161\u11ab\n", (2, 5)),
    ],
)
def test_offsets_are_those_of_the_text_as_given(
    classifier: Classifier, text: str, span: tuple[int, int]
) -> None:
    assert spans(predict(classifier, text)) == [span]


def test_passages_behind_removed_characters_are_found_where_they_stand(
    classifier: Classifier,
) -> None:
    paragraphs = [" ".join(f"{name}\u200b {n} is ½ good" for n in range(12)) for name in "abc"]
    text = "\ufeff😀" + "\u200b\n\n".join(paragraphs)
    found = [text[begin:end] for begin, end in spans(predict(classifier, text))]
    assert found[0].startswith("😀a\u200b 0 is")
    # Each passage begins and ends with a whole word, and together they are the text.
    assert "".join("".join(found).split()) == "".join(text.removeprefix("\ufeff").split())
    assert all(passage == passage.strip() for passage in found)


@pytest.mark.parametrize("text", ["\u200b", "\u200b\u202e\ufeff", " \u200b ", "\U000e0041" * 50])
def test_a_text_without_anything_visible_is_answered_within_its_range(
    classifier: Classifier, text: str
) -> None:
    found = predict(classifier, text, scores=True)
    assert found.language == "und"
    assert found.warnings is not None
    for begin, end in spans(found):
        assert 0 <= begin <= end <= len(text)


@pytest.mark.parametrize(
    "text", ["Plan B\u2028. It failed.", "План F\x85.", "E\u2029.", "D\u1680."]
)
def test_odd_white_space_before_a_full_stop_is_answered(classifier: Classifier, text: str) -> None:
    assert spans(predict(classifier, text))[-1][1] == len(text)


@pytest.mark.parametrize(
    ("disguised", "plain"),
    [
        ("ｒｅｄ ｔｒａｃｔｏｒ", "red tractor"),
        ("r\u200be\u200dd tr\u00adactor", "red tractor"),
        ("rеd trаctоr", "red tractor"),
        ("𝐫𝐞𝐝 𝕥𝕣𝕒𝕔𝕥𝕠𝕣", "red tractor"),
        ("Pocсия", "Россия"),
    ],
)
def test_a_disguised_text_is_read_as_the_plain_one(
    classifier: Classifier, disguised: str, plain: str
) -> None:
    found, expected = (predict(classifier, text, scores=True) for text in (disguised, plain))
    assert found.scores == expected.scores
    assert found.language == expected.language


@pytest.mark.parametrize(
    ("text", "language", "warning"),
    [
        (ENGLISH, "en", None),
        (RUSSIAN, "ru", None),
        (GERMAN, "de", "unsupported-language"),
        ("1917 — 2022", "und", "unsure-language"),
    ],
)
def test_a_language_that_the_model_does_not_know_is_warned_of(
    classifier: Classifier, text: str, language: str, warning: str | None
) -> None:
    found = predict(classifier, text)
    assert found.language == language
    assert [caution.code for caution in found.warnings or []] == ([warning] if warning else [])


def test_the_warning_names_the_language_and_those_that_are_known(classifier: Classifier) -> None:
    warnings = predict(classifier, GERMAN).warnings
    assert warnings is not None
    assert "'de'" in warnings[0].detail
    assert "en, ru" in warnings[0].detail


@REFUSED_CASES
def test_a_text_that_cannot_be_classified_is_refused_with_its_limit(
    classifier: Classifier, text: str, limit: str, named: str
) -> None:
    with pytest.raises(TextError) as caught:
        classifier.predict([Item(ENGLISH), Item(text)])
    assert caught.value.limit == limit
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)
    str(caught.value).encode("utf-8")


@pytest.mark.parametrize("text", ["a", "a" * LONGEST, " a ", "😀", "\u200b", "\x01", "\ufffe"])
def test_a_text_within_every_limit_is_taken(text: str) -> None:
    check_text(text)


def test_a_caller_can_set_a_lower_limit() -> None:
    check_text("abc", longest=3)
    with pytest.raises(TextError, match="4 code points; at most 3") as caught:
        check_text("abcd", longest=3)
    assert caught.value.limit == "text-length"


@pytest.mark.parametrize("identifier", ["", "1", "Ж 😀\n", "x" * LONGEST_ID])
def test_an_id_that_can_be_given_back_is_taken(identifier: str) -> None:
    check_id(identifier)


@pytest.mark.parametrize(
    ("identifier", "limit", "named"),
    [
        ("x" * (LONGEST_ID + 1), "id-length", str(LONGEST_ID)),
        ("ab\ud83d", "id-surrogate", "code point 2"),
    ],
)
def test_an_id_that_cannot_be_given_back_is_refused(
    identifier: str, limit: str, named: str
) -> None:
    with pytest.raises(TextError, match=named) as caught:
        check_id(identifier)
    assert caught.value.limit == limit


def test_length_is_counted_in_code_points() -> None:
    check_text("😀" * 10, longest=10)


def test_the_longest_text_is_answered(classifier: Classifier) -> None:
    text = ("The red tractor is good. " * LONGEST)[: LONGEST - 1] + "."
    found = spans(predict(classifier, text))
    assert found[0][0] == 0
    assert found[-1][1] == LONGEST
    assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_a_reading_has_a_row_for_every_passage(classifier: Classifier) -> None:
    long = " ".join(f"Sentence number {n} is about a red tractor." for n in range(12))
    one, many = classifier.read(["boat", long])
    for reading in (one, many):
        assert reading.narratives.shape == (len(reading.spans), 3)
        assert reading.stances.shape == (len(reading.spans), 3, 2)
        np.testing.assert_allclose(reading.stances.sum(-1), 1)
    assert len(one.spans) == 1
    assert len(many.spans) > 1


def test_several_threads_get_the_answers_of_one(classifier: Classifier) -> None:
    texts = [f"{ENGLISH} {number}" for number in range(12)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda text: predict(classifier, text), texts))
    assert together == [predict(classifier, text) for text in texts]


@pytest.mark.parametrize("name", [NETWORK, EMBEDDINGS, TOKENIZER])
def test_a_part_that_cannot_be_read_is_named_even_if_its_hash_is_right(
    model: Path, tmp_path: Path, name: str
) -> None:
    def spoil(raw: dict[str, Any]) -> None:
        path = tmp_path / model.name / name
        path.write_bytes(b"spoilt")
        raw["files"][name] = digest(path)

    with pytest.raises(ModelFolderError, match=name) as caught:
        Classifier.load(altered(model, tmp_path, spoil))
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    assert ".cpp" not in str(caught.value)  # a place in a library's source helps nobody


def test_a_manifest_of_other_labels_than_the_networks_is_refused(
    model: Path, tmp_path: Path
) -> None:
    def drop_one(raw: dict[str, Any]) -> None:
        raw["decisions"].pop(raw["narratives"].pop()["id"])

    folder = altered(model, tmp_path, drop_one)
    with pytest.raises(ModelFolderError):
        predict(Classifier.load(folder), ENGLISH)


def altered(model: Path, where: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """Return a copy of a model folder with a changed manifest."""
    folder = shutil.copytree(model, where / model.name)
    raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    change(raw)
    (folder / MANIFEST).write_text(json.dumps(raw), encoding="utf-8")
    return folder
