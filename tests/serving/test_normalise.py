"""Normalising: what hides words is undone, and every offset leads back into the text as given."""

import os
import random
import subprocess
import sys
import unicodedata

import pytest

from serving.normalise import INVISIBLE, MARKS, Normalised, normalise

HIDDEN = {
    "soft hyphen": "\u00ad",
    "grapheme joiner": "\u034f",
    "arabic letter mark": "\u061c",
    "hangul filler": "\u3164",
    "half-width hangul filler": "\uffa0",
    "zero-width space": "\u200b",
    "zero-width non-joiner": "\u200c",
    "zero-width joiner": "\u200d",
    "right-to-left mark": "\u200f",
    "embedding": "\u202a",
    "override": "\u202e",
    "word joiner": "\u2060",
    "isolate": "\u2066",
    "variation selector": "\ufe0f",
    "byte order mark": "\ufeff",
    "annotation anchor": "\ufff9",
    "musical begin beam": "\U0001d173",
    "tag letter": "\U000e0041",
    "variation selector supplement": "\U000e0100",
}
HIDDEN_CASES = pytest.mark.parametrize("hidden", HIDDEN.values(), ids=list(HIDDEN))

MIXED_ALPHABET = [
    *"ab1 .\n",
    *"жйёщ",
    *"ﬁﬃ½…①Ａ㍿ﷺ",
    *HIDDEN.values(),
    *["\u0301", "\u0306", "\u0323", "\u0308", "\u20dd", "\u093c"],
    *["\u1112", "\u1161", "\u11ab", "한", "ㄱ", "ｶ"],
    *["😀", "🇺", "🇦", "𝔎", "\U0001f468", "\u1f71", "\u212b", "\u0344"],
    "\u0301" * (MARKS + 3),
]


def parts(found: Normalised) -> tuple[str, list[int] | None]:
    return found.text, None if found.origins is None else list(found.origins)


def _random_text(seed: int) -> str:
    chance = random.Random(seed)
    return "".join(chance.choices(MIXED_ALPHABET, k=chance.randrange(1, 60)))


@pytest.mark.parametrize("text", ["", "plain", "a\tb\nc", "Россия", "Україна", "Қазақстан", "é"])
def test_normal_text_is_left_as_it_is_and_keeps_its_offsets(text: str) -> None:
    assert parts(normalise(text)) == (text, None)
    assert normalise(text).original(0, len(text)) == (0, len(text))


@pytest.mark.parametrize(
    ("given", "text", "origins"),
    [
        ("ﬁn", "fin", [0, 0, 1, 2]),
        ("a½b", "a1⁄2b", [0, 1, 1, 1, 2, 3]),
        ("ＲＴ", "RT", [0, 1, 2]),
        ("１\u3000２", "1 2", [0, 1, 2, 3]),
        ("Да…", "Да...", [0, 1, 2, 2, 2, 3]),
        ("①𝐚㍿", "1a株式会社", [0, 1, 2, 2, 2, 2, 3]),
        ("№5", "No5", [0, 0, 1, 2]),
    ],
)
def test_compatibility_forms_are_written_out_and_point_to_where_they_stood(
    given: str, text: str, origins: list[int]
) -> None:
    assert parts(normalise(given)) == (text, origins)


def test_a_character_that_was_written_out_is_never_cut_in_two() -> None:
    half = normalise("a½b")
    assert [half.original(begin, begin + 1) for begin in range(5)] == [
        (0, 1),
        (1, 2),
        (1, 2),
        (1, 2),
        (2, 3),
    ]
    assert half.original(0, 2) == (0, 2)
    assert half.original(3, 5) == (1, 3)


@HIDDEN_CASES
def test_an_invisible_character_at_the_beginning_is_removed_and_left_out_of_offsets(
    hidden: str,
) -> None:
    found = normalise(f"{hidden}Рим")
    assert parts(found) == ("Рим", [1, 2, 3, 4])
    assert found.original(0, 3) == (1, 4)


@HIDDEN_CASES
def test_an_invisible_character_in_the_middle_is_removed_and_offsets_step_over_it(
    hidden: str,
) -> None:
    found = normalise(f"Ри{hidden}м")
    assert parts(found) == ("Рим", [0, 1, 3, 4])
    assert found.original(2, 3) == (3, 4)
    assert found.original(0, 3) == (0, 4)


@HIDDEN_CASES
def test_an_invisible_character_at_the_end_is_removed_and_offsets_stay_in_range(
    hidden: str,
) -> None:
    found = normalise(f"Рим{hidden}")
    assert parts(found) == ("Рим", [0, 1, 2, 4])
    begin, end = found.original(0, 3)
    assert begin == 0
    assert end in (3, 4)


