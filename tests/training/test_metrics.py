"""Figures against values computed by hand."""

import numpy as np
import pytest

from training import metrics
from training.metrics import Figure


def columns(*rows: str) -> np.ndarray:
    """Labels of narratives, a string of 0 and 1 for each."""
    return np.array([[int(digit) for digit in row] for row in rows]).T


def test_macro_f1_is_the_mean_over_narratives() -> None:
    truth, found = columns("1100", "1000"), columns("1010", "1111") == 1
    # 2 * 1 / (2 + 2) and 2 * 1 / (1 + 4)
    assert metrics.macro_f1(truth, found) == pytest.approx((0.5 + 0.4) / 2)


def test_macro_f1_leaves_out_narratives_that_do_not_occur() -> None:
    truth, found = columns("1100", "0000", "0001"), columns("1100", "1111", "0000") == 1
    assert metrics.macro_f1(truth, found) == pytest.approx((1 + 0) / 2)


def test_macro_f1_of_one_narrative_is_its_f1() -> None:
    # A single column must not be read as a question with two answers, whose F1 are averaged.
    assert metrics.macro_f1(columns("1000"), columns("1100") == 1) == pytest.approx(2 / 3)


def test_macro_f1_of_one_narrative_that_occurs_among_several_is_its_f1() -> None:
    truth, found = columns("1000", "0000"), columns("1100", "0000") == 1
    assert metrics.macro_f1(truth, found) == pytest.approx(2 / 3)


def test_micro_f1_counts_all_decisions_together() -> None:
    truth, found = columns("1100", "1000"), columns("1010", "1111") == 1
    # Three are there, six are found, and two are in both: 2 * 2 / (3 + 6).
    assert metrics.micro_f1(truth, found) == pytest.approx(4 / 9)


def test_micro_f1_of_one_narrative_is_its_f1() -> None:
    assert metrics.micro_f1(columns("1000"), columns("1100") == 1) == pytest.approx(2 / 3)


def test_average_precision_is_the_mean_over_narratives_that_occur() -> None:
    truth = columns("1010", "0001", "0000")
    scores = np.array([[0.9, 0.8, 0.7, 0.6], [0.1, 0.2, 0.3, 0.9], [0.5, 0.5, 0.5, 0.5]]).T
    # First and third of four: (1 / 1 + 2 / 3) / 2; the only one comes first: 1.
    assert metrics.mean_average_precision(truth, scores) == pytest.approx((5 / 6 + 1) / 2)


def test_what_carries_no_narrative_has_no_figure() -> None:
    truth, found = columns("00", "00"), columns("01", "00") == 1
    assert np.isnan(metrics.macro_f1(truth, found))
    assert np.isnan(metrics.mean_average_precision(truth, found.astype(float)))


def test_calibration_error_is_0_where_probabilities_come_true() -> None:
    probabilities = np.repeat([0.0, 0.25, 0.5, 0.75, 1.0], 60)
    truth = np.ravel(
        [kind * 15 for kind in ([0] * 4, [1, 0, 0, 0], [1, 0] * 2, [1, 1, 1, 0], [1] * 4)]
    )
    assert metrics.calibration_error(truth, probabilities) == pytest.approx(0)


def test_calibration_error_is_the_gap_between_promise_and_truth() -> None:
    probabilities = np.full(300, 0.9)
    truth = np.tile([1, 0], 150)
    assert metrics.calibration_error(truth, probabilities) == pytest.approx(0.4)


def test_calibration_error_is_1_where_everything_is_wrong() -> None:
    truth = np.repeat([1, 0], [140, 160])
    assert metrics.calibration_error(truth, 1.0 - truth) == pytest.approx(1)


def test_calibration_error_sees_a_few_bad_promises_among_many_easy_ones() -> None:
    probabilities = np.concatenate([np.zeros(2800), np.full(200, 0.9)])
    truth = np.zeros(3000, int)
    assert metrics.calibration_error(truth, probabilities) == pytest.approx(200 * 0.9 / 3000)


