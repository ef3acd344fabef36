"""The split: groups stay whole, shares come out, and what is frozen never moves."""

import hashlib
import json
import random
from pathlib import Path

import pytest

from tests.training.toy import write_labels
from training import corpus as corpora
from training.errors import LabelError
from training.labels import groups, split
from training.labels.records import Labels, Written
from training.labels.sources import Passage
from training.taxonomy import Taxonomy

NARRATIVES = ("red-tractors", "blue-boats", "green-trains")


def passage(
    name: object, labels: Labels | None = None, *, set_: str | None = None, lang: str = "en"
) -> Passage:
    """A passage whose text is unlike any other."""
    text = hashlib.sha256(str(name).encode()).hexdigest()
    record = Written.model_validate(
        {
            "how": "written",
            "id": str(name),
            "lang": lang,
            "text": text,
            "labels": labels or {},
            "register": "post",
            "set": set_,
            "annotator": "A",
            "date": "2026-01-01",
        }
    )
    return Passage(
        key=record.key, text=text, lang=lang, labels=labels or {}, source="written", record=record
    )


def corpus(count: int, start: int = 0) -> list[Passage]:
    """Passages in groups of one to four; a narrative in two thirds, rarer and rarer ones."""
    draw = random.Random(start)
    passages = []
    while len(passages) < count:
        number = start + len(passages)
        lang = draw.choice(["en", "en", "en", "kk"])
        narrative = draw.choices([None, *NARRATIVES], [6, 8, 3, 1])[0]
        for member in range(draw.choice([1, 1, 2, 4])):
            labels = {narrative: draw.choice(["for", "against"])} if narrative else {}
            passages.append(passage(f"{number}-{member}", labels, set_=f"set {number}", lang=lang))
    return passages


@pytest.fixture(scope="module")
def passages() -> list[Passage]:
    return corpus(900)


@pytest.fixture(scope="module")
def placed(passages: list[Passage]) -> split.Split:
    return split.extend(passages, {})


def shares(sides: list[str]) -> dict[str, float]:
    return {side: sides.count(side) / len(sides) for side in split.SHARES}


def test_every_passage_stands_on_a_side(passages: list[Passage], placed: split.Split) -> None:
    assert set(placed) == {p.key for p in passages}
    assert sum(len(split.take(passages, placed, side)) for side in split.SHARES) == len(passages)


def test_shares_come_out_overall(placed: split.Split) -> None:
    assert shares(list(placed.values())) == pytest.approx(split.SHARES, abs=0.02)


@pytest.mark.parametrize("part", ["en", "kk", "", *NARRATIVES])
def test_shares_come_out_in_every_language_and_narrative(
    passages: list[Passage], placed: split.Split, part: str
) -> None:
    sides = [placed[p.key] for p in passages if part in (p.lang, *(p.labels or [""]))]
    assert 50 < len(sides) < len(passages)
    assert shares(sides) == pytest.approx(split.SHARES, abs=0.05)


def test_groups_stay_whole(passages: list[Passage], placed: split.Split) -> None:
    sides: dict[int, set[str]] = {}
    for p, number in zip(passages, groups.assign(passages), strict=True):
        sides.setdefault(number, set()).add(placed[p.key])
    assert len(sides) < len(passages)
    assert all(len(group) == 1 for group in sides.values())
    assert split.leaks(passages, placed) == []


def test_the_split_is_the_same_each_time_and_in_any_order(
    passages: list[Passage], placed: split.Split
) -> None:
    mixed = passages.copy()
    random.Random(1).shuffle(mixed)
    assert split.extend(passages, {}) == placed
    assert split.extend(mixed, {}) == placed


def test_what_is_frozen_does_not_move_when_passages_are_added(
    passages: list[Passage], placed: split.Split
) -> None:
    extended = split.extend([*corpus(600, start=10_000), *passages], placed)
    assert {key: extended[key] for key in placed} == placed
    assert len(extended) >= 1500
    assert shares(list(extended.values())) == pytest.approx(split.SHARES, abs=0.03)


def test_what_is_frozen_stays_even_where_it_is_all_on_one_side() -> None:
    known = corpus(100)
    frozen = {p.key: "test" for p in known}
    extended = split.extend([*known, *corpus(400, start=10_000)], frozen)
    assert all(extended[key] == "test" for key in frozen)
    fresh = shares([side for key, side in extended.items() if key not in frozen])
    assert fresh["test"] < 0.1
    assert fresh["train"] > 0.7


