"""The language: told offline, with a probability, and `und` where nothing tells it."""

import socket

import pytest

from serving.language import ENOUGH, SURE, UNDETERMINED, Language, LanguageDetector

TEXTS = {
    "en": "The minister said on Monday that the government would not change its foreign policy.",
    "ru": "Министр заявил в понедельник, что правительство не станет менять внешнюю политику.",
    "uk": "Міністр заявив у понеділок, що уряд не змінюватиме своєї зовнішньої політики.",
    "kk": "Министр дүйсенбіде үкімет сыртқы саясатын өзгертпейді деп мәлімдеді.",
    "de": "Der Minister sagte am Montag, die Regierung werde ihre Außenpolitik nicht ändern.",
    "el": "Ο υπουργός δήλωσε τη Δευτέρα ότι η κυβέρνηση δεν θα αλλάξει πολιτική.",
    "ar": "قال الوزير يوم الاثنين إن الحكومة لن تغير سياستها الخارجية.",
}


@pytest.fixture(scope="module")
def detector() -> LanguageDetector:
    return LanguageDetector()


@pytest.mark.parametrize(("code", "text"), TEXTS.items())
def test_a_sentence_is_told_and_told_surely(
    detector: LanguageDetector, code: str, text: str
) -> None:
    found = detector.detect(text)
    assert found.code == code
    assert found.sure


@pytest.mark.parametrize("text", ["", " \n", "12345", "... 1917 — 2022!", "😀😀", "\u200b", "½ €"])
def test_without_a_letter_the_language_is_undetermined_and_unsure(
    detector: LanguageDetector, text: str
) -> None:
    found = detector.detect(text)
    assert found == Language(UNDETERMINED, 0.0)
    assert not found.sure


@pytest.mark.parametrize("text", ["a", "я", "OK", "x" * 50_000, "ы" * 50_000, "中", "а b ω"])
def test_the_probability_is_one_whatever_the_text(detector: LanguageDetector, text: str) -> None:
    found = detector.detect(text)
    assert len(found.code) in (2, 3)
    assert 0 <= found.probability <= 1


def test_only_the_beginning_is_read(detector: LanguageDetector) -> None:
    head = (TEXTS["uk"] + " ") * (ENOUGH // len(TEXTS["uk"]) + 1)
    assert detector.detect(head + TEXTS["en"] * 500) == detector.detect(head[:ENOUGH])
    assert detector.detect(" " * ENOUGH + TEXTS["en"]).code == UNDETERMINED


def test_a_probability_at_the_bound_is_sure_and_below_it_is_not() -> None:
    assert Language("en", SURE).sure
    assert not Language("en", SURE - 1e-9).sure


def test_two_detectors_agree(detector: LanguageDetector) -> None:
    other = LanguageDetector()
    assert [other.detect(text) for text in TEXTS.values()] == [
        detector.detect(text) for text in TEXTS.values()
    ]


def test_no_connection_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    assert LanguageDetector().detect(TEXTS["ru"]).code == "ru"
