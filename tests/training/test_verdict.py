"""What a candidate must be to replace the released model."""

import pytest

from tests.training.evaluation.toys import Said, measured, passage, taxonomy
from training.evaluation.measured import Measured
from training.labels.sources import Passage
from training.verdict import SUPPORT, judge

RIGHT: Said = {"red": (0.9, "advances", 0.9)}
RIGHT_BLUE: Said = {"blue": (0.9, "advances", 0.9)}


def passages(lang: str = "en", narrative: str = "red", count: int = 60) -> list[Passage]:
    return [
        passage({narrative: "advances"}, f"{lang} {narrative} {n}", lang=lang) for n in range(count)
    ]


def model(name: str, texts: list[Passage], said: list[Said]) -> Measured:
    one = measured(texts, said)
    object.__setattr__(one.system, "name", name)
    return one


def verdict(texts: list[Passage], old: list[Said], new: list[Said], margin: float = 0.05) -> list:
    return judge(
        model("new-2", texts, new), model("old-1", texts, old), taxonomy(), margin
    ).refusals


def part(count: int, right: int, said: Said = RIGHT) -> list[Said]:
    return [said if n < right else {} for n in range(count)]


def test_a_model_that_is_better_everywhere_passes() -> None:
    texts = passages()
    assert verdict(texts, part(60, 30), part(60, 50)) == []


def test_the_same_model_is_not_better() -> None:
    texts = passages()
    [refusal] = verdict(texts, part(60, 50), part(60, 50))
    assert "not better" in refusal


def test_a_gain_that_chance_explains_is_none() -> None:
    texts = passages()
    [refusal] = verdict(texts, part(60, 50), part(60, 51))
    assert "not better" in refusal


def test_a_language_that_falls_is_refused_however_good_the_rest() -> None:
    texts = passages(count=200) + passages("ka")
    old = part(200, 100) + part(60, 50)
    new = part(200, 190) + part(60, 40)
    [refusal] = verdict(texts, old, new)
    assert "macro F1, ka falls by" in refusal
    assert verdict(texts, old, new, margin=0.2) == []


def test_a_language_with_little_support_is_not_judged() -> None:
    few = SUPPORT - 1
    texts = passages(count=200) + passages("ka", count=few)
    assert verdict(texts, part(200, 100) + part(few, 20), part(200, 190) + part(few, 10)) == []


def test_a_narrative_that_falls_is_refused() -> None:
    texts = passages(count=200) + passages(narrative="blue")
    old = part(200, 80) + part(60, 50, RIGHT_BLUE)
    new = part(200, 195) + part(60, 40, RIGHT_BLUE)
    assert any("F1, blue falls by" in refusal for refusal in verdict(texts, old, new))


def test_debunks_taken_for_claims_are_refused() -> None:
    debunks = [passage({"red": "rebuts"}, f"debunk {n}") for n in range(20)]
    texts = passages(count=200) + debunks
    fine: list[Said] = [{"red": (0.9, "rebuts", 0.9)}] * 20
    old, new = part(200, 100) + fine, part(200, 190) + fine[1:] + [RIGHT]
    [refusal] = verdict(texts, old, new)
    assert refusal == "debunks accepted as claims rise from 0.0% to 5.0%"


def test_false_alarms_in_neutral_text_are_refused() -> None:
    neutral = [passage({}, f"neutral {n}") for n in range(20)]
    texts = passages(count=200) + neutral
    refusals = verdict(texts, part(200, 100) + [{}] * 20, part(200, 190) + [{}] * 19 + [RIGHT])
    assert refusals == ["neutral passages with an accepted finding rise from 0.0% to 5.0%"]


def test_the_table_shows_both_models_and_every_part() -> None:
    texts = passages(count=40) + passages("ka", "blue", 40)
    said = part(40, 20) + part(40, 20, RIGHT_BLUE)
    shown = judge(model("new-2", texts, said), model("old-1", texts, said), taxonomy()).as_table()
    for expected in ("old-1 | new-2", "macro F1, all", "macro F1, ka", "F1, red", "F1, blue"):
        assert expected in shown


@pytest.mark.parametrize("swap", [False, True])
def test_the_difference_is_new_minus_old(swap: bool) -> None:
    texts = passages()
    models = model("a", texts, part(60, 60)), model("b", texts, part(60, 30))
    better, worse = models if not swap else models[::-1]
    difference = judge(better, worse, taxonomy()).rows[0].difference
    assert (difference.value > 0) is not swap
