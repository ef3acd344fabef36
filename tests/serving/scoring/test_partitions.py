"""Partitions: each row lies in the folder of its day and language, and readers take it as it is."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pytest

from serving import cli
from serving.classifier import Classifier, Item
from serving.errors import ServingError
from serving.scoring import run as running
from serving.scoring.dates import moment
from serving.scoring.destination import Destination
from serving.scoring.parquet_output import schema
from serving.scoring.partitions import DAY, LANGUAGE, folder, keys, pattern
from tests.serving.scoring.conftest import jsonl, lines

TEXTS = [
    "Протестующие на площади получали деньги из-за рубежа, заявил телеканал.",
    "The protesters in the square were paid from abroad, the channel said on Monday.",
    "Мітингувальники на площі отримували гроші з-за кордону, заявив телеканал.",
]
DATES = ["2026-01-05", "2026-01-05T23:30:00-02:00", "yesterday", None]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """24 texts in three languages on two days and without one, two copies of them, a reject."""
    rows: list[dict[str, Any]] = [
        {"id": f"{number}", "text": f"{TEXTS[number % 3]} {number}", "date": DATES[number % 4]}
        for number in range(24)
    ]
    rows.append({"id": "copy", "text": rows[0]["text"].upper(), "date": "2026-01-06"})
    rows.append({"id": "undated copy", "text": rows[1]["text"]})
    return jsonl(tmp_path / "posts.jsonl", [*rows, {"id": "bad", "text": ""}])


def test_every_row_lies_where_its_day_and_language_say(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, classifier: Classifier
) -> None:
    out, plain = tmp_path / "out", tmp_path / "plain"
    totals = run([source], out, partition="date,language", shard_records=10, copies="exact")
    assert totals == run([source], plain, shard_records=10, copies="exact")
    assert totals == {"read": 27, "scored": 24, "duplicates": 2, "rejected": 1}
    texts = {row["id"]: row["text"] for row in lines(source)}
    found = {}
    for path in out.rglob("shard-*"):
        for row in lines(path):
            date = moment(row.get("date"))
            day = f"{date:%Y-%m-%d}" if date else "unknown"
            (said,) = classifier.predict([Item(texts[row["id"]])])
            assert path.relative_to(out).parts[:2] == (f"day={day}", f"lang={said.language}")
            found[path.name, row["id"]] = row
    written = {(path.name, row["id"]): row for path in plain.glob("shard-*") for row in lines(path)}
    assert found == written
    assert {path.name for path in out.iterdir() if path.is_dir()} == {
        "day=2026-01-05",
        "day=2026-01-06",
        "day=unknown",
    }


@pytest.mark.parametrize("partition", ["date", "language", "date,language"])
def test_the_manifest_has_every_file_with_its_rows_and_hash(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, partition: str
) -> None:
    out = tmp_path / "out"
    run([source], out, partition=partition, shard_records=10)
    _, *entered, _ = lines(out / "manifest.jsonl")
    assert len(entered) == 3
    for number, entry in enumerate(entered):
        assert len(entry["files"]) > 1
        assert sum(file["rows"] for file in entry["files"]) == entry["scored"] + entry["duplicates"]
        for file in entry["files"]:
            path = out / file["file"]
            assert path.name == f"shard-00000{number}.jsonl"
            assert len(path.relative_to(out).parts) == len(partition.split(",")) + 1
            assert file["rows"] == len(lines(path))
            assert file["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    named = {file["file"] for entry in entered for file in entry["files"]}
    assert named == {path.relative_to(out).as_posix() for path in out.rglob("shard-*")}


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_duckdb_reads_partitions_without_a_cast(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, format_: str
) -> None:
    out = tmp_path / "out"
    asked = {"format": format_, "shard_records": 10, "copies": "exact"}
    run([source], out, partition="date,language", **asked)
    reader = {"jsonl": "read_json", "parquet": "read_parquet"}[format_]
    table = f"{reader}('{out}/*/*/shard-*.{format_}', hive_partitioning = true)"
    counted = duckdb.sql(
        f"SELECT day, lang, count(*), count(date), count(language), count(copy_of) FROM {table} "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    assert sum(rows for _, _, rows, *_ in counted) == 26
    assert {day for day, *_ in counted} == {"2026-01-05", "2026-01-06", "unknown"}
    assert {lang for _, lang, *_ in counted} >= {"ru", "en", "uk"}
    assert sum(copies for *_, copies in counted) == 2
    ((one,),) = duckdb.sql(
        f"SELECT count(*) FROM {table} WHERE day BETWEEN '2026-01-05' AND '2026-01-31'"
    ).fetchall()
    assert one == 13
    ((found,),) = duckdb.sql(
        f"SELECT count(*) FROM (SELECT unnest(narratives) AS n FROM {table})"
    ).fetchall()
    assert found > 0


def test_days_alone_are_dates_for_duckdb_where_all_rows_have_one(
    run: Callable[..., dict[str, int]], tmp_path: Path
) -> None:
    rows = [{"id": n, "text": TEXTS[n], "date": f"2026-01-0{n + 1}"} for n in range(3)]
    out = tmp_path / "out"
    run([jsonl(tmp_path / "a.jsonl", rows)], out, partition="date", format="parquet")
    days = duckdb.sql(f"SELECT typeof(day), day FROM '{out}/**/*.parquet' ORDER BY 2").fetchall()
    assert [(kind, str(day)) for kind, day in days] == [
        ("DATE", f"2026-01-0{n + 1}") for n in range(3)
    ]


def test_pyarrow_reads_partitions_without_a_cast(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, classifier: Classifier
) -> None:
    out = tmp_path / "out"
    run([source], out, partition="date,language", format="parquet", shard_records=10)
    dataset = ds.dataset(out, format="parquet", partitioning="hive", exclude_invalid_files=True)
    expected = schema(classifier.narratives)
    assert [str(dataset.schema.field(name).type) for name in (DAY, LANGUAGE)] == ["string"] * 2
    assert all(
        dataset.schema.field(name).type == expected.field(name).type for name in expected.names
    )
    table = dataset.to_table()
    assert table.num_rows == 26
    for row in table.to_pylist():
        assert row["day"] == (
            f"{row['published_at']:%Y-%m-%d}" if row["published_at"] else "unknown"
        )
        assert row["language"] in (None, row["lang"])
    only = dataset.to_table(filter=ds.field("lang") == "uk")
    assert 0 < only.num_rows < 26


def test_no_key_has_the_name_of_a_column(classifier: Classifier) -> None:
    assert keys("date,language") == [DAY, LANGUAGE]
    assert not {DAY, LANGUAGE} & {*schema(classifier.narratives).names}


@pytest.mark.parametrize("rows", [[], [{"id": 1, "text": ""}]])
@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_what_has_no_rows_has_a_file_all_the_same(
    run: Callable[..., dict[str, int]], tmp_path: Path, rows: list[dict[str, Any]], format_: str
) -> None:
    out = tmp_path / "out"
    source = jsonl(tmp_path / "a.jsonl", rows)
    run([source], out, partition="date,language", format=format_)
    assert [path.relative_to(out).as_posix() for path in out.rglob("shard-*")] == [
        f"day=unknown/lang=und/shard-000000.{format_}"
    ]
    if format_ == "parquet":
        found = duckdb.sql(f"SELECT day, lang, narratives FROM '{out}/**/*.parquet'")
        assert found.fetchall() == []


def test_more_files_than_a_process_may_open_are_written(
    run: Callable[..., dict[str, int]], tmp_path: Path
) -> None:
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    rows = [{"id": n, "text": "red boat", "date": f"{1900 + n}-01-01"} for n in range(150)]
    source = jsonl(tmp_path / "a.jsonl", rows)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 128), hard))
    try:
        run([source], tmp_path / "out", partition="date")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len([*(tmp_path / "out").rglob("shard-*")]) == 150


@pytest.mark.parametrize("partition", ["date", "language", "date,language"])
def test_one_file_cannot_be_partitioned(partition: Any, tmp_path: Path) -> None:
    with pytest.raises(ServingError, match=f"a folder as --out for --partition {partition}"):
        Destination.at(tmp_path / "all.jsonl", "jsonl", partition)


def test_the_command_refuses_a_file_before_anything_is_read_or_written(
    source: Path,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "expand", None)
    out = tmp_path / "to" / "all.jsonl"
    arguments = [str(source), "--out", str(out), "--model", str(tiny_model), "--partition", "date"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", *arguments])
    assert ended.value.code == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("narrascope: ")
    assert "is one JSONL file, which has no partitions" in told
    assert not out.parent.exists()


def test_the_command_takes_a_partition(source: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out"
    arguments = [str(source), "--out", str(out), "--model", str(tiny_model)]
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", *arguments, "--partition", "language"])
    assert ended.value.code == 0
    assert {path.name for path in out.iterdir() if path.is_dir()} >= {"lang=ru", "lang=en"}


def test_a_folder_is_named_by_the_day_in_utc() -> None:
    late = datetime(987, 1, 2, tzinfo=UTC)
    assert folder("date,language", late, "ru") == "day=0987-01-02/lang=ru"
    assert folder("language", late, "ru") == "lang=ru"
    assert folder("date", None, "ru") == "day=unknown"
    assert folder(None, late, "ru") == ""
    assert pattern(None, "shard-*") == "shard-*"
    assert pattern("date,language", "shard-*") == "day=*/lang=*/shard-*"
