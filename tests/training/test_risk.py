"""A promise about errors: kept over many draws of labels, and not given on too few of them."""

import numpy as np
import pytest
from scipy.stats import binom

from training import risk
from training.risk import Findings

RISK, DELTA = 0.1, 0.2


def error_at(level: float) -> float:
    """The true share of wrong findings at or above a level: sureness is uniform on [0.4, 1].

    A finding of sureness s is wrong with probability (1 - s) / 2, so on [t, 1] it is (1 - t) / 4.
    """
    return (1 - level) / 4


def draw(generator: np.random.Generator, groups: int) -> Findings:
    """Findings of groups of one to four; those of one group are right or wrong together."""
    sizes = generator.integers(1, 5, groups)
    group = np.repeat(np.arange(groups), sizes)
    sureness = np.repeat(generator.uniform(0.4, 1, groups), sizes)
    luck = np.repeat(generator.uniform(0, 1, groups), sizes)
    return Findings(sureness=sureness, wrong=luck < (1 - sureness) / 2, group=group)


def test_the_promise_is_broken_no_more_often_than_stated() -> None:
    generator = np.random.default_rng(3)
    draws = 200
    found = [
        risk.certify(draw(generator, 800), risk=RISK, delta=DELTA, seed=seed)
        for seed in range(draws)
    ]
    given = [one for one in found if one]
    broken = sum(error_at(one.level) > RISK for one in given)
    # Were the promise broken with probability DELTA, more than this would be a matter of 1 in 1000.
    assert broken <= binom.ppf(0.999, draws, DELTA)
    # It must be worth something: given nearly always, and not only at the strictest levels.
    assert len(given) > 0.9 * draws
    assert np.median([one.level for one in given]) < 0.9


def test_findings_of_one_group_are_no_more_evidence_than_one() -> None:
    generator = np.random.default_rng(4)
    one = draw(generator, 400)
    tenfold = Findings(
        sureness=np.tile(one.sureness, 10),
        wrong=np.tile(one.wrong, 10),
        group=np.tile(one.group, 10),
    )
    found = [risk.certify(some, risk=RISK, delta=DELTA) for some in (one, tenfold)]
    assert all(certificate and 0 < certificate.drawn <= 400 for certificate in found)


def alike(count: int, wrong: int, sureness: float = 0.97) -> Findings:
    return Findings(
        sureness=np.full(count, sureness),
        wrong=np.arange(count) < wrong,
        group=np.arange(count),
    )


def test_too_few_labels_give_no_promise_and_say_how_many_would() -> None:
    few = alike(20, 0)
    assert risk.certify(few, risk=0.05, delta=0.1) is None
    times = risk.needed(few, risk=0.05, delta=0.1)
    assert times is not None
    assert 2 < times < 50
    enough = alike(round(20 * times), round(20 * times * 0.02))
    assert risk.certify(enough, risk=0.05, delta=0.1) is not None


def test_without_errors_the_smallest_number_is_that_of_the_binomial_tail() -> None:
    # 0.95 ** n <= 0.1 / 4 starts
    assert risk.certify(alike(71, 0), risk=0.05, delta=0.1) is None
    found = risk.certify(alike(72, 0), risk=0.05, delta=0.1)
    assert found is not None
    assert (found.drawn, found.wrong) == (72, 0)


def test_a_model_that_errs_too_often_gets_no_promise_from_any_number() -> None:
    bad = alike(5000, 500)
    assert risk.certify(bad, risk=0.05, delta=0.1) is None
    assert risk.needed(bad, risk=0.05, delta=0.1) is None


def test_a_start_that_fails_does_not_spoil_the_later_ones() -> None:
    # Ten sure findings, half of them wrong, and many less sure that are right.
    few, many = alike(10, 5, sureness=0.99), alike(2000, 0, sureness=0.6)
    both = Findings(
        sureness=np.concatenate([few.sureness, many.sureness]),
        wrong=np.concatenate([few.wrong, many.wrong]),
        group=np.arange(2010),
    )
    found = risk.certify(both, risk=0.05, delta=0.1)
    assert found is not None
    assert found.level <= 0.6


@pytest.mark.parametrize("count", [0, 1])
def test_next_to_nothing_is_no_error(count: int) -> None:
    assert risk.certify(alike(count, 0), risk=0.05, delta=0.1) is None


def test_no_finding_at_all_needs_more_than_labels() -> None:
    assert risk.needed(alike(0, 0), risk=0.05, delta=0.1) is None
