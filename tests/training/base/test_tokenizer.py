"""The unigram tokenizer: XLM-R's pipeline without its compiled table."""

import pytest
from tokenizers import Tokenizer

from training.base import tokenizer

PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "▁boat", "▁is", "s", "1", "2", "fi", "f", "i", "é"]
SCORES = [0.0, 0.0, 0.0, 0.0, -3.0, -1.0, -1.0, -4.0, -4.0, -4.0, -2.0, -5.0, -5.0, -4.0]
UNKNOWN = 3


@pytest.fixture(scope="module")
def built() -> Tokenizer:
    return tokenizer.build(PIECES, SCORES, UNKNOWN)


def test_ids_are_positions_in_the_vocabulary(built: Tokenizer) -> None:
    assert built.get_vocab_size() == len(PIECES)
    assert [built.token_to_id(piece) for piece in PIECES] == list(range(len(PIECES)))


def test_a_text_is_framed_and_begins_with_a_space(built: Tokenizer) -> None:
    assert built.encode("boat is").tokens == ["<s>", "▁boat", "▁is", "</s>"]


def test_without_frame_only_the_text_is_left(built: Tokenizer) -> None:
    assert built.encode("boats", add_special_tokens=False).tokens == ["▁boat", "s"]


def test_an_empty_text_is_the_frame_alone(built: Tokenizer) -> None:
    assert built.encode("").tokens == ["<s>", "</s>"]


@pytest.mark.parametrize(
    "text",
    ["boat  is", "boat\tis", "boat\n\nis", "boat\u00a0is", "boat\u3000is", "boat\u200b is"],
)
def test_white_space_of_any_kind_is_one_space(built: Tokenizer, text: str) -> None:
    assert built.encode(text).ids == built.encode("boat is").ids


@pytest.mark.parametrize("text", ["bo\u00adat is", "boat\u200e is", "boat\x07 is", "\u200fboat is"])
def test_controls_are_dropped(built: Tokenizer, text: str) -> None:
    assert built.encode(text).ids == built.encode("boat is").ids


@pytest.mark.parametrize(
    ("text", "plain"), [("ｂｏａｔ", "boat"), ("①②", "12"), ("ﬁ", "fi"), ("e\u0301", "é")]
)
def test_compatibility_forms_are_read_as_their_letters(
    built: Tokenizer, text: str, plain: str
) -> None:
    assert built.encode(text).ids == built.encode(plain).ids
    assert UNKNOWN not in built.encode(text).ids


def test_the_likeliest_pieces_are_taken(built: Tokenizer) -> None:
    assert built.encode("fi", add_special_tokens=False).tokens == ["▁", "fi"]
    unlikely = [
        -20.0 if piece == "fi" else score for piece, score in zip(PIECES, SCORES, strict=True)
    ]
    other = tokenizer.build(PIECES, unlikely, UNKNOWN)
    assert other.encode("fi", add_special_tokens=False).tokens == ["▁", "f", "i"]


def test_what_no_piece_holds_is_unknown(built: Tokenizer) -> None:
    assert built.encode("boat 火").ids.count(UNKNOWN) == 1


def test_tokens_are_joined_back_to_text(built: Tokenizer) -> None:
    assert built.decode(built.encode("boats is 12").ids) == "boats is 12"


def test_the_frame_takes_its_ids_from_the_vocabulary() -> None:
    mixed = ["</s>", "<unk>", "<s>", "<pad>", *PIECES[4:]]
    ids = tokenizer.build(mixed, SCORES, 1).encode("boat").ids
    assert ids == [2, 5, 0]


def test_the_tokenizer_is_the_same_when_saved_and_loaded(built: Tokenizer) -> None:
    loaded = Tokenizer.from_str(built.to_str())
    for text in ("boats\tis 12", "ｂｏａｔ 火", ""):
        assert loaded.encode(text).ids == built.encode(text).ids
