"""Figures of a measured model against values computed by hand."""

import numpy as np
import pytest

from tests.training.evaluation.toys import NARRATIVES, STANCES, measured, passage
from training.evaluation.confidence import abstention, reliability
from training.evaluation.debunks import debunks, stance_confusions
from training.evaluation.parts import (
    KEYS,
    REAL,
    WRITTEN,
    by_narrative,
    by_stance,
    neutral_false_positives,
    slices,
)
from training.evaluation.system import compare

SURE, UNSURE, LOW = (0.9, 0.9), (0.9, 0.5), (0.4, 0.9)


def said(narrative: str, stance: str, kind: tuple[float, float] = SURE) -> dict:
    return {narrative: (kind[0], stance, kind[1])}


def test_a_debunk_accepted_as_a_claim_is_counted_whatever_the_narrative() -> None:
    rebuttal = {"red": "rebuts"}
    found = debunks(
        measured(
            [
                passage(rebuttal, "one"),
                passage(rebuttal, "two"),
                passage(rebuttal, "three"),
                passage(rebuttal, "four"),
                passage({"red": "rebuts", "blue": "advances"}, "it does advance one"),
                passage({"red": "advances"}, "no rebuttal"),
            ],
            [
                said("red", "advances"),
                said("blue", "advances"),
                said("red", "advances", LOW),
                said("red", "rebuts"),
                said("blue", "advances"),
                said("red", "advances"),
            ],
        ),
        STANCES,
    )
    assert found is not None
    assert (found.accepted.count, found.accepted.total) == (2, 4)
    assert (found.found.count, found.found.total) == (3, 4)


def test_an_unsure_stance_is_not_accepted_but_found() -> None:
    found = debunks(
        measured([passage({"red": "rebuts"})], [said("red", "advances", UNSURE)]), STANCES
    )
    assert found is not None
    assert (found.accepted.count, found.found.count) == (0, 1)


def test_a_taxonomy_of_other_stances_has_no_such_figure() -> None:
    one = measured([passage({"red": "rebuts"})], [said("red", "advances")])
    assert debunks(one, ["for", "against"]) is None


def test_neutral_passages_are_counted_by_origin_and_language() -> None:
    found = neutral_false_positives(
        measured(
            [
                passage({}, "a"),
                passage({}, "b", lang="ru"),
                passage({}, "c", source="news"),
                passage({"red": "advances"}, "d"),
            ],
            [said("red", "advances"), {}, said("red", "advances", LOW), said("red", "advances")],
        )
    )
    counts = {
        (origin, lang): (rate.count, rate.total)
        for origin, rates in found.items()
        for lang, rate in rates.items()
    }
    assert counts == {
        (WRITTEN, "all"): (1, 2),
        (WRITTEN, "en"): (1, 1),
        (WRITTEN, "ru"): (0, 1),
        (REAL, "all"): (0, 1),
        (REAL, "en"): (0, 1),
    }


def test_findings_are_sent_to_review_from_the_least_sure_on() -> None:
    claims = {"red": "advances"}
    found = abstention(
        measured(
            [passage(claims, "a"), passage(claims, "b"), passage({}, "c"), passage(claims, "d")],
            [
                said("red", "advances", (0.95, 0.95)),
                said("red", "reports", (0.9, 0.9)),
                said("red", "advances", (0.7, 0.9)),
                said("red", "advances", (0.5, 0.9)),
            ],
        )
    )
    assert found["findings"] == 4
    errors = {
        point["sent_to_review"]: (point["wrong"], point["wrong_or_other_stance"])
        for point in found["curve"]
    }
    assert errors[0.0] == (0.25, 0.5)
    assert errors[0.25] == pytest.approx((1 / 3, 2 / 3), abs=1e-4)
    assert errors[0.5] == (0.0, 0.5)
    assert errors[0.75] == (0.0, 0.0)
    assert found["accepted"] == {
        "sent_to_review": 0.5,
        "wrong": 0.0,
        "wrong_or_other_stance": 0.5,
    }


