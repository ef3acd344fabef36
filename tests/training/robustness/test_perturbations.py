"""Each perturbation does what its name says, to nothing else, and the same each time."""

import random
import unicodedata

import pytest

from serving.normalise import INVISIBLE, normalise
from training.robustness.perturbations import PERTURBATIONS, perturb

ENGLISH = (
    "Protesters in Kyiv weren't paid by Russia's embassies. \"Georgia is next,\" the Russian "
    "channel said. Moscow denies it!"
)
RUSSIAN = (
    "Москва требует от Украины уступок, сообщил «Интерфакс». В Киеве это отвергли. "
    "Российские СМИ молчат о Вашингтоне."
)
UKRAINIAN = "Росія вимагає від України поступок — п'ять областей. У Києві відмовили."
KAZAKH = "Ресей Қазақстанға қысым көрсетіп отыр, деді сарапшы. Украинаның жауабы белгісіз."
TEXTS = [ENGLISH, RUSSIAN, UKRAINIAN, KAZAKH]
ODD = ["", " ", "\n", "a", "я", "?!", "«»", "12", "🔥", "e\u0301", "\u200b", "ab" * 5000]


def done(name: str, text: str, seed: int = 0) -> str:
    return perturb(name, [text], seed)[0]


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_text_is_changed_the_same_way_each_time_and_by_the_seed_alone(name: str) -> None:
    assert perturb(name, TEXTS) == perturb(name, TEXTS)
    assert perturb(name, TEXTS)[1:] == perturb(name, TEXTS[1:])
    assert perturb(name, TEXTS) != TEXTS


@pytest.mark.parametrize("name", PERTURBATIONS)
@pytest.mark.parametrize("text", ODD, ids=[repr(text)[:10] for text in ODD])
def test_no_text_is_too_odd(name: str, text: str) -> None:
    changed = PERTURBATIONS[name](text, random.Random(1))
    assert changed.strip() or not any(char.isalnum() for char in text)


@pytest.mark.parametrize("name", ["typos", "look-alike letters", "emoji", "hashtags", "by-line"])
def test_another_seed_makes_another_text(name: str) -> None:
    assert perturb(name, TEXTS, seed=1) != perturb(name, TEXTS, seed=2)


def test_an_unknown_name_is_an_error() -> None:
    with pytest.raises(KeyError):
        perturb("earthquake", [ENGLISH])


def test_case_is_all_that_changes() -> None:
    assert done("lower case", RUSSIAN) == RUSSIAN.lower()
    assert done("upper case", UKRAINIAN) == UKRAINIAN.upper()


def test_marks_go_and_those_inside_words_stay() -> None:
    bare = done("punctuation removed", ENGLISH)
    assert "weren't" in bare
    assert not {char for char in bare if unicodedata.category(char)[0] == "P"} - {"'"}
    assert "п'ять" in done("punctuation removed", UKRAINIAN)


def test_quotation_marks_go_and_apostrophes_stay() -> None:
    assert done("quotation marks removed", RUSSIAN) == RUSSIAN.replace("«", "").replace("»", "")
    assert done("quotation marks removed", ENGLISH) == ENGLISH.replace('"', "")
    assert done("quotation marks removed", "‘No’, she said.") == "No, she said."


def test_typos_keep_the_number_of_words_and_their_first_letters() -> None:
    before, after = ENGLISH.split(), done("typos", ENGLISH, seed=4).split()
    assert len(before) == len(after)
    assert [word[0] for word in before] == [word[0] for word in after]
    assert 0 < sum(one != other for one, other in zip(before, after, strict=True)) <= 6


def test_look_alikes_keep_the_length_and_mix_the_scripts() -> None:
    changed = done("look-alike letters", RUSSIAN)
    assert len(changed) == len(RUSSIAN)
    assert any("a" <= char <= "z" for char in changed)


def test_characters_without_width_are_all_that_is_added() -> None:
    changed = done("zero-width characters", KAZAKH)
    assert len(changed) > len(KAZAKH)
    assert INVISIBLE.sub("", changed) == KAZAKH
    assert normalise(changed).text == normalise(KAZAKH).text


def test_no_cyrillic_is_left_after_transliteration_and_latin_stays() -> None:
    for text in (RUSSIAN, UKRAINIAN, KAZAKH):
        assert not any("CYRILLIC" in unicodedata.name(c, "") for c in done("transliteration", text))
    assert done("transliteration", ENGLISH) == ENGLISH
    assert done("transliteration", "Росія, г. СССР") == "Rosiya, h. SSSR"
    assert done("transliteration", "Россия, г. Щи") == "Rossiya, g. Shchi"


@pytest.mark.parametrize("name", ["emoji", "hashtags", "by-line"])
def test_what_platforms_add_leaves_the_words(name: str) -> None:
    words = iter(done(name, RUSSIAN).replace("#", "").split())
    assert all(word in words for word in RUSSIAN.split())


def test_a_by_line_is_in_the_script_of_its_text() -> None:
    assert done("by-line", RUSSIAN).split(",")[0].isupper()
    assert "CYRILLIC" in unicodedata.name(done("by-line", RUSSIAN)[0])
    assert "LATIN" in unicodedata.name(done("by-line", ENGLISH)[0])


def test_actors_are_exchanged_with_their_endings_and_each_for_one_other() -> None:
    for seed in range(20):
        changed = done("actors swapped", "Украина и Киев. Украину, в Киеве, УКРАИНОЙ.", seed)
        country = changed.split()[0][:-1]
        assert country in ("Литв", "Молдов")
        assert f"{country}у" in changed
        assert f"{country.upper()}ОЙ" in changed
        capital = changed.split()[2].rstrip(".")
        assert capital != "Киев"
        assert f"{capital}е" in changed


def test_no_name_is_exchanged_back_by_a_later_class() -> None:
    for seed in range(20):
        changed = done("actors swapped", "Вашингтон, Лондон", seed)
        assert changed.split(", ")[0] != "Вашингтон"
        assert changed.split(", ")[1] != "Лондон"


def test_words_that_begin_like_a_name_stay() -> None:
    for text in ("индивид", "russianness", "франчайзинг"):
        assert done("actors swapped", text) == text


def test_the_same_sentences_come_in_another_order() -> None:
    changed = done("sentence order", RUSSIAN)
    assert changed != RUSSIAN
    assert sorted(changed.split()) == sorted(RUSSIAN.split())
    assert done("sentence order", "Одно предложение.") == "Одно предложение."
    assert done("sentence order", "It cost 5. 3 million left.") == "It cost 5. 3 million left."