@HIDDEN_CASES
def test_ascii_words_are_found_again_behind_invisible_characters(hidden: str) -> None:
    assert normalise(hidden.join(" propaganda ")).text == " propaganda "


@pytest.mark.parametrize("text", [*HIDDEN.values(), "\u200b" * 1000, "".join(HIDDEN.values())])
def test_a_text_of_only_invisible_characters_becomes_empty_with_offsets_in_range(text: str) -> None:
    found = normalise(text)
    assert parts(found) == ("", [len(text)])
    begin, end = found.original(0, 0)
    assert 0 <= begin <= end <= len(text)


@pytest.mark.parametrize(
    ("given", "text", "origins"),
    [
        ("cafe\u0301!", "café!", [0, 1, 2, 3, 5, 6]),
        ("и\u0306", "й", [0, 2]),
        ("a\u0323\u0302", "ậ", [0, 3]),
        ("a\u0302\u0323", "ậ", [0, 3]),
        ("e\u200b\u0301x", "éx", [0, 3, 4]),
        ("\u200be\u0301\u200b", "é", [1, 4]),
        ("\u212b", "Å", [0, 1]),
    ],
)
def test_letters_are_composed_with_their_marks_and_stand_for_all_of_them(
    given: str, text: str, origins: list[int]
) -> None:
    assert parts(normalise(given)) == (text, origins)


@pytest.mark.parametrize(
    ("given", "text", "origins"),
    [
        ("\u1112\u1161\u11ab", "한", [0, 3]),
        ("\u1112\u1161\u11ab\u1100\u1173\u11af", "한글", [0, 3, 6]),
        ("\u1100\u1161x", "가x", [0, 2, 3]),
        ("\u1112\u200b\u1161\u11ab", "한", [0, 4]),
        ("a\u1112\u1161", "a하", [0, 1, 3]),
    ],
)
def test_hangul_jamo_are_composed_to_syllables(given: str, text: str, origins: list[int]) -> None:
    assert parts(normalise(given)) == (text, origins)


@pytest.mark.parametrize(
    "given",
    ["ｶﾞ", "ﾊﾟﾘ", "\uffa1\uffc2", "ㄱㅏ", "\u0b95\u0bc6\u0bbe", "\u0995\u09c7\u09be", "\u1025\u102e"],
    ids=[
        "half-width voiced kana",
        "half-width semi-voiced kana",
        "half-width jamo",
        "compatibility jamo",
        "tamil vowel sign",
        "bengali vowel sign",
        "myanmar vowel sign",
    ],
)
def test_characters_that_compose_without_being_marks_are_composed_too(given: str) -> None:
    found = normalise(given)
    assert found.text == unicodedata.normalize("NFKC", given)
    assert found.original(0, len(found.text)) == (0, len(given))


def test_a_hundred_thousand_marks_leave_a_few_and_cover_the_whole_original() -> None:
    found = normalise("a" + "\u0301" * 100_000 + "b")
    assert found.text == "á" + "\u0301" * (MARKS - 1) + "b"
    assert parts(found)[1] == [0] * MARKS + [100_001, 100_002]


def test_a_hundred_thousand_marks_out_of_order_are_not_sorted() -> None:
    # Sorting a run of marks costs the square of its length.
    found = normalise("ж" + "\u0301\u0323" * 50_000)
    assert found.text == "ж" + "\u0323" * (MARKS // 2) + "\u0301" * (MARKS // 2)
    assert parts(found)[1] == [0] * (MARKS + 1) + [100_001]


def test_a_hundred_thousand_marks_among_invisible_characters_are_bounded_too() -> None:
    found = normalise("ж" + "\u0301\u200b\u0323" * 50_000)
    assert len(found.text) == 1 + MARKS
    assert found.original(0, len(found.text)) == (0, 150_001)


def test_marks_before_any_letter_are_kept_within_the_bound() -> None:
    found = normalise("\u0301" * 50 + "a")
    assert found.text.endswith("a")
    assert 1 <= len(found.text) - 1 <= MARKS + 1
    assert found.original(len(found.text) - 1, len(found.text)) == (50, 51)


def test_as_many_marks_as_a_language_uses_are_kept() -> None:
    text = "x" + "\u0323" * (MARKS // 2) + "\u0301" * (MARKS // 2)
    assert parts(normalise(text)) == (text, None)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("Pocсия", "Россия"),
        ("Рoccия", "Россия"),
        ("Укpaїна", "Україна"),
        ("Украïна", "Україна"),
        ("Қaзaқстан", "Қазақстан"),
        ("жиhаз", "жиһаз"),
        ("Ukrаine", "Ukraine"),
        ("propаgandа", "propaganda"),
        ("Pωσία", "Ρωσία"),
        ("Рaсе", "Расе"),
        ("CОPE", "COPE"),
        ("Евpoпа и CNN", "Европа и CNN"),
        ("Pocсия, COCA, Россия", "Россия, COCA, Россия"),
        ("Ро\u200bccия", "Россия"),
    ],
)
def test_look_alikes_inside_a_word_of_two_scripts_are_folded(given: str, text: str) -> None:
    assert normalise(given).text == text