def test_the_best_threshold_has_the_highest_f1() -> None:
    truth, scores = np.array([0, 0, 1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    # At 0.3 one of four is wrong and none is missed, F1 6/7; at 0.5 one is missed, F1 4/5.
    assert metrics.best_f1_threshold(truth, scores) == pytest.approx(0.3)


def test_the_best_threshold_itself_counts_as_found() -> None:
    truth, scores = np.array([0, 1, 1]), np.array([0.1, 0.7, 0.7])
    found = scores >= metrics.best_f1_threshold(truth, scores)
    assert found.tolist() == [False, True, True]


def test_a_narrative_that_does_not_occur_is_not_found() -> None:
    scores = np.array([0.2, 1.0, 0.4])
    assert not (scores >= metrics.best_f1_threshold(np.zeros(3, int), scores)).any()


VALUES = np.repeat(np.random.default_rng(3).normal(size=20), 10)
"""Twenty groups of ten passages that are all alike."""


def mean(rows: np.ndarray) -> float:
    return float(VALUES[rows].mean())


def test_the_interval_contains_the_value() -> None:
    figure = metrics.bootstrap(mean, np.arange(200))
    assert figure.value == pytest.approx(VALUES.mean())
    assert figure.low < figure.value < figure.high


def test_the_interval_is_that_of_the_mean() -> None:
    figure = metrics.bootstrap(mean, np.arange(200))
    error = VALUES.std() / 200**0.5
    assert figure.high - figure.low == pytest.approx(2 * 1.96 * error, rel=0.15)


def test_the_interval_is_wider_where_passages_come_in_groups() -> None:
    alone = metrics.bootstrap(mean, np.arange(200))
    grouped = metrics.bootstrap(mean, np.repeat(np.arange(20), 10))
    assert grouped.value == alone.value
    # Ten alike count for one: the square root of ten.
    assert (grouped.high - grouped.low) / (alone.high - alone.low) == pytest.approx(
        10**0.5, rel=0.2
    )


def test_group_numbers_are_names_and_no_order() -> None:
    numbers = np.repeat(np.arange(20), 10)
    assert metrics.bootstrap(mean, numbers) == metrics.bootstrap(mean, numbers * 7 + 1000)


def test_the_interval_is_the_same_each_time_and_moves_with_the_seed() -> None:
    numbers = np.arange(200)
    assert metrics.bootstrap(mean, numbers) == metrics.bootstrap(mean, numbers)
    assert metrics.bootstrap(mean, numbers) != metrics.bootstrap(mean, numbers, seed=1)


def test_resamples_in_which_nothing_can_be_measured_are_left_out() -> None:
    # One passage of four carries a narrative; a third of the resamples miss it.
    carried = np.array([True, False, False, False])

    def measure(rows: np.ndarray) -> float:
        return float(np.where(carried[rows], 0.8, np.nan)[carried[rows]].mean())

    figure = metrics.bootstrap(measure, np.arange(4))
    assert (figure.value, figure.low, figure.high) == pytest.approx((0.8, 0.8, 0.8))


def test_few_passages_do_not_stop_the_figures() -> None:
    # Some resamples of so few hold no narrative at all.
    truth, found = columns("1000", "0100"), columns("1000", "0100") == 1
    for measure in (metrics.macro_f1, metrics.micro_f1, metrics.mean_average_precision):
        figure = metrics.bootstrap(
            lambda rows, m=measure: m(truth[rows], found[rows]), np.arange(4)
        )
        assert figure.value == 1


def test_a_figure_reads_and_is_stored_rounded() -> None:
    figure = Figure(0.123456, 0.1, 0.2)
    assert str(figure) == "0.123 [0.100, 0.200]"
    assert figure.as_json() == {"value": 0.1235, "low": 0.1, "high": 0.2}


def test_nought_of_fifty_still_leaves_something_open() -> None:
    found = metrics.rate(np.zeros(50, bool)).as_json()
    assert found is not None
    assert (found["count"], found["total"], found["low"]) == (0, 50, 0.0)
    # Clopper and Pearson: 1 - 0.025 ** (1 / 50)
    assert found["high"] == pytest.approx(0.0711, abs=1e-4)


def test_a_share_of_nothing_is_none() -> None:
    assert metrics.rate(np.zeros(0, bool)).as_json() is None
    assert metrics.share(np.zeros(0, bool)) is None
    assert metrics.share(np.array([True, False])) == 0.5
