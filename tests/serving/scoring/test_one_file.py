"""Scoring a file: order kept, totals that add up, and a bad line that never ends the run."""

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from serving.classifier import LONGEST, Classifier, Item
from serving.errors import ServingError
from serving.predictions import Prediction
from serving.scoring import shards
from serving.scoring.destination import Destination
from serving.scoring.engines.local import Local
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.run import score

BAD = {
    "not JSON": (b"{", "not JSON"),
    "single quotes": (b"{'text': 'x'}", "not JSON"),
    "cut off": (b'{"text": "abc', "not JSON"),
    "two objects": (b'{"text": "a"} {"text": "b"}', "not JSON"),
    "nested without end": (b"[" * 100_000, "not JSON"),
    "a number with too many digits": (b"1" * 10_000, "not JSON"),
    "invalid UTF-8": (b'{"text": "\xff"}', "not UTF-8 (byte 10)"),
    "UTF-8 of a surrogate": (b'{"text": "\xed\xa0\x80"}', "not UTF-8"),
    "UTF-16": ('{"text": "a"}'.encode("utf-16-le"), "not JSON"),
    "a list": (b'["text"]', "no JSON object"),
    "a string": (b'"text"', "no JSON object"),
    "a number": (b"1", "no JSON object"),
    "null": (b"null", "no JSON object"),
    "no text": (b'{"id": "1"}', "'text'"),
    "text is null": (b'{"text": null}', "'text'"),
    "text is a number": (b'{"text": 1}', "'text'"),
    "text is a list": (b'{"text": ["a"]}', "'text'"),
    "text in capitals": (b'{"TEXT": "a"}', "'text'"),
    "empty text": (b'{"text": ""}', "empty"),
    "blank text": (b'{"text": " \\n "}', "empty"),
    "NUL": (b'{"text": "a\\u0000b"}', "NUL"),
    "half a surrogate pair": (b'{"text": "\\ud83d"}', "surrogate"),
    "too long": (json.dumps({"text": "a" * (LONGEST + 1)}).encode(), str(LONGEST)),
    "id is a fraction": (b'{"text": "a", "id": 1.5}', "'id'"),
    "id is a truth": (b'{"text": "a", "id": true}', "'id'"),
    "id is a list": (b'{"text": "a", "id": ["1"]}', "'id'"),
    "id is an object": (b'{"text": "a", "id": {}}', "'id'"),
    "id is not a number": (b'{"text": "a", "id": NaN}', "'id'"),
    "id is too long": (json.dumps({"text": "a", "id": "1" * 257}).encode(), "id"),
    "id is half a surrogate pair": (b'{"text": "a", "id": "\\ud83d"}', "id"),
}
GOOD = b'{"id": "good", "text": "the red tractor"}'


@pytest.fixture(scope="module")
def classifier(tiny_model: Path) -> Classifier:
    return Classifier.load(tiny_model, threads=1)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "posts.jsonl"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "to" / "labelled.jsonl"


def tallies(run: Iterator[Totals]) -> list[Totals]:
    """Return the totals after each call of the model, and those at the end once."""
    *during, last = run
    return during if during and during[-1] == last else [*during, last]


def rejects_path(out: Path) -> Path:
    return Destination.at(out, "jsonl").rejects


def records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def write(path: Path, lines: Sequence[bytes], end: bytes = b"\n") -> Path:
    path.write_bytes(end.join([*lines, b""]))
    return path


@pytest.mark.parametrize(("line", "reason"), BAD.values(), ids=list(BAD))
def test_a_bad_line_goes_to_the_rejects_with_number_and_reason(
    classifier: Classifier, source: Path, out: Path, line: bytes, reason: str
) -> None:
    write(source, [GOOD, line, GOOD])
    assert tallies(score([str(source)], out, Local(classifier))) == [
        Totals(read=3, scored=2, rejected=1)
    ]
    assert [record["id"] for record in records(out)] == ["good", "good"]
    [entry] = records(rejects_path(out))
    assert set(entry) == {"source", "position", "reason", "raw"}
    assert (entry["source"], entry["position"]) == (str(source), 2)
    assert reason in entry["reason"]
    assert "\n" not in entry["reason"]