def test_a_model_without_findings_has_an_empty_curve() -> None:
    found = abstention(measured([passage({"red": "advances"})], [{}]))
    assert (found["findings"], found["curve"]) == (0, [])
    assert found["accepted"]["wrong"] is None


def test_reliability_counts_every_pair_once_in_the_bin_of_its_confidence() -> None:
    found = reliability(
        measured(
            [passage({"red": "advances"}, "a"), passage({}, "b")],
            [said("red", "reports", (1.0, 0.9)), said("red", "advances", (0.95, 0.9))],
        )
    )
    assert found["narratives"] == [
        {"confidence": 0.0, "right": 0.0, "count": 2},
        {"confidence": 0.975, "right": 0.5, "count": 2},
    ]
    assert found["stances"] == [{"confidence": 0.9, "right": 0.0, "count": 1}]


def test_stances_are_measured_on_what_is_found() -> None:
    parts = by_stance(
        measured(
            [
                passage({"red": "rebuts"}, "a"),
                passage({"red": "rebuts"}, "b"),
                passage({"red": "rebuts"}, "c"),
                passage({}, "d"),
            ],
            [
                said("red", "rebuts"),
                said("red", "advances"),
                said("red", "rebuts", (0.1, 0.9)),
                said("red", "rebuts", (0.2, 0.9)),
            ],
        ),
        STANCES,
    )
    rebuts = next(part for part in parts if part.name == "rebuts")
    assert rebuts.pairs == 3
    assert rebuts.found == pytest.approx(2 / 3)
    assert rebuts.right == pytest.approx(1 / 2)
    # One is right, three are true, one is said to rebut.
    assert rebuts.f1 == pytest.approx(2 / 4)
    assert next(part for part in parts if part.name == "reports").found is None


def test_parts_are_cut_by_what_the_record_says() -> None:
    one = measured(
        [
            passage({"red": "advances"}, "x" * 100),
            passage({"red": "advances"}, "y" * 101),
            passage({}, "z" * 900, lang="ka", source="news"),
        ],
        [said("red", "advances"), {}, said("red", "advances")],
    )
    names = {title: {part.name: part for part in slices(one, key)} for title, key in KEYS.items()}
    assert set(names["origin"]) == {REAL, WRITTEN}
    assert set(names["register"]) == {"post"}
    assert names["register"]["post"].passages == 2
    assert set(names["length"]) == {
        "1 to 100 code points",
        "101 to 200 code points",
        "more than 800 code points",
    }
    assert names["language"]["ka"].false_positives == 1.0
    assert names["language"]["ka"].macro_f1 is None
    assert names["language"]["en"].false_positives is None


def test_what_a_narrative_never_had_is_left_empty() -> None:
    blue = by_narrative(measured([passage({"red": "advances"})], [{}]), NARRATIVES)[1]
    assert blue.carrying == 0
    assert (blue.f1, blue.average_precision, blue.accept_precision, blue.accept_recall) == (
        None,
        None,
        None,
        None,
    )


def test_the_row_of_rebuttals_shows_what_they_are_accepted_as() -> None:
    one = measured(
        [passage({"red": "rebuts"}, "a"), passage({"red": "rebuts"}, "b")],
        [said("red", "advances"), said("red", "rebuts")],
    )
    assert stance_confusions(one, STANCES)["rebuts"] == {
        "advances": 0.5,
        "reports": 0.0,
        "rebuts": 0.5,
    }
    assert stance_confusions(one, STANCES)["reports"]["reports"] is None


def test_the_stance_of_found_leaves_out_what_is_missed() -> None:
    labels = {"red": "advances"}
    one = measured(
        [passage(labels, "a"), passage(labels, "b")],
        [said("red", "advances"), said("red", "reports", (0.1, 0.9))],
    )
    figures = compare(one.system, np.arange(2))
    assert figures.stance_accuracy.value == 0.5
    assert figures.stance_accuracy_of_found.value == 1.0
