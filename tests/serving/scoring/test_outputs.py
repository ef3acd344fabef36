"""What is written: rows with their source, copies by their first, and columns that readers take."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.classifier import Classifier, Item
from serving.errors import ServingError
from serving.scoring.dates import moment
from serving.scoring.destination import Destination
from serving.scoring.parquet_output import schema
from tests.serving.scoring.conftest import NOW, jsonl, lines

ROWS = [
    {"id": 1, "text": "red tractor", "date": "2024-01-02", "title": "T", "url": "u", "lang": "en"},
    {"text": "blue boat"},
    {"id": 3, "text": "Red  tractor"},
    {"id": 4},
]

BROKEN = [
    *("a.jsonl", "a.csv", "a.tsv", "a.parquet", "a.arrow", "a.warc", "a.txt", "a.html", "a.rss"),
    *("a.jsonl.gz", "a.csv.zst", "a.txt.bz2", "a.html.xz", "a.bin", "a.xml"),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return jsonl(tmp_path / "posts.jsonl", ROWS)


def test_a_folder_has_rows_with_their_source_and_prediction(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, classifier: Classifier
) -> None:
    totals = run([source], tmp_path / "out")
    assert totals == {"read": 4, "scored": 2, "duplicates": 1, "rejected": 1}
    first, second, copy = lines(tmp_path / "out" / "shard-000000.jsonl")
    prediction = classifier.predict([Item("red tractor", "1")])[0].as_json()
    assert first == {
        **prediction,
        "source": str(source),
        "position": 1,
        "date": "2024-01-02",
        "published_at": "2024-01-02T00:00:00Z",
        "title": "T",
        "url": "u",
        "source_language": "en",
        "taxonomy_version": "9.9.9",
        "scored_at": "2026-05-04T03:02:01Z",
    }
    assert second["id"] == f"{source}#2"
    assert (copy["id"], copy["copy_of"], copy["copy_of_source"]) == ("3", "1", str(source))
    assert "narratives" not in copy
    [reject] = lines(tmp_path / "out" / "rejects.jsonl")
    assert (reject["source"], reject["position"]) == (str(source), 4)


def test_parquet_has_the_same_rows_in_columns_of_one_type(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path, classifier: Classifier
) -> None:
    run([source], tmp_path / "out", format="parquet", scores=True)
    run([source], tmp_path / "lines", scores=True)
    table = pq.read_table(tmp_path / "out" / "shard-000000.parquet")
    assert table.schema.equals(schema(classifier.narratives))
    rows = table.to_pylist()
    assert rows[0]["scored_at"] == NOW
    assert rows[0]["published_at"] == datetime(2024, 1, 2, tzinfo=UTC)
    expected = lines(tmp_path / "lines" / "shard-000000.jsonl")
    for row, line in zip(rows, expected, strict=True):
        assert (row["id"], row["scores"]) == (line["id"], line.get("scores"))
        findings = [
            {key: value for key, value in finding.items() if key != "explanation"}
            for finding in row["narratives"] or []
        ]
        assert findings == line.get("narratives", [])


def test_parquet_that_has_no_rows_has_its_columns(
    run: Callable[..., dict[str, int]], tmp_path: Path, classifier: Classifier
) -> None:
    empty = jsonl(tmp_path / "empty.jsonl", [])
    assert run([empty], tmp_path / "out", format="parquet") == {"read": 0, "scored": 0}
    table = pq.read_table(tmp_path / "out" / "shard-000000.parquet")
    assert table.num_rows == 0
    assert pa.types.is_timestamp(table.schema.field("scored_at").type)


def test_pandas_reads_parquet_without_cast(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path
) -> None:
    pandas = pytest.importorskip("pandas")
    run([source], tmp_path / "out", format="parquet")
    frame = pandas.read_parquet(tmp_path / "out" / "shard-000000.parquet")
    assert str(frame["scored_at"].dtype).startswith("datetime64")
    assert frame["position"].dtype == "int64"
    assert frame.loc[0, "narratives"][0]["narrative"]


def test_several_sources_into_one_file_keep_their_source(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path
) -> None:
    (tmp_path / "more.csv").write_text("id,text\n1,RED TRACTOR\n2,green train\n")
    out = tmp_path / "to" / "all.jsonl"
    totals = run([source, tmp_path / "more.csv"], out)
    assert totals == {"read": 6, "scored": 3, "duplicates": 2, "rejected": 1}
    rows = lines(out)
    assert [row["source"] for row in rows] == [str(source)] * 3 + [str(tmp_path / "more.csv")] * 2
    assert (rows[3]["copy_of"], rows[3]["copy_of_source"]) == ("1", str(source))
    assert sorted(path.name for path in out.parent.iterdir()) == ["all.jsonl", "all.rejects.jsonl"]


def test_one_file_of_lines_has_all_of_its_texts_scored_unless_told_otherwise(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert run([source], out) == {"read": 4, "scored": 3, "rejected": 1}
    assert run([source], out, copies="near")["duplicates"] == 1
    assert set(lines(out)[2]) == {"id", "model", "copy_of", "copy_of_source"}


def test_the_text_is_written_when_asked_for(
    run: Callable[..., dict[str, int]], source: Path, tmp_path: Path
) -> None:
    for out in (tmp_path / "out.jsonl", tmp_path / "out"):
        run([source], out, with_text=True)
    assert lines(tmp_path / "out.jsonl")[0]["text"] == "red tractor"
    assert lines(tmp_path / "out" / "shard-000000.jsonl")[0]["text"] == "red tractor"


def test_totals_add_up_over_all_kinds_of_broken_source(
    run: Callable[..., dict[str, int]], tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in BROKEN:
        (folder / name).write_bytes(b"\x1f\x8b\x08 broken \xff\0\n" * 3)
        (folder / f"plain-{name}").write_bytes(b"PAR1 \xff\0 <a>\n{\n" * 3)
        (folder / f"empty-{name}").write_bytes(b"")
    totals = run([folder], tmp_path / "out")
    assert totals["scored"] == 0
    assert totals["read"] == totals["rejected"] >= 30


@pytest.mark.parametrize("name", ["out.parquet", "out.json", "out.csv", "out.jsonl.gz"])
def test_a_name_that_promises_another_format_is_refused(name: str) -> None:
    with pytest.raises(ServingError, match=r"a \.jsonl file or a folder"):
        Destination.at(Path(name), "jsonl")


def test_one_file_of_parquet_is_refused() -> None:
    with pytest.raises(ServingError, match="pass a folder"):
        Destination.at(Path("out.jsonl"), "parquet")


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("2024-01-02", datetime(2024, 1, 2, tzinfo=UTC)),
        ("2024-01-02T03:04:05+02:00", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("2024-01-02T03:04:05Z", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("Tue, 02 Jan 2024 03:04:05 +0200", datetime(2024, 1, 2, 1, 4, 5, tzinfo=UTC)),
        ("1704164645", datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("0001-01-01T00:00:00+10:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_are_moments_where_they_can_be_told(
    date: str | None, expected: datetime | None
) -> None:
    assert moment(date) == expected
