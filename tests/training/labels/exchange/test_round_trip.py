"""Whatever a record holds, every format brings it back."""

import random
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import datasets
import pytest

from training.labels import merge, records
from training.labels.exchange import hub, label_studio, lines, rows, table
from training.labels.records import Record
from training.labels.sources import Passage, digest
from training.taxonomy import Taxonomy

FORMATS = {"label-studio": label_studio, "csv": table, "jsonl": lines, "datasets": hub}

ODD = [
    'He said: "No", then \'yes\'.',
    "two\nlines",
    "windows\r\nlines and\rold ones",
    "a;b,c\td|e",
    "شعار: «السلام» ‏123",
    "👩‍👩‍👧‍👦 🇰🇿 e\u0301",
    "=HYPERLINK(\"http://example.org\")",
    "-5 degrees",
    "'=already behind an apostrophe",
    "''twice''",
    "@channel +1",
    "\ufeffa byte order mark",
    "none",
    "null",
    "<View>&amp;</View>",
    "\x00\x07 control",
    "\u2028 line separator \x85 next line",
    " space around ",
    '{"labels": {}}',
    "007",
    "ғ" * 200_000,
]  # fmt: skip


def record(taxonomy: Taxonomy, **fields: Any) -> Record:
    parsed = records.parse(fields, taxonomy)
    assert not isinstance(parsed, list), parsed
    return parsed


def corpus(taxonomy: Taxonomy) -> Iterator[Passage]:
    draw = random.Random(0)

    def labels() -> dict[str, str]:
        names = draw.sample(taxonomy.narrative_ids, draw.randint(0, 3))
        return {name: draw.choice(taxonomy.stance_ids) for name in names}

    for number, text in enumerate(ODD * 3):
        fields = {
            "lang": draw.choice(["en", "uk", "kk"]),
            "labels": labels(),
            "annotator": draw.choice(["A", 'Б "b"', "=c", "a;b"]),
            "date": f"2026-01-{draw.randint(1, 28):02}",
        }
        if draw.random() < 0.5:
            fields["annotations"] = {name: labels() for name in ["A", "=B", "Ц\n"]}
            fields["reason"] = draw.choice(ODD[:-1])
        if number % 2:
            name = draw.choice(["s", "https://example.org/a:b?c=d", "текст:1:2"]) + f"-{number}"
            about = {"how": "stand-off", "source": "speeches", "id": name}
            about |= {"sha256": digest(text), "picked": draw.choice(["random", "-by hand"])}
            if draw.random() < 0.5:
                about["rows"] = draw.randint(1, 4)
            made, whole = record(taxonomy, **about, **fields), text.strip()
        else:
            about = {"how": "written", "id": f"w-{number}", "text": text, "register": "a post"}
            if draw.random() < 0.5:
                about["set"] = draw.choice([None, "boats, 1"])
            made, whole = record(taxonomy, **about, **fields), text.strip()
        yield Passage(
            key=made.key,
            text=whole,
            lang=made.lang,
            labels=made.labels,
            source="speeches" if number % 2 else "written",
            record=made,
        )


@pytest.fixture
def passages(made_up: Taxonomy) -> list[Passage]:
    return list(corpus(made_up))


@pytest.mark.parametrize("name", FORMATS)
def test_records_come_back_identical(
    name: str, passages: list[Passage], made_up: Taxonomy, tmp_path: Path
) -> None:
    form: ModuleType = FORMATS[name]
    form.write(rows.whole(passages), tmp_path / "out", made_up)
    back = merge.merge(
        form.read(tmp_path / "out"), {}, made_up, annotator=None, day=date(2026, 2, 2)
    )
    assert [str(reject) for reject in back.rejects] == []
    assert {r.key: r for r in back.added} == {p.key: p.record for p in passages}
    assert len(back.added) == len(passages)


@pytest.mark.parametrize("name", FORMATS)
def test_records_that_are_known_already_change_nothing(
    name: str, passages: list[Passage], made_up: Taxonomy, tmp_path: Path
) -> None:
    form: ModuleType = FORMATS[name]
    form.write(rows.whole(passages), tmp_path / "out", made_up)
    known = {p.key: p.record for p in passages}
    back = merge.merge(
        form.read(tmp_path / "out"), known, made_up, annotator=None, day=date(2026, 2, 2)
    )
    assert (len(back.unchanged), back.added, back.changed, back.rejects) == (
        len(passages),
        [],
        [],
        [],
    )


@pytest.mark.parametrize("name", FORMATS)
def test_blind_rows_show_nothing_of_the_first_reading(
    name: str, passages: list[Passage], made_up: Taxonomy, tmp_path: Path
) -> None:
    form: ModuleType = FORMATS[name]
    form.write(rows.blind(passages), tmp_path / "out", made_up)
    back = list(form.read(tmp_path / "out"))
    assert all(isinstance(row, rows.Row) and row.reading is None for row in back)
    shown = [{k: v for k, v in row.fields.items() if v is not None} for row in back]
    expected = [{"key": p.key, "lang": p.lang, "text": p.text} for p in passages]
    assert sorted(shown, key=str) == sorted(expected, key=str)
    refused = merge.merge(back, {}, made_up, annotator="N", day=date(2026, 2, 2)).rejects
    assert len(refused) == len(passages)
    assert "nobody has read it" in refused[0].reason


def test_datasets_loads_the_folder_by_side(
    passages: list[Passage], made_up: Taxonomy, tmp_path: Path
) -> None:
    sides = {p.key: ["train", "dev", "test"][n % 3] for n, p in enumerate(passages)}
    hub.write(rows.whole(passages), tmp_path / "out", made_up, sides)
    loaded = datasets.load_dataset(str(tmp_path / "out"), cache_dir=str(tmp_path / "cache"))
    assert {row["key"]: side for side in loaded for row in loaded[side]} == sides
    first = passages[0]
    row = next(row for side in loaded for row in loaded[side] if row["key"] == first.key)
    assert {pair["narrative"]: pair["stance"] for pair in row["labels"]} == first.labels
