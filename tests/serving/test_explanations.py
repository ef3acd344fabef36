"""Which words carry a finding, checked against a model whose words have known weights."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from serving.classifier import Classifier, Item
from serving.explanations import GROUPS, NAMED, PASSAGES, explain, explained, grouped, without
from serving.passages import Span
from serving.predictions import Finding, Prediction


class Weigher:
    """Stands for a classifier: a word of its list adds to the narrative's probability."""

    narratives = ("red", "blue")

    def __init__(self, red: dict[str, float], blue: dict[str, float] | None = None) -> None:
        self._weights = (red, blue or {})
        self.calls: list[int] = []

    def weigh(self, passages: Sequence[str]) -> np.ndarray:
        self.calls.append(len(passages))
        rows = [re.findall(r"\w+", passage) for passage in passages]
        return np.array(
            [[sum(weights.get(w, 0.0) for w in row) for weights in self._weights] for row in rows]
        )


def named(passage: str, words: dict[str, float]) -> list[tuple[str, float]]:
    found = explain(Weigher(words), passage, ["red"])["red"]
    return [(passage[one.begin : one.end], one.weight) for one in found]


def test_the_words_that_carry_a_finding_are_named_weightiest_first() -> None:
    words = {"paid": 0.4, "embassies": 0.5}
    assert named("Foreign embassies have all of them paid", words) == [
        ("embassies", 0.5),
        ("paid", 0.4),
    ]


def test_words_side_by_side_are_one_run() -> None:
    assert named("They were paid by embassies", {"paid": 0.2, "by": 0.1, "embassies": 0.3}) == [
        ("paid by embassies", 0.6)
    ]


def test_words_that_speak_against_it_or_do_nothing_are_not_named() -> None:
    assert named("good bad indifferent", {"good": 0.5, "bad": -0.3}) == [("good", 0.5)]
    assert named("nothing here", {}) == []


def test_no_more_runs_are_named_than_promised() -> None:
    text = " ".join(f"w{n} and" for n in range(8))
    found = named(text, {f"w{n}": 0.1 for n in range(8)})
    assert len(found) == NAMED


def test_offsets_are_those_of_the_text_as_given() -> None:
    text = "ﬁrst wo\u200brd p\u200baid"
    assert named(text, {"paid": 0.5}) == [("p\u200baid", 0.5)]


def test_all_findings_of_a_passage_share_its_passes() -> None:
    weigher = Weigher({"a": 0.5}, {"b": 0.4})
    found = explain(weigher, "a b", ["red", "blue"])
    assert [w.begin for w in found["red"]] == [0]
    assert [w.begin for w in found["blue"]] == [2]
    assert weigher.calls == [3]


def test_the_cost_of_a_long_passage_is_bounded() -> None:
    weigher = Weigher({})
    explain(weigher, "word " * 1000, ["red"])
    assert weigher.calls == [GROUPS + 1]


def finding(begin: int, end: int, narrative: str = "red") -> Finding:
    return Finding(
        narrative=narrative,
        confidence=0.5,
        decision="review",
        stance="s",
        stance_confidence=1,
        begin=begin,
        end=end,
    )


def test_only_the_passages_of_the_best_findings_are_explained() -> None:
    text = "paid " * (PASSAGES + 2)
    spans = [(5 * n, 5 * n + 4) for n in range(PASSAGES + 2)]
    prediction = Prediction(language="en", narratives=[finding(*span) for span in spans], model="m")
    weigher = Weigher({"paid": 0.5})
    found = explained(weigher, text, prediction)
    assert len(weigher.calls) == PASSAGES
    assert [f.explanation is None for f in found.narratives] == [False] * PASSAGES + [True] * 2
    last = found.narratives[PASSAGES - 1].explanation
    assert last is not None
    assert text[last[0].begin : last[0].end] == "paid"


@pytest.mark.parametrize("count", [0, 1, GROUPS - 1, GROUPS, GROUPS + 1, 5 * GROUPS + 3])
def test_every_word_is_in_one_run(count: int) -> None:
    text = " ".join(f"w{n}" for n in range(count))
    runs = grouped(text)
    assert len(runs) == min(count, GROUPS)
    words = [word for run in runs for word in text[run.begin : run.end].split()]
    assert words == text.split()
    sizes = {len(text[run.begin : run.end].split()) for run in runs}
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_what_is_left_out_leaves_single_spaces() -> None:
    assert without("one two three", [Span(4, 7)]) == "one three"
    assert without("one two", [Span(4, 7), Span(0, 3)]) == ""


def test_a_real_folder_explains_what_it_finds(tiny_model: Path) -> None:
    classifier = Classifier.load(tiny_model)
    text = "the red tractor is good 🚜\n\nblue boats are bad"
    [plain] = classifier.predict([Item(text)])
    found = explained(classifier, text, plain)
    assert [f.model_copy(update={"explanation": None}) for f in found.narratives] == (
        plain.narratives
    )
    for one in found.narratives:
        assert one.explanation is not None
        for words in one.explanation:
            assert one.begin <= words.begin < words.end <= one.end
            assert text[words.begin : words.end].strip() == text[words.begin : words.end]


def test_passages_are_weighed_as_they_are_read(tiny_model: Path) -> None:
    classifier = Classifier.load(tiny_model)
    text = "the red tractor is good"
    np.testing.assert_allclose(
        classifier.weigh([text]), classifier.read([text])[0].narratives, atol=1e-6
    )
