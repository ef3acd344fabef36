"""The audit: a planted shortcut is seen by the signal that it belongs to, and by no other."""

import json
import random
from collections.abc import Callable

import pytest

from training.labels import shortcuts, signals
from training.labels.records import Labels, Written
from training.labels.sources import Passage
from training.taxonomy import Taxonomy


def passage(
    number: int, labels: Labels, *, text: str = "", lang: str = "en", **more: str
) -> Passage:
    draw = random.Random(number)
    words = " ".join("".join(draw.choices("abcdefghij", k=6)) for _ in range(15))
    about = {"how": "written", "id": str(number), "lang": lang, "text": f"{words} {text}"}
    decided = {"labels": labels, "annotator": "A", "register": "post", "date": "2026-01-01"}
    record = Written.model_validate({**about, **decided, **more})
    return Passage(
        key=record.key,
        text=record.text,
        lang=lang,
        labels=labels,
        source="written",
        record=record,
    )


def planted(shortcut: Callable[[bool], dict[str, str]]) -> list[Passage]:
    made = []
    for number in range(80):
        carries = number % 2 == 0
        labels = {"blue-boats": "for" if number % 4 else "against"} if carries else {}
        made.append(passage(number, labels, **shortcut(carries)))
    return made


@pytest.mark.parametrize(
    ("signal", "shortcut"),
    [
        (
            "length, punctuation, digits, quotes",
            lambda carries: {"text": "!!!" if carries else "."},
        ),
        ("language", lambda carries: {"lang": "ru" if carries else "en"}),
        ("origin, source, register", lambda carries: {"register": "a" if carries else "b"}),
        ("annotator", lambda carries: {"annotator": "A" if carries else "B"}),
        ("single words", lambda carries: {"text": "fake" if carries else "true"}),
        ("names", lambda carries: {"text": "Ruritania" if carries else "Freedonia"}),
    ],
)
def test_a_planted_shortcut_is_seen(
    signal: str, shortcut: Callable[[bool], dict[str, str]], made_up: Taxonomy
) -> None:
    found = shortcuts.audit(planted(shortcut), made_up)
    assert found["signals"][signal]["auc_of_any_narrative"] > 0.95
    assert found["signals"][signal]["auc_by_narrative"]["blue-boats"] > 0.95
    assert found["signals"][signal]["auc_by_narrative"]["red-tractors"] is None


def test_where_nothing_gives_it_away_the_signals_know_nothing(made_up: Taxonomy) -> None:
    found = shortcuts.audit(planted(lambda carries: {}), made_up)
    for name in ("language", "origin, source, register", "annotator"):
        assert found["signals"][name]["auc_of_any_narrative"] == pytest.approx(0.5, abs=0.1)
    assert found["signals"]["names"]["auc_of_any_narrative"] is None


def test_the_words_that_tell_are_named_and_the_report_is_written(made_up: Taxonomy) -> None:
    found = shortcuts.audit(
        planted(lambda carries: {"text": "fake" if carries else "true"}), made_up
    )
    words = found["signals"]["single words"]["words_of_narratives"]["blue-boats"]
    assert words[0] == "fake"
    assert "true" not in words
    report = shortcuts.markdown(json.loads(json.dumps(found, allow_nan=False)))
    assert "- `blue-boats`: fake" in report
    assert "| `red-tractors` | - |" in report


def test_names_are_words_that_are_capitalised_inside_sentences() -> None:
    texts = [". Today Ruritania and NATO met. Boats sailed with Boats and boats."] * 12
    passages = [passage(number, {}, text=text) for number, text in enumerate(texts)]
    german = [passage(n, {}, text="und die Boote", lang="de") for n in range(20, 40)]
    assert signals.names(passages + german)[1] == ["nato", "ruritania"]
