"""What a change of the text costs, measured on the passages that it changes."""

from collections.abc import Sequence

import numpy as np
import pytest

from serving.classifier import Reading
from serving.language import Language
from tests.training.evaluation.toys import STANCES, Said, measured, passage, readout
from training.evaluation.measured import Measured
from training.evaluation.robustness import perturbed, robustness
from training.labels.sources import Passage
from training.robustness.perturbations import PERTURBATIONS

CLAIM: Said = {"red": (0.9, "advances", 0.9)}
TEXT = 'Россия: "Да." ' + "Many words that are long enough to be mistyped. " * 5
DENIED: Said = {"red": (0.9, "rebuts", 0.9)}


class Scripted:
    """Stands for the classifier: answers what it was told to, and keeps what it was asked."""

    def __init__(self, manifest: object, answer: Said) -> None:
        self.manifest = manifest
        self.asked: list[str] = []
        self._answer = answer

    def read(self, texts: Sequence[str]) -> list[Reading]:
        self.asked += texts
        one = readout([passage({})], [self._answer])
        return [Reading(Language("en", 1.0), [], one.narratives, one.stances) for _ in texts]


def under_change(passages: list[Passage], before: list[Said], after: Said) -> Measured:
    one = measured(passages, before)
    object.__setattr__(one, "classifier", Scripted(one.classifier.manifest, after))
    return one


def test_only_passages_that_change_are_read_and_counted() -> None:
    claim = {"red": "advances"}
    passages = [passage(claim, "Большой текст"), passage(claim, "small text"), passage({}, "Нет")]
    one = under_change(passages, [CLAIM, CLAIM, {}], {})
    found = perturbed(one, "transliteration")
    assert one.classifier.asked == ["Bolshoy tekst", "Net"]
    assert found["passages"] == 2
    assert (found["macro_f1"]["before"], found["macro_f1"]["after"]) == (1.0, 0.0)
    assert found["macro_f1"]["difference"]["value"] == -1.0


def test_what_leaves_every_answer_as_it_was_costs_nothing() -> None:
    one = under_change([passage({"red": "advances"}, "A Text")], [CLAIM], CLAIM)
    found = perturbed(one, "lower case")
    assert found["macro_f1"]["difference"] == {"value": 0.0, "low": 0.0, "high": 0.0}
    assert found["stance_accuracy"]["difference"]["value"] == 0.0


def test_false_alarms_and_lost_stances_are_seen() -> None:
    passages = [passage({}, "Neutral"), passage({"red": "rebuts"}, "A Debunk")]
    one = under_change(passages, [{}, DENIED], CLAIM)
    found = perturbed(one, "upper case")
    assert found["false_positives"] == {"before": 0.0, "after": 1.0}
    assert found["stance_accuracy"]["difference"]["value"] == -1.0


def test_written_passages_have_a_figure_of_their_own() -> None:
    passages = [passage({"red": "advances"}, "A"), passage({"red": "advances"}, "B", source="news")]
    found = perturbed(under_change(passages, [CLAIM, {}], {}), "lower case")
    assert (found["macro_f1"]["before"], found["written"]["before"]) == (pytest.approx(0.6667), 1.0)


def test_a_change_that_changes_nothing_here_has_no_figure() -> None:
    claim = {"red": "advances"}
    assert perturbed(under_change([passage(claim, "latin")], [{}], {}), "transliteration") is None
    assert perturbed(under_change([passage({}, "Кириллица")], [{}], {}), "transliteration") is None


def test_every_perturbation_is_measured() -> None:
    one = under_change([passage({"red": "advances"}, TEXT)], [CLAIM], CLAIM)
    found = robustness(one, STANCES)
    assert list(found["perturbations"]) == list(PERTURBATIONS)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (DENIED, {"kept": 1.0, "turned": 1.0, "still_accepted": 0.0}),
        (CLAIM, {"kept": 1.0, "turned": 0.0, "still_accepted": 1.0}),
        ({}, {"kept": 0.0, "turned": None, "still_accepted": 0.0}),
    ],
)
def test_a_denied_claim_must_turn_its_stance(answer: Said, expected: dict) -> None:
    passages = [
        passage({"red": "advances"}, "A claim."),
        passage({"red": "rebuts"}, "A debunk."),
        passage({"red": "advances"}, "Eine Behauptung.", lang="de"),
    ]
    one = under_change(passages, [CLAIM, DENIED, CLAIM], answer)
    found = robustness(one, STANCES)["negation"]
    assert found == {"passages": 1, "findings": 1, "accepted": 1, **expected}
    assert "This is not true: A claim." in one.classifier.asked


def test_without_such_stances_nothing_can_be_denied() -> None:
    one = under_change([passage({"red": "advances"}, "A")], [CLAIM], CLAIM)
    assert robustness(one, ["for", "against"])["negation"] is None


def test_the_same_change_gives_the_same_figure() -> None:
    passages = [
        passage({"red": "advances"}, f"Text number {n} with long words that are mistyped")
        for n in range(5)
    ]
    figures = [perturbed(under_change(passages, [CLAIM] * 5, CLAIM), "typos") for _ in range(2)]
    assert figures[0] == figures[1]
    assert np.isfinite(figures[0]["macro_f1"]["after"])
