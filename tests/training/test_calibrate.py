"""Calibration and thresholds on planted scores, whose right answer is known."""

import numpy as np
import pytest

from serving.decisions import sigmoid, softmax
from serving.model_folder import NarrativeDecision, StanceDecision
from training import calibrate
from training.calibrate import ACCEPT_PRECISION, REVIEW_RECALL, STANCE_PRECISION, Raw
from training.errors import TrainingError
from training.taxonomy import Taxonomy

STANCES = ["advances", "reports", "rebuts"]


def raw(*narratives: tuple[np.ndarray, np.ndarray]) -> Raw:
    """Scores and truth of each narrative, all in one stance."""
    scores, truth = (np.stack(parts, axis=1) for parts in zip(*narratives, strict=True))
    return Raw(
        scores=scores,
        truth=truth,
        stances=np.zeros((*truth.shape, len(STANCES))),
        stance_truth=np.where(truth == 1, 0, -100),
    )


def planted(
    count: int, slope: float, intercept: float, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Scores whose narrative is there with probability sigmoid(slope * score + intercept)."""
    draw = np.random.default_rng(seed)
    scores = draw.normal(0, 2.5, count)
    return scores, (draw.random(count) < sigmoid(slope * scores + intercept)).astype(int)


def with_stances(scores: np.ndarray, truth: np.ndarray) -> Raw:
    """Stance scores (passages, stances) of one narrative that every passage carries."""
    return Raw(
        scores=np.zeros((len(truth), 1)),
        truth=np.ones((len(truth), 1), int),
        stances=scores[:, None],
        stance_truth=truth[:, None],
    )


def rule(*narratives: tuple[np.ndarray, np.ndarray]) -> NarrativeDecision:
    """Decision of the first narrative."""
    names = [str(number) for number in range(len(narratives))]
    return calibrate.decisions(raw(*narratives), names)["0"]


def probabilities(fitted: NarrativeDecision, scores: np.ndarray) -> np.ndarray:
    return sigmoid(fitted.slope * scores + fitted.intercept)


def test_platt_scaling_recovers_slope_and_intercept() -> None:
    fitted = rule(planted(6000, 1.7, -0.8), planted(6000, 1.7, -0.8, seed=1))
    assert fitted.slope == pytest.approx(1.7, abs=0.15)
    assert fitted.intercept == pytest.approx(-0.8, abs=0.15)


def test_a_frequent_narrative_gets_its_own_fit() -> None:
    narratives = planted(6000, 2.0, -2.5), planted(6000, 1.0, 1.0, seed=1)
    fitted = calibrate.decisions(raw(*narratives), ["one", "other"])
    assert fitted["one"].slope == pytest.approx(2.0, abs=0.25)
    assert fitted["one"].intercept == pytest.approx(-2.5, abs=0.3)
    assert fitted["other"].slope == pytest.approx(1.0, abs=0.15)
    assert fitted["other"].intercept == pytest.approx(1.0, abs=0.15)


def test_a_rare_narrative_stays_at_the_fit_of_all() -> None:
    scores, none = planted(500, 1.5, -1.0)[0], np.zeros(500, int)
    few, others = none.copy(), none.copy()
    few[np.argsort(scores)[:4]] = 1  # where the score is lowest, against all sense
    others[np.argsort(scores)[-3:]] = 1
    names = ["frequent", "few", "others"]
    fitted = calibrate.decisions(
        raw(planted(500, 1.5, -1.0), (scores, few), (scores, others)), names
    )
    assert fitted["few"] == fitted["others"]
    assert fitted["few"].slope > 0
    assert fitted["few"] != fitted["frequent"]


def test_a_rare_narrative_has_thresholds_that_need_no_passages() -> None:
    fitted = rule((np.zeros(500), np.eye(1, 500, dtype=int)[0]), planted(500, 1.5, -1.0))
    assert (fitted.accept, fitted.review) == (ACCEPT_PRECISION, calibrate.LOWEST_ACCEPT)


def test_the_more_passages_the_further_from_the_fit_of_all() -> None:
    one, other = planted(60, 1.5, -2.0), planted(60, 1.5, 1.0, seed=1)
    assert one[1].sum() >= calibrate.FEWEST
    # The same passages again and again: what is shown stays the same, only its weight grows.
    intercepts = [
        rule(
            *([np.tile(part, times) for part in narrative] for narrative in (one, other))
        ).intercept
        for times in (1, 4, 20, 200)
    ]
    assert intercepts == sorted(intercepts, reverse=True)
    assert intercepts[0] - intercepts[-1] > 0.2


@pytest.mark.parametrize("seed", range(5))
def test_what_is_accepted_reaches_its_precision(seed: int) -> None:
    scores, truth = planted(3000, 1.5, -1.5, seed)
    fitted = rule((scores, truth))
    accepted = probabilities(fitted, scores) >= fitted.accept
    assert accepted.sum() > 100
    assert truth[accepted].mean() >= ACCEPT_PRECISION


def test_accept_is_no_stricter_than_its_precision_asks() -> None:
    scores, truth = planted(3000, 1.5, -1.5)
    fitted = rule((scores, truth))
    looser = probabilities(fitted, scores) >= fitted.accept - 0.1
    assert truth[looser].mean() < ACCEPT_PRECISION


@pytest.mark.parametrize("seed", range(5))
def test_review_reaches_its_recall(seed: int) -> None:
    scores, truth = planted(3000, 1.5, -1.5, seed)
    fitted = rule((scores, truth))
    seen = probabilities(fitted, scores) >= fitted.review
    assert seen[truth == 1].mean() >= REVIEW_RECALL
    assert seen.mean() < 0.9


@pytest.mark.parametrize("slope", [0.05, 0.3, 1.0, 20.0])
@pytest.mark.parametrize("intercept", [-3.0, 0.0, 3.0])
def test_review_is_never_above_accept(slope: float, intercept: float) -> None:
    fitted = rule(planted(2000, slope, intercept), planted(2000, 1.0, 0.0, seed=9))
    assert calibrate.LOWEST_REVIEW <= fitted.review <= fitted.accept <= 1
    assert fitted.accept >= calibrate.LOWEST_ACCEPT


def test_a_narrative_that_is_always_right_is_accepted_from_the_lowest_threshold_on() -> None:
    scores = np.concatenate([np.full(50, 4.0), np.full(450, -4.0)])
    fitted = rule((scores, (scores > 0).astype(int)), planted(500, 1.0, 0.0))
    assert fitted.accept == calibrate.LOWEST_ACCEPT


def test_an_accept_that_cannot_be_reached_is_its_precision_itself() -> None:
    # Half of what has the highest score is wrong.
    scores = np.repeat([2.0, -4.0], [100, 400])
    truth = np.concatenate([np.tile([0, 1], 50), np.zeros(400, int)])
    fitted = rule((scores, truth), planted(500, 1.0, 0.0))
    assert fitted.accept == ACCEPT_PRECISION


def test_alike_scores_are_accepted_together_or_not_at_all() -> None:
    # Of those in the middle 24 are right and 16 wrong; the right ones come first in the list.
    scores = np.repeat([3.0, 0.0, -3.0], [60, 40, 100])
    truth = np.concatenate([np.ones(60 + 24, int), np.zeros(16 + 100, int)])
    fitted = rule((scores, truth))
    accepted = probabilities(fitted, scores) >= fitted.accept
    assert truth[accepted].mean() >= ACCEPT_PRECISION


def test_a_dev_side_without_any_narrative_is_one_sentence() -> None:
    with pytest.raises(TrainingError, match="no passage of the dev side carries") as caught:
        rule((np.linspace(-3, 3, 300), np.zeros(300, int)))
    assert "\n" not in str(caught.value)


def test_scores_that_say_the_opposite_are_not_turned_round() -> None:
    # A narrative's slope must be positive; nothing is accepted by what is wrong so often.
    scores = np.linspace(-3, 3, 300)
    truth = (scores < 0).astype(int)
    fitted = rule((scores, truth))
    assert fitted.slope > 0
    assert not (probabilities(fitted, scores) >= fitted.accept).any()


def test_the_temperature_flattens_overconfident_stances() -> None:
    draw = np.random.default_rng(0)
    honest = draw.normal(0, 1.5, (4000, 3))
    truth = (honest + draw.gumbel(size=honest.shape)).argmax(-1)
    fitted = calibrate.stance(with_stances(4 * honest, truth), STANCES)
    assert fitted.temperature == pytest.approx(4, rel=0.1)
    fitted = calibrate.stance(with_stances(honest / 2, truth), STANCES)
    assert fitted.temperature == pytest.approx(0.5, rel=0.1)


def test_stances_of_what_is_not_carried_do_not_count() -> None:
    draw = np.random.default_rng(0)
    scores = draw.normal(0, 2, (300, 3))
    truth = (scores + draw.gumbel(size=scores.shape)).argmax(-1)
    alone = with_stances(scores, truth)
    noise = 30 * draw.normal(size=(300, 1, 3))
    beside = Raw(
        scores=np.zeros((300, 2)),
        truth=np.tile([1, 0], (300, 1)),
        stances=np.concatenate([alone.stances, noise], axis=1),
        stance_truth=np.stack([truth, np.full(300, -100)], axis=1),
    )
    assert calibrate.stance(beside, STANCES) == calibrate.stance(alone, STANCES)


def accepted_stances(fitted: StanceDecision, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    sure = softmax(scores / fitted.temperature)
    chosen = sure.argmax(-1)
    threshold = np.array([fitted.accept[name] for name in STANCES])[chosen]
    return chosen, sure.max(-1) >= threshold


@pytest.mark.parametrize("stretch", [0.25, 1, 4])
def test_every_stance_has_a_threshold_that_reaches_its_precision(stretch: float) -> None:
    draw = np.random.default_rng(1)
    scores = draw.normal(0, 3, (6000, 3))
    truth = (scores + draw.gumbel(size=scores.shape)).argmax(-1)
    # The last stance is confused far more often than the scores say.
    confused = (scores.argmax(-1) == 2) & (draw.random(6000) < 0.04)
    truth = np.where(confused, 0, truth)
    scores = scores * stretch
    fitted = calibrate.stance(with_stances(scores, truth), STANCES)
    chosen, accepted = accepted_stances(fitted, scores)
    assert list(fitted.accept) == STANCES
    for index in range(3):
        right = (truth == index)[accepted & (chosen == index)]
        assert len(right) > 200
        assert right.mean() >= STANCE_PRECISION
    assert fitted.accept["rebuts"] > fitted.accept["advances"]


def test_too_few_stances_leave_scores_as_they_are() -> None:
    fitted = calibrate.stance(with_stances(np.eye(3)[:, :3] * 9, np.array([1, 2, 0])), STANCES)
    assert fitted.temperature == 1
    assert fitted.accept == dict.fromkeys(STANCES, STANCE_PRECISION)


def test_no_stance_at_all_leaves_the_precision_as_threshold() -> None:
    nothing = with_stances(np.zeros((0, 3)), np.zeros(0, int))
    fitted = calibrate.stance(nothing, STANCES)
    assert fitted == StanceDecision(temperature=1, accept=dict.fromkeys(STANCES, STANCE_PRECISION))


def test_a_few_lucky_passages_do_not_make_a_threshold() -> None:
    def accept(count: int) -> float:
        scores = np.tile([1.0, 0.0, 0.0], (count, 1))
        return calibrate.stance(with_stances(scores, np.zeros(count, int)), STANCES).accept[
            "advances"
        ]

    # With one right and one wrong beside them, 17 of 17 are 18 of 19 and 18 of 18 are 19 of 20.
    assert accept(17) == STANCE_PRECISION
    assert accept(18) != STANCE_PRECISION


def test_a_stance_that_is_never_chosen_has_its_precision_as_threshold() -> None:
    scores = np.tile([3.0, 0.0, -9.0], (50, 1))
    fitted = calibrate.stance(with_stances(scores, np.zeros(50, int)), STANCES)
    assert fitted.accept["rebuts"] == STANCE_PRECISION
    assert fitted.accept["advances"] < 1


def codebook(stances: list[str]) -> Taxonomy:
    about = {"title": {"en": "x"}, "definition": "x"}
    return Taxonomy.model_validate(
        {
            "version": "0.1.0",
            "narratives": [{"id": "0", **about}],
            "stances": [{"id": name, **about} for name in stances],
        }
    )


ALL_FOUND = {"0": NarrativeDecision(slope=1, intercept=0, accept=0.5, review=0.5)}


def accepted_as_claims(fitted: StanceDecision, scores: np.ndarray) -> np.ndarray:
    said = softmax(scores)
    return (said.argmax(-1) == 0) & (said[:, 0] >= fitted.accept["advances"])


def test_no_more_debunks_than_allowed_are_accepted_as_claims() -> None:
    draw = np.random.default_rng(0)
    truth = np.repeat([0, 2], 500)
    scores = draw.normal(0, 1, (1000, 3)) + np.eye(3)[truth] * [2, 0, 1]
    loose = StanceDecision(temperature=1, accept=dict.fromkeys(STANCES, 0.3))
    assert accepted_as_claims(loose, scores)[truth == 2].mean() > 0.05
    fitted = calibrate.spare_debunks(
        loose, with_stances(scores, truth), ALL_FOUND, codebook(STANCES)
    )
    spared = accepted_as_claims(fitted, scores)
    assert spared[truth == 2].sum() == 500 * calibrate.DEBUNKS_AS_CLAIMS
    assert spared[truth == 0].sum() > 0
    assert fitted.accept["reports"] == fitted.accept["rebuts"] == 0.3


def test_a_threshold_that_spares_enough_debunks_stays() -> None:
    scores = np.array([[4.0, 0, 0], [0, 0, 4.0]] * 50)
    strict = StanceDecision(temperature=1, accept=dict.fromkeys(STANCES, 0.9))
    truth = np.array([0, 2] * 50)
    assert (
        calibrate.spare_debunks(strict, with_stances(scores, truth), ALL_FOUND, codebook(STANCES))
        == strict
    )


def test_a_debunk_whose_narrative_is_not_accepted_needs_no_threshold() -> None:
    scores, truth = np.array([[4.0, 0, 0]] * 100), np.full(100, 2)
    loose = StanceDecision(temperature=1, accept=dict.fromkeys(STANCES, 0.5))
    unsure = {"0": NarrativeDecision(slope=1, intercept=0, accept=0.9, review=0.5)}
    assert (
        calibrate.spare_debunks(loose, with_stances(scores, truth), unsure, codebook(STANCES))
        == loose
    )


def test_a_taxonomy_without_rebuttals_keeps_its_thresholds() -> None:
    stances = ["for", "against", "neither"]
    loose = StanceDecision(temperature=1, accept=dict.fromkeys(stances, 0.5))
    given = with_stances(np.array([[4.0, 0, 0]] * 10), np.full(10, 2))
    assert calibrate.spare_debunks(loose, given, ALL_FOUND, codebook(stances)) == loose
