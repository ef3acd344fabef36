"""Passages: whole sentences, nothing lost, never more than the model reads."""

import random
import re
from collections.abc import Sequence

import pytest

from serving import passages as under_test
from serving.passages import SENTENCES, STANDS_ALONE, WINDOW, Span, split

PLENTY = 10_000
RUSSIAN = [
    "Первое предложение кончается здесь.",
    "Второе предложение начинается после него.",
    "Третье предложение стоит за вторым.",
    "Четвёртое предложение стоит последним.",
]
ALPHABET = [
    *"abcDEFабвГДЕё  \n\n..!?…。«»\"'()—-",
    *["\r\n", "\u00a0", "\u2028", "\x0b", "\x85", "\x1c", "\t", "\u3000", "\u200b"],
    *["😀", "🇺🇦", "𝕏", "👩‍💻", "e\u0301"],
    *["Dr. ", "т.е. ", "и т. д. ", "1.5", "3) ", "https://a.b/c?d=e", "...", "?!"],
    *["हिन्दी। ", "مرحبا؟ ", "中文。", "ქართული. ", "Հայերեն։ "],
]


def count(texts: Sequence[str]) -> list[int]:
    """Count a token for every four letters of a word, or part of four."""
    return [sum(-(-len(word) // 4) for word in text.split()) for text in texts]


def passages(text: str, language: str = "en", limit: int = PLENTY) -> list[str]:
    spans = split(text, language, count=count, limit=limit)
    return [text[span.begin : span.end] for span in spans]


def assert_nothing_is_lost(text: str, spans: Sequence[Span]) -> None:
    at = 0
    for span in spans:
        assert at <= span.begin < span.end <= len(text)
        assert not text[at : span.begin].strip()
        body = text[span.begin : span.end]
        assert body == body.strip()
        at = span.end
    assert not text[at:].strip()


@pytest.mark.parametrize(
    "text", ["", " ", "\n", "\n\n\n", " \t\r\n", "\u3000\u00a0\u2028", "\n" * 9999]
)
def test_white_space_has_no_passage(text: str) -> None:
    assert split(text, "en", count=count, limit=PLENTY) == []


def test_a_short_text_is_one_passage_without_the_white_space_around_it() -> None:
    text = "\n\n  One is here. Two is there.  \n"
    assert passages(text) == ["One is here. Two is there."]
    assert passages(text, limit=8) == ["One is here. Two is there."]


def test_a_sentence_is_never_parted_while_it_fits() -> None:
    limit = max(count(RUSSIAN))
    assert passages(" ".join(RUSSIAN), "ru", limit) == RUSSIAN


@pytest.mark.parametrize("astral", ["😀", "🇺🇦", "𝕏", "👩‍💻", "e\u0301", "日本"])
def test_spans_are_code_points_also_behind_astral_characters(astral: str) -> None:
    sentences = [f"{astral * 3} {RUSSIAN[0]}", *(f"На {astral} {one}" for one in RUSSIAN[1:])]
    text = " ".join(sentences)
    assert passages(text, "ru", max(count(sentences))) == sentences


def test_the_same_sentence_twice_is_two_spans() -> None:
    text = "Yes, they did it. Yes, they did it. Yes, they did it."
    spans = split(text, "en", count=count, limit=4)
    assert [span.begin for span in spans] == [0, 18, 36]


def test_abbreviations_of_the_language_end_no_sentence() -> None:
    sentences = ["Dr. Smith met Mr. Jones in the city.", "They spoke of nothing at all there."]
    assert passages(" ".join(sentences), "en", max(count(sentences))) == sentences


@pytest.mark.parametrize("number", [SENTENCES, SENTENCES + 1, 30, 31])
def test_a_passage_has_at_most_five_sentences(number: int) -> None:
    found = passages(
        " ".join(f"Sentence number {n} says something at last." for n in range(number))
    )
    sizes = [len(re.findall(r"Sentence number \d+ says .+?\.", passage)) for passage in found]
    assert sum(sizes) == number
    assert max(sizes) == SENTENCES
    assert len(sizes) == -(-number // SENTENCES)


def test_a_passage_of_just_the_limit_is_whole_and_of_one_more_is_not() -> None:
    text = " ".join(RUSSIAN)
    tokens = sum(count(RUSSIAN))
    assert passages(text, "ru", tokens) == [text]
    assert passages(text, "ru", tokens - 1) == [" ".join(RUSSIAN[:3]), RUSSIAN[3]]


def test_a_sentence_that_is_too_long_is_cut_between_words() -> None:
    text = " ".join(f"word{n}" for n in range(400)) + "."
    spans = split(text, "en", count=count, limit=50)
    assert_nothing_is_lost(text, spans)
    assert len(spans) > 1
    for span in spans:
        assert max(count([text[span.begin : span.end]])) <= 50
        assert span.begin == 0 or text[span.begin - 1] == " "
        assert span.end == len(text) or text[span.end] == " "


@pytest.mark.parametrize("letter", ["a", "я", "中", "😀", "."])
def test_a_word_of_fifty_thousand_characters_is_cut_to_the_limit_without_loss(letter: str) -> None:
    text = letter * 50_000
    spans = split(text, "en", count=count, limit=100)
    assert "".join(text[span.begin : span.end] for span in spans) == text
    assert_nothing_is_lost(text, spans)
    assert max(count([text[span.begin : span.end] for span in spans])) <= 100


def test_a_paragraph_of_any_length_is_cut_where_its_sentences_end() -> None:
    text = " ".join(RUSSIAN * 200)
    assert len(text) > 5 * WINDOW
    assert passages(text, "ru", limit=16) == RUSSIAN * 200


@pytest.mark.parametrize(
    "unit", ['"“。', "«", "?[", "…", "a. ", "a. " + "«" * 3000, "a. " + "«" * 10_000, "🇺🇦!»"]
)
def test_the_splitter_never_sees_so_much_at_once_that_it_takes_minutes(
    unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its work is the square of what it sees, and nothing else of the service runs meanwhile.
    seen: list[int] = []
    whole = under_test.sentencex.get_sentence_boundaries

    def watched(language: str, text: str) -> object:
        seen.append(len(text))
        return whole(language, text)

    monkeypatch.setattr(under_test.sentencex, "get_sentence_boundaries", watched)
    text = (unit * 50_000)[:50_000]
    spans = split(text, "en", count=lambda texts: [1 for _ in texts], limit=PLENTY)
    assert_nothing_is_lost(text, spans)
    assert max(seen) <= WINDOW
    assert sum(seen) <= 3 * len(text)


def test_words_around_a_huge_one_stay_whole() -> None:
    text = f"before {'x' * 5000} after"
    found = passages(text, limit=30)
    assert found[0] == "before" or found[0].startswith("before x")
    assert found[-1] == "after" or found[-1].endswith("x after")


def test_a_limit_of_one_token_still_ends_and_loses_nothing() -> None:
    text = "Some longer words, 😀 and more."
    spans = split(text, "en", count=count, limit=1)
    assert_nothing_is_lost(text, spans)
    assert count([text[span.begin : span.end] for span in spans]) == [1] * len(spans)


def test_a_headline_joins_its_text() -> None:
    text = "A headline without a full stop\n\nThe text follows. It has two sentences."
    assert passages(text) == [text]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n\n", " \n\t"])
def test_short_lines_are_joined_until_they_can_stand_alone(end: str) -> None:
    lines = [f"line number {n}" for n in range(30)]
    assert count(lines)[0] == 4
    found = passages(end.join(lines))
    assert [passage.count("line") for passage in found] == [12, 12, 6]


def test_sentences_that_are_almost_nothing_are_joined_until_they_can_stand_alone() -> None:
    text = " ".join(["Нет."] * (2 * STANDS_ALONE + 3))
    found = passages(text, "ru")
    assert [passage.count("Нет.") for passage in found] == [STANDS_ALONE, STANDS_ALONE, 3]


def test_sentences_that_are_almost_nothing_still_keep_the_limit() -> None:
    found = passages(" ".join(["Нет."] * 30), "ru", 20)
    assert [passage.count("Нет.") for passage in found] == [20, 10]


def test_a_paragraph_that_can_stand_alone_ends_its_passage() -> None:
    paragraph = " ".join(["word"] * STANDS_ALONE) + "."
    text = f"{paragraph}\n\n{paragraph}\n{paragraph}"
    assert passages(text, limit=192) == [paragraph] * 3


def test_a_paragraph_just_too_short_to_stand_alone_goes_on() -> None:
    paragraph = " ".join(["word"] * (STANDS_ALONE - 1))
    text = f"{paragraph}\n\nIt goes on here. {'It is long enough now. ' * 2}"
    assert count([paragraph]) == [STANDS_ALONE - 1]
    assert passages(text, limit=192) == [text.strip()]


def test_two_sentences_of_one_paragraph_are_not_parted_for_its_length() -> None:
    sentence = " ".join(["word"] * STANDS_ALONE) + "."
    text = f"{sentence} W{sentence[1:]}"
    assert passages(text, limit=192) == [text]


def test_many_newlines_lose_nothing() -> None:
    text = "\n" * 5000 + "first line\n" * 1000 + "\n" * 5000 + "last line" + "\n" * 5000
    spans = split(text, "en", count=count, limit=100)
    assert_nothing_is_lost(text, spans)
    assert text[spans[-1].begin : spans[-1].end].endswith("last line")


@pytest.mark.parametrize("space", ["\u2028", "\u2029", "\x85", "\u1680", "\u3000", "\u00a0"])
def test_a_capital_and_white_space_of_several_bytes_before_a_full_stop_do_no_harm(
    space: str,
) -> None:
    # The sentence splitter panics there, with an error that is no Exception.
    for language in ("en", "ru", "uk", "kk", "und"):
        for letter in "ABCDEFGQXZАБЖ":
            text = f"План {letter}{space}. It failed."
            assert_nothing_is_lost(text, split(text, language, count=count, limit=PLENTY))


@pytest.mark.parametrize("language", ["und", "xx", "", "zz-ZZ", "English", "ру"])
def test_an_unknown_language_is_split_like_english(language: str) -> None:
    sentences = [f"Sentence number {n} was said by Dr. Smith." for n in range(30)]
    text = " ".join(sentences)
    limit = max(count(sentences))
    assert passages(text, language, limit) == passages(text, "en", limit) == sentences


@pytest.mark.parametrize(
    "language",
    [
        "en",
        "ru",
        "uk",
        "kk",
        "de",
        "fr",
        "el",
        "ka",
        "hy",
        "ar",
        "fa",
        "hi",
        "zh",
        "ja",
        "my",
        "und",
    ],
)
@pytest.mark.parametrize("limit", [5, 40, PLENTY])
def test_whatever_the_text_nothing_is_lost_and_no_passage_is_too_long(
    language: str, limit: int
) -> None:
    for seed in range(60):
        chance = random.Random(f"{language}-{limit}-{seed}")
        text = "".join(chance.choices(ALPHABET, k=chance.randrange(1, 200)))
        spans = split(text, language, count=count, limit=limit)
        assert_nothing_is_lost(text, spans)
        assert all(n <= limit for n in count([text[s.begin : s.end] for s in spans])), ascii(text)
