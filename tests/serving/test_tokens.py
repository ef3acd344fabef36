"""Tokens: framed as the model was taught, counted without the frame, never more than it reads."""

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from serving.errors import ModelFolderError
from serving.model_folder import TOKENIZER
from serving.tokens import Tokens

PREFIXES = pytest.mark.parametrize("prefix", ["", "query: ", "red tractor: "])
BEGIN, END = 0, 2


@pytest.fixture(scope="module")
def path(checkpoint: Path) -> Path:
    return checkpoint / TOKENIZER


@pytest.fixture(scope="module")
def library(path: Path) -> Tokenizer:
    return Tokenizer.from_file(str(path))


def test_words_are_counted_without_the_models_own_tokens(path: Path) -> None:
    tokens = Tokens(path, prefix="query: ", limit=16)
    assert tokens.count(["red tractor", "the boat is good", "zz"]) == [2, 4, 3]


def test_a_text_is_framed(path: Path, library: Tokenizer) -> None:
    tokens = Tokens(path, prefix="", limit=16)
    words = [library.token_to_id("▁red"), library.token_to_id("▁tractor")]
    assert tokens.encode(["red tractor"]) == [[BEGIN, *words, END]]
    assert tokens.room == 14


def test_the_prefix_comes_before_every_text(path: Path, library: Tokenizer) -> None:
    tokens = Tokens(path, prefix="query: ", limit=64)
    texts = ["red tractor", "Россия", "blue boat"]
    assert tokens.encode(texts) == [library.encode(f"query: {text}").ids for text in texts]


@PREFIXES
@pytest.mark.parametrize("text", ["red " * 100, "z" * 1000, "Россия " * 50])
def test_a_text_that_is_too_long_is_cut_and_still_ends_as_taught(
    path: Path, prefix: str, text: str
) -> None:
    tokens = Tokens(path, prefix=prefix, limit=32)
    whole = Tokens(path, prefix=prefix, limit=100_000).encode([text])[0]
    assert len(whole) > 32
    assert tokens.encode([text]) == [[*whole[:31], END]]


@PREFIXES
@pytest.mark.parametrize("word", ["red", "z", "я", "red boat, ", "«", "中", "red  \n"])
def test_a_passage_that_fills_the_room_is_read_to_its_end(
    path: Path, prefix: str, word: str
) -> None:
    tokens = Tokens(path, prefix=prefix, limit=40)
    unlimited = Tokens(path, prefix=prefix, limit=100_000)
    for number in range(1, 60):
        text = " ".join([word] * number)
        if tokens.count([text])[0] <= tokens.room:
            assert tokens.encode([text]) == unlimited.encode([text])


def test_white_space_counts_once(path: Path) -> None:
    tokens = Tokens(path, prefix="", limit=16)
    one, other = tokens.encode(["red tractor", "red \n\t  tractor"])
    assert one == other


def test_truncation_and_padding_of_the_file_are_not_applied(path: Path, tmp_path: Path) -> None:
    marked = Tokenizer.from_file(str(path))
    marked.enable_truncation(4)
    marked.enable_padding(length=30)
    marked.save(str(tmp_path / TOKENIZER))
    texts = ["red", "red tractor blue boat green train"]
    theirs = Tokens(tmp_path / TOKENIZER, prefix="", limit=16)
    ours = Tokens(path, prefix="", limit=16)
    assert theirs.encode(texts) == ours.encode(texts)
    assert theirs.count(texts) == ours.count(texts) == [1, 6]
    assert theirs.room == ours.room


def test_no_texts_have_no_tokens(path: Path) -> None:
    tokens = Tokens(path, prefix="", limit=16)
    assert tokens.count([]) == []
    assert tokens.encode([]) == []


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFolderError, match=TOKENIZER):
        Tokens(tmp_path / TOKENIZER, prefix="", limit=16)


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", "no JSON"])
def test_a_file_that_is_no_tokenizer_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / TOKENIZER).write_text(content)
    with pytest.raises(ModelFolderError, match="is no tokenizer") as caught:
        Tokens(tmp_path / TOKENIZER, prefix="", limit=16)
    assert TOKENIZER in str(caught.value)
    assert "\n" not in str(caught.value)


SPECIAL = ["<s>", "</s>", "<pad>", "<unk>"]


@pytest.mark.parametrize("piece", SPECIAL)
@pytest.mark.parametrize("text", ["{}", "red {} tractor", "red{}tractor", "{}{}", "{} red"])
def test_a_text_that_spells_a_special_piece_is_ordinary_text(
    path: Path, library: Tokenizer, piece: str, text: str
) -> None:
    [ids] = Tokens(path, prefix="", limit=64).encode([text.replace("{}", piece)])
    assert (ids[0], ids[-1]) == (BEGIN, END)
    kept = [library.token_to_id(each) for each in SPECIAL[:3]]
    assert not set(ids[1:-1]) & set(kept)
    # What stands around it is still read.
    words = {library.token_to_id("▁red")} if "red" in text else set()
    assert words <= set(ids)


def test_a_spelled_special_piece_is_counted_as_it_is_encoded(path: Path) -> None:
    tokens = Tokens(path, prefix="", limit=10_000)
    for text in ["</s>" * 50, "red</s>tractor", "<pad> <s>"]:
        assert tokens.count([text]) == [len(tokens.encode([text])[0]) - 2]
