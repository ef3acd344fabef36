"""Which pieces of a vocabulary are kept."""

import pytest

from training.base.vocabulary import served_pieces

SPECIALS = ["<s>", "<pad>", "</s>", "<unk>"]


def is_kept(piece: str) -> bool:
    return served_pieces([*SPECIALS, piece]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    "piece",
    ["▁the", "▁қайық", "їжак", "ґ", "ἀλή", "θεία", "հայ", "ქართ", "Ქ", "ß", "ŋ", "ə", "ı", "Ё"],
)
def test_pieces_of_a_served_script_are_kept(piece: str) -> None:
    assert is_kept(piece)


@pytest.mark.parametrize(
    "piece", ["火", "▁한국", "ひらがな", "カタ", "▁مرحبا", "שלום", "हिन्दी", "ไทย", "አማ"]
)
def test_pieces_of_another_script_are_dropped(piece: str) -> None:
    assert not is_kept(piece)


@pytest.mark.parametrize(
    "piece", ["▁", "2022", ",", "«", "—", "…", "№", "€", "$", "%", "☭", "→", "👍", "🇺🇦"]
)
def test_digits_punctuation_and_symbols_are_kept(piece: str) -> None:
    assert is_kept(piece)


@pytest.mark.parametrize("piece", ["。", "「", "、", "\ufe4f"])
def test_punctuation_of_other_scripts_is_dropped(piece: str) -> None:
    assert not is_kept(piece)


@pytest.mark.parametrize("piece", ["а\u0301", "ʼ", "ʻ"])
def test_marks_and_modifiers_of_any_script_are_kept(piece: str) -> None:
    assert is_kept(piece)


@pytest.mark.parametrize("piece", ["ابa", "a火", "▁я火"])
def test_one_letter_of_another_script_is_enough_to_drop_a_piece(piece: str) -> None:
    assert not is_kept(piece)


def test_the_specials_are_kept_whatever_they_look_like() -> None:
    assert served_pieces(["火", "水", "木", "金", "土", "a"]) == [0, 1, 2, 3, 5]


def test_indices_ascend_and_repeat_nothing() -> None:
    pieces = [*SPECIALS, "a", "火", "б", "火a", "2", "a"]
    assert served_pieces(pieces) == [0, 1, 2, 3, 4, 6, 8, 9]


def test_other_scripts_can_be_served() -> None:
    pieces = [*SPECIALS, "火", "a", "б", "2"]
    assert served_pieces(pieces, scripts=["CJK"]) == [0, 1, 2, 3, 4, 7]