def test_a_frozen_passage_whose_text_is_not_here_keeps_its_side(
    passages: list[Passage], placed: split.Split
) -> None:
    assert split.extend(passages[400:], placed) == placed


@pytest.mark.parametrize("side", list(split.SHARES))
def test_a_new_member_follows_its_group(side: str) -> None:
    known = [passage(n, set_=f"set {n}") for n in range(20)]
    frozen = {p.key: side for p in known}
    new = passage("new", {"blue-boats": "for"}, set_="set 3")
    assert split.extend([new, *known], frozen)[new.key] == side


@pytest.mark.parametrize(
    ("sides", "expected"),
    [(("train", "test"), "test"), (("dev", "train"), "dev"), (("dev", "test"), "test")],
)
def test_a_new_passage_between_two_sides_is_held_out(sides: tuple[str, str], expected: str) -> None:
    known = [passage(n, set_="boats") for n in range(2)]
    frozen = dict(zip((p.key for p in known), sides, strict=True))
    new = passage("new", set_="boats")
    extended = split.extend([*known, new], frozen)
    assert extended == {**frozen, new.key: expected}


def test_a_planted_leak_is_found_and_named() -> None:
    passages = [passage("1", set_="boats"), passage("2", set_="boats"), passage("3")]
    sides = {"written:1": "train", "written:2": "test", "written:3": "dev"}
    (leak,) = split.leaks(passages, sides)
    assert "written:1 (train)" in leak
    assert "written:2 (test)" in leak
    assert "written:3" not in leak


def test_a_leak_by_near_duplicate_is_found() -> None:
    text = "The ministry said on Monday that the harvest was the best in a decade."
    passages = [passage("1"), passage("2"), passage("3")]
    passages = [Passage(**{**vars(p), "text": p.text[:n] + text}) for n, p in enumerate(passages)]
    sides = dict(zip((p.key for p in passages), ("train", "train", "dev"), strict=True))
    assert len(split.leaks(passages, sides)) == 1
    assert split.leaks(passages, dict.fromkeys(sides, "dev")) == []


def test_a_side_holds_its_own_passages_in_order() -> None:
    passages = [passage(n) for n in "abcd"]
    sides = {p.key: side for p, side in zip(passages, ("dev", "train", "test", "dev"), strict=True)}
    assert split.take(passages, sides, "dev") == [passages[0], passages[3]]


def test_a_passage_on_no_side_names_the_command(tmp_path: Path, made_up: Taxonomy) -> None:
    taxonomy = write_labels(tmp_path / "labels", made_up)
    (tmp_path / "labels" / "split.json").write_text('{"train": ["written:toy-0"]}')
    with pytest.raises(LabelError, match=r"written:toy-1 stands on no side of .*run `narrascope"):
        corpora.load(tmp_path / "labels", taxonomy, None)


def test_a_split_that_was_frozen_is_read_back(tmp_path: Path, placed: split.Split) -> None:
    split.write(placed, tmp_path / "split.json")
    assert split.read(tmp_path / "split.json") == placed


def test_the_file_does_not_depend_on_the_order_and_has_a_key_a_line(
    tmp_path: Path, placed: split.Split
) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    split.write(placed, one)
    split.write(dict(reversed(placed.items())), other)
    assert one.read_bytes() == other.read_bytes()
    lines = one.read_text(encoding="utf-8").splitlines()
    assert sum('"written:' in line for line in lines) == len(placed)
    assert list(json.loads(one.read_text(encoding="utf-8"))) == list(split.SHARES)


def test_a_missing_split_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(
        LabelError, match=r"no split at .*split\.json: run `narrascope labels split`"
    ):
        split.read(tmp_path / "split.json")


@pytest.mark.parametrize(
    "content", ["<<<<<<< HEAD\n{}", "[]", ""], ids=["conflict", "list", "empty"]
)
def test_a_damaged_split_is_one_sentence(tmp_path: Path, content: str) -> None:
    path = tmp_path / "split.json"
    path.write_text(content)
    with pytest.raises(LabelError, match=r"split\.json"):
        split.read(path)


def test_a_key_on_two_sides_is_an_error(tmp_path: Path) -> None:
    # As a merge of two branches can leave it; taking either side could train on what is held out.
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"train": ["written:1"], "dev": [], "test": ["written:1"]}))
    with pytest.raises(LabelError, match="written:1"):
        split.read(path)