def test_totals_add_up_and_every_bad_line_is_there_in_order(
    classifier: Classifier, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "CHUNK", 3)
    lines = [line for line, _ in BAD.values()]
    write(source, [row for line in lines for row in (line, GOOD)])
    found = tallies(score([str(source)], out, Local(classifier)))
    assert len(found) == -(-2 * len(lines) // 3)
    assert all(tally.read == tally.scored + tally.rejected for tally in found)
    assert found[-1] == Totals(read=2 * len(lines), scored=len(lines), rejected=len(lines))
    assert len(records(out)) == len(lines)
    assert [entry["position"] for entry in records(rejects_path(out))] == list(
        range(1, 2 * len(lines), 2)
    )


@pytest.mark.parametrize("chunk", [1, 2, 7, 256])
def test_order_is_kept_across_chunks(
    classifier: Classifier,
    source: Path,
    out: Path,
    chunk: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shards, "CHUNK", chunk)
    rows = [{"id": f"{n}", "text": "red " * (1 + n * 5 % 17)} for n in range(20)]
    write(source, [json.dumps(row).encode() for row in rows])
    assert tallies(score([str(source)], out, Local(classifier)))[-1].scored == 20
    assert [record["id"] for record in records(out)] == [row["id"] for row in rows]


def test_long_texts_are_scored_in_smaller_chunks(
    classifier: Classifier, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "CHUNK_TEXT", 10)
    write(source, [b'{"text": "1234567890"}', b"bad", *[b'{"text": "1234"}'] * 4])
    found = [tally.read for tally in tallies(score([str(source)], out, Local(classifier)))]
    assert found == [1, 4, 6]
    assert len(records(out)) == 5


@pytest.mark.parametrize(
    ("line", "raw"),
    [
        (b"bad \r", "bad"),
        (b'  {"text": 1}', '  {"text": 1}'),
        ('{"Ж": "😀"}'.encode(), '{"Ж": "😀"}'),
        (b'{"text": "\xff"}', '{"text": "\\xff"}'),
    ],
)
def test_a_rejected_line_is_kept_to_be_mended(
    classifier: Classifier, source: Path, out: Path, line: bytes, raw: str
) -> None:
    tallies(score([str(write(source, [line]))], out, Local(classifier)))
    [entry] = records(rejects_path(out))
    assert entry["raw"].rstrip() == raw


def test_more_lines_than_a_chunk_are_all_scored(
    classifier: Classifier, source: Path, out: Path
) -> None:
    write(source, [b'{"text": "boat"}'] * (shards.CHUNK + 1))
    found = tallies(score([str(source)], out, Local(classifier)))
    assert [tally.read for tally in found] == [shards.CHUNK, shards.CHUNK + 1]
    assert len(records(out)) == shards.CHUNK + 1


def test_blank_lines_are_skipped_but_numbered(
    classifier: Classifier, source: Path, out: Path
) -> None:
    write(source, [b"", b"  \t", GOOD, b"\r", b"", b"bad", b""])
    assert tallies(score([str(source)], out, Local(classifier))) == [
        Totals(read=2, scored=1, rejected=1)
    ]
    assert [entry["position"] for entry in records(rejects_path(out))] == [6]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_byte_order_mark_and_windows_line_ends_are_taken(
    classifier: Classifier, source: Path, out: Path, end: bytes
) -> None:
    write(source, [b"\xef\xbb\xbf" + GOOD, GOOD], end)
    assert tallies(score([str(source)], out, Local(classifier)))[-1].scored == 2


def test_the_last_line_needs_no_line_end(classifier: Classifier, source: Path, out: Path) -> None:
    source.write_bytes(GOOD + b"\n" + GOOD)
    assert tallies(score([str(source)], out, Local(classifier)))[-1].scored == 2


@pytest.mark.parametrize(
    ("given", "returned"),
    [
        ('"7"', "7"),
        ("7", "7"),
        ("-1", "-1"),
        ("0", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (f'"{"x" * 256}"', "x" * 256),
        ('""', ""),
        ('"Ж\\n😀\u2028"', "Ж\n😀\u2028"),
        ("null", None),
    ],
)
def test_an_id_is_given_back_as_text(
    classifier: Classifier, source: Path, out: Path, given: str, returned: str | None
) -> None:
    write(source, [f'{{"text": "boat", "id": {given}}}'.encode()])
    assert tallies(score([str(source)], out, Local(classifier)))[-1].scored == 1
    [record] = records(out)
    assert record.get("id") == returned
    assert ("id" in record) == (returned is not None)


def test_other_fields_are_ignored(classifier: Classifier, source: Path, out: Path) -> None:
    write(source, [b'{"text": "boat", "id": "1", "date": "2026-01-01", "narratives": 3}'])
    assert tallies(score([str(source)], out, Local(classifier)))[-1].scored == 1


def test_a_record_is_the_prediction_object(classifier: Classifier, source: Path, out: Path) -> None:
    write(source, [GOOD])
    tallies(score([str(source)], out, Local(classifier), Options(scores=True)))
    expected = classifier.predict([Item("the red tractor", "good")], scores=True)[0]
    assert records(out) == [expected.as_json()]
    tallies(score([str(source)], out, Local(classifier)))
    assert "scores" not in records(out)[0]


def test_without_bad_lines_there_is_no_rejects_file_and_an_earlier_one_goes(
    classifier: Classifier, source: Path, out: Path
) -> None:
    rejects = rejects_path(out)
    tallies(score([str(write(source, [b"bad", GOOD]))], out, Local(classifier)))
    assert len(records(rejects)) == 1
    tallies(score([str(source)], out, Local(classifier)))
    assert len(records(rejects)) == 1
    tallies(score([str(write(source, [GOOD]))], out, Local(classifier)))
    assert sorted(path.name for path in out.parent.iterdir()) == [out.name]


def test_an_empty_source_has_an_empty_output(
    classifier: Classifier, source: Path, out: Path
) -> None:
    source.write_bytes(b"")
    assert tallies(score([str(source)], out, Local(classifier))) == [Totals()]
    assert out.read_bytes() == b""


def test_the_output_appears_only_when_it_is_complete(
    classifier: Classifier, source: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shards, "CHUNK", 1)
    run = score([str(write(source, [GOOD] * 3))], out, Local(classifier))
    for expected in (1, 2, 3, 3):
        assert next(run).scored == expected
        assert not out.exists()
    assert next(run, None) is None
    assert len(records(out)) == 3
    assert sorted(path.name for path in out.parent.iterdir()) == [out.name]


def test_an_earlier_output_stays_until_the_new_one_is_complete(
    classifier: Classifier, source: Path, out: Path
) -> None:
    out.parent.mkdir()
    out.write_text("earlier\n")
    run = score([str(write(source, [GOOD]))], out, Local(classifier))
    next(run)
    assert out.read_text() == "earlier\n"
    tallies(run)
    assert len(records(out)) == 1


def test_a_run_that_breaks_leaves_no_output_and_goes_on_where_it_was(
    classifier: Classifier, source: Path, out: Path
) -> None:
    asked: list[str | None] = []

    def predict(items: Sequence[Item], *, scores: bool) -> list[Prediction]:
        if len(asked) == 1:
            raise MemoryError
        asked.extend(item.id for item in items)
        return classifier.predict(items, scores=scores)

    breaking = cast(
        Classifier,
        SimpleNamespace(
            predict=predict, manifest=classifier.manifest, narratives=classifier.narratives
        ),
    )
    write(source, [b'{"text": "boat", "id": %d}' % n for n in range(3)])
    with pytest.raises(MemoryError):
        tallies(score([str(source)], out, Local(breaking), Options(shard_records=1)))
    assert not out.exists()
    asked.clear()
    tallies(score([str(source)], out, Local(classifier), Options(shard_records=1)))
    assert [record["id"] for record in records(out)] == ["0", "1", "2"]
    assert list(out.parent.iterdir()) == [out]


def test_the_source_is_never_its_own_output(classifier: Classifier, source: Path) -> None:
    write(source, [GOOD] * 3)
    with pytest.raises(ServingError, match="pass another --out"):
        tallies(score([str(source)], source, Local(classifier)))
    assert [record["id"] for record in records(source)] == ["good"] * 3
    assert list(source.parent.iterdir()) == [source]


def test_a_source_that_has_the_name_of_the_rejects_is_not_deleted(
    classifier: Classifier, source: Path
) -> None:
    rejects = write(rejects_path(source), [GOOD] * 3)
    with contextlib.suppress(ServingError):
        tallies(score([str(rejects)], source, Local(classifier)))
    assert rejects.exists()
    assert [record.get("id") for record in records(rejects)] == ["good"] * 3


@pytest.mark.parametrize("start", [b"", b"\xef\xbb\xbf"])
def test_a_txt_file_is_one_text_with_its_name_as_id(
    classifier: Classifier, tmp_path: Path, out: Path, start: bytes
) -> None:
    text = 'A headline\n\n{"text": "not JSON"} and «Россия».\n'
    article = tmp_path / "article.2026.txt"
    article.write_bytes(start + text.encode())
    found = tallies(score([str(article)], out, Local(classifier), Options(scores=True)))
    assert found == [Totals(read=1, scored=1)]
    expected = classifier.predict([Item(text, "article.2026")], scores=True)[0]
    assert records(out) == [expected.as_json()]


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b" \n", "empty"), (b"ab\xff", "not UTF-8 (byte 2)"), (b"a\0", "NUL")],
)
def test_a_txt_file_that_cannot_be_classified_is_rejected(
    classifier: Classifier, tmp_path: Path, out: Path, content: bytes, reason: str
) -> None:
    article = tmp_path / "article.txt"
    article.write_bytes(content)
    assert tallies(score([str(article)], out, Local(classifier))) == [Totals(read=1, rejected=1)]
    assert out.read_bytes() == b""
    [entry] = records(rejects_path(out))
    assert reason in entry["reason"]


