"""Copies: exact and near ones are linked to the first, and what differs is not."""

from pathlib import Path

import pytest

from serving.scoring.copies import Copies, Mode
from serving.scoring.records import Link, Record

TEXT = (
    "The ministry said on Monday that the red tractor of the northern farm had been sold to a "
    "company which nobody in the district knew, and that the blue boat would follow before the "
    "end of the year unless the council found another way to pay its debts to the old bank"
)


def links(path: Path, texts: list[str], mode: Mode = "near") -> list[str | None]:
    with Copies(path / "index", mode) as copies:
        found = []
        for number, text in enumerate(texts):
            record = Record(source="s", position=number, text=text)
            link = copies.link(record, str(number))
            assert link is None or link == Link(link.id, "s")
            found.append(link.id if link else None)
    assert list(path.iterdir()) == []
    return found


@pytest.mark.parametrize(
    "copy",
    [TEXT, f"  {TEXT}\n", TEXT.upper(), TEXT.replace(" ", "\n "), TEXT.replace("a", "\u200ba")],
)
@pytest.mark.parametrize("mode", ["near", "exact"])
def test_an_exact_copy_has_the_same_words(tmp_path: Path, copy: str, mode: Mode) -> None:
    assert links(tmp_path, [TEXT, copy, "other"], mode) == [None, "0", None]


@pytest.mark.parametrize("copy", [f"{TEXT} today", f"Reuters: {TEXT}", TEXT.replace("red", "old")])
def test_a_near_copy_shares_most_of_its_words(tmp_path: Path, copy: str) -> None:
    assert links(tmp_path, [TEXT, copy]) == [None, "0"]
    assert links(tmp_path, [TEXT, copy], "exact") == [None, None]


def test_a_text_that_shares_half_is_none(tmp_path: Path) -> None:
    words = TEXT.split()
    other = " ".join([*words[: len(words) // 2], *(f"w{n}" for n in range(len(words) // 2))])
    assert links(tmp_path, [TEXT, other, " ".join(reversed(words))]) == [None, None, None]


def test_in_a_short_text_each_word_counts(tmp_path: Path) -> None:
    assert links(tmp_path, ["The boat is good", "The boat is bad", "The boat is not good"]) == [
        None,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "denial",
    [TEXT.replace("had been", "had not been"), f"It is false that {TEXT}", f"Неправда: {TEXT}"],
)
def test_a_denial_of_a_text_is_no_copy_of_it(tmp_path: Path, denial: str) -> None:
    assert links(tmp_path, [TEXT, denial, f"{denial} today"]) == [None, None, "1"]


def test_copies_of_copies_are_of_the_first(tmp_path: Path) -> None:
    assert links(tmp_path, [TEXT, f"{TEXT} one", f"{TEXT} one", TEXT]) == [None, "0", "0", "0"]


def test_scripts_without_spaces_have_near_copies_too(tmp_path: Path) -> None:
    text = (
        "外交部发言人星期一表示这艘蓝色的船将在年底之前出售给"
        + "一家没有人知道的公司除非委员会找到其他办法偿还债务"
    )
    assert links(tmp_path, [text, text + "吗", text[::-1]]) == [None, "0", None]


def test_the_same_texts_have_the_same_links_at_every_run(tmp_path: Path) -> None:
    texts = [f"{TEXT} {'x ' * (n % 7)}{n % 3}" for n in range(60)]
    assert links(tmp_path, texts) == links(tmp_path, texts)


def test_an_index_that_a_kill_left_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "index").write_bytes(b"half a database")
    assert links(tmp_path, [TEXT]) == [None]