@pytest.mark.parametrize(
    "text",
    [
        "COVIDом",
        "IT-компания",
        "Путин и Coca Cola",
        "НАТО",
        "сор",
        "Ελλάδα",
        "Россия USA Ελλάδα",
        "iPhoneы",
        "ТВ CCTV",
    ],
)
def test_words_of_one_script_and_words_with_a_letter_without_twin_are_untouched(text: str) -> None:
    assert parts(normalise(text)) == (text, None)


def test_the_letter_apostrophe_of_ukrainian_does_not_protect_look_alikes() -> None:
    assert normalise("oб\u02bcєкт").text == "об\u02bcєкт"


def test_folding_changes_no_offset() -> None:
    assert normalise("Pocсия").origins is None
    assert parts(normalise("ﬁ Pocсия")) == ("fi Россия", [0, 0, *range(1, 9)])


@pytest.mark.parametrize("word", ["Hа", "Tо", "Mы Hе", "Cа Oс"])
def test_a_word_half_of_either_script_is_folded_alike_in_every_process(word: str) -> None:
    # «На» with a Latin H: both letters have a twin, and neither script is the word's more than
    # the other. The order of a set of strings differs from process to process.
    command = [sys.executable, "-c", _PRINT_NORMALISED, word]
    found = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in range(6)
    }
    assert len(found) == 1


_PRINT_NORMALISED = """
import sys
from serving.normalise import normalise
print(ascii(normalise(sys.argv[1]).text))
"""


@pytest.mark.parametrize("letter", ["a", "я", "α"])
def test_a_word_of_a_hundred_thousand_letters_is_read_in_linear_time(letter: str) -> None:
    # The child may use a processor for 10 seconds, some fifty times of what it needs.
    command = [sys.executable, "-c", _NORMALISE_ONE_LONG_WORD, letter]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["100000", "True"]


_NORMALISE_ONE_LONG_WORD = """
import resource, sys
from serving.normalise import normalise
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
text = "中" + sys.argv[1] * 99_999
found = normalise(text)
print(len(found.text), found.text == text)
"""


@pytest.mark.parametrize("seed", range(200))
def test_offsets_are_monotone_and_within_the_text(seed: int) -> None:
    text = _random_text(seed)
    found = normalise(text)
    size = len(found.text)
    origins = parts(found)[1]
    if origins is None:
        assert found.text == text
    else:
        assert len(origins) == size + 1
        assert origins == sorted(origins)
        assert origins[-1] == len(text)
    spans = [found.original(at, at + 1) for at in range(size)]
    assert spans == sorted(spans)
    for begin, end in spans:
        assert 0 <= begin < end <= len(text)
    chance = random.Random(seed)
    for _ in range(20):
        first, last = sorted(chance.choices(range(size + 1), k=2))
        begin, end = found.original(first, last)
        assert 0 <= begin <= end <= len(text)
        if first < last:
            assert begin < end


@pytest.mark.parametrize("seed", range(200))
def test_no_visible_letter_is_lost_between_neighbouring_spans(seed: int) -> None:
    text = _random_text(seed)
    found = normalise(text)
    size = len(found.text)
    cut = random.Random(seed).randrange(size + 1)
    (begin, middle), (again, end) = found.original(0, cut), found.original(cut, size)
    covered = set(range(begin, middle)) | set(range(again, end))
    for at in set(range(len(text))) - covered:
        assert INVISIBLE.match(text[at])


@pytest.mark.parametrize("seed", range(200))
def test_nothing_invisible_is_left_and_no_more_marks_than_allowed(seed: int) -> None:
    text = normalise(_random_text(seed)).text
    assert not INVISIBLE.search(text)
    run = 0
    for char in text:
        run = run + 1 if unicodedata.combining(char) else 0
        assert run <= 2 * (MARKS + 1)  # one mark may be written out as two