def test_a_missing_source_is_named(classifier: Classifier, source: Path, out: Path) -> None:
    with pytest.raises(ServingError, match=rf"{source.name} cannot be read") as caught:
        tallies(score([str(source)], out, Local(classifier)))
    assert "\n" not in str(caught.value)
    assert not out.exists()


def test_a_missing_source_leaves_nothing_behind(
    classifier: Classifier, source: Path, out: Path
) -> None:
    with pytest.raises(ServingError):
        tallies(score([str(source)], out, Local(classifier)))
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_a_missing_source_leaves_an_earlier_run_as_it_was(
    classifier: Classifier, source: Path, out: Path
) -> None:
    tallies(score([str(write(source, [GOOD, b"bad"]))], out, Local(classifier)))
    with pytest.raises(ServingError):
        tallies(score([str(source.with_name("mistyped.jsonl"))], out, Local(classifier)))
    assert len(records(out)) == 1
    assert rejects_path(out).exists()


@pytest.mark.parametrize(
    "name", ["a-file/labelled.jsonl", "a-folder.jsonl", "a-file", "labelled.csv", "full"]
)
def test_an_output_that_cannot_be_written_is_named_before_anything_is_scored(
    classifier: Classifier, source: Path, tmp_path: Path, name: str
) -> None:
    write(source, [GOOD])
    (tmp_path / "a-folder.jsonl").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "of-others.txt").write_text("x")
    (tmp_path / "a-file").write_text("not a folder")
    with pytest.raises(ServingError, match=name.partition("/")[0]):
        next(score([str(source)], tmp_path / name, Local(classifier)))


@pytest.mark.parametrize(
    ("out", "rejects"),
    [
        ("a/out.jsonl", "a/out.rejects.jsonl"),
        ("out", "out/rejects.jsonl"),
        ("2026.05.jsonl", "2026.05.rejects.jsonl"),
    ],
)
def test_rejects_stand_beside_the_output(out: str, rejects: str) -> None:
    assert rejects_path(Path(out)) == Path(rejects)
