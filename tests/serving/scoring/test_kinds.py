"""Every kind of source: what it holds is read, and what is broken costs as little as it can."""

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving.classifier import LONGEST
from serving.scoring.columns import Columns
from serving.scoring.kinds import Reading, kind_of
from serving.scoring.limits import Limits
from tests.serving.scoring.conftest import jsonl, read, records, rejects

ARTICLE = "The red tractor is good and the blue boat is bad, the ministry said today. " * 8
PAGE = (
    '<html lang="en"><head><title>Tractors</title>'
    '<meta property="article:published_time" content="2024-02-03"></head>'
    f"<body><nav><a href='/'>Menu</a></nav><article><h1>Tractors</h1><p>{ARTICLE}</p></article>"
    "</body></html>"
)
RSS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel>
<title>News</title><language>uk</language>
<item><title>Boats &amp; trains</title><link>https://example.org/1</link><guid>g1</guid>
<pubDate>Mon, 01 Jan 2024 10:00:00 +0100</pubDate>
<description>short</description>
<content:encoded><![CDATA[<p>The boat is <b>good</b>.</p><script>x()</script><p>Yes.</p>]]>
</content:encoded></item>
<item><title>Only a headline</title></item>
<item><guid>empty</guid></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>News</title>
<entry xml:lang="kk"><id>a1</id><title>Title</title><updated>2024-01-01T00:00:00Z</updated>
<link rel="self" href="https://example.org/self"/><link href="https://example.org/a1"/>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>The boat.</p></div></content>
</entry></feed>"""
TABLE = {
    "id": ["1", "2"],
    "text": ["red tractor", "blue boat"],
    "date": ["2024-01-01", None],
    "lang": ["en", "ru"],
}


def archive(pages: list[tuple[str, str, bytes]], *, compressed: bool = True) -> bytes:
    """Return a WARC of responses: status, media type, body."""
    whole = b""
    for number, (status, media, body) in enumerate(pages):
        http = f"HTTP/1.0 {status}\r\nContent-Type: {media}\r\n\r\n".encode() + body
        head = (
            f"WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.org/{number}\r\n"
            f"WARC-Date: 2024-01-01T00:00:00Z\r\nWARC-Record-ID: <urn:uuid:{number}>\r\n"
            "Content-Type: application/http; msgtype=response\r\n"
            f"Content-Length: {len(http)}\r\n\r\n"
        )
        record = head.encode() + http + b"\r\n\r\n"
        whole += gzip.compress(record) if compressed else record
    return whole


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_table_has_a_row_a_record(tmp_path: Path, delimiter: str, start: str) -> None:
    rows = [["id", "Text", "date"], ["7", '"red ""big""\ntractor"', "2024-01-02"], ["", "boat", ""]]
    path = tmp_path / "posts.csv"
    path.write_text(start + "\n".join(delimiter.join(row) for row in rows), encoding="utf-8")
    first, second = records(path)
    assert (first.id, first.text, first.date) == ("7", 'red "big"\ntractor', "2024-01-02")
    assert (second.id, second.text, second.date) == (None, "boat", None)
    assert (first.position, second.position) == (2, 3)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1,,", "empty"),
        (b"1", "empty"),
        (b"1,a,b,c,d", "5 fields"),
        (b"1,\xff,", "not UTF-8"),
        (b'1,"a"b,', "not CSV"),
        (b"1,a\0b,", "NUL"),
        (b"x" * 300 + b",a,", "id"),
    ],
)
def test_a_bad_row_costs_itself_alone(tmp_path: Path, row: bytes, reason: str) -> None:
    path = tmp_path / "posts.csv"
    path.write_bytes(b"id,text,date\n1,red,\n" + row + b"\n2,blue,\n")
    found = read(path)
    assert len(found) == 3
    [reject] = rejects(path)
    assert reason in reject.reason
    assert reject.position == 3


def test_a_quote_that_never_ends_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "posts.csv"
    path.write_text('id,text\n1,red\n2,"blue\n3,green\n')
    assert len(read(path)) == 2
    [reject] = rejects(path)
    assert "not CSV (lines 3 to 4)" in reject.reason


def test_a_line_without_end_is_a_reject_of_either_kind_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.scoring.lines.Lines.__init__", _short_lines)
    table, objects = tmp_path / "posts.csv", tmp_path / "posts.jsonl"
    table.write_text("id,text\n1," + "a" * 500 + "\n2,boat\n")
    objects.write_text('{"text": "' + "a" * 500 + '"}\n{"text": "boat"}\n')
    for path in (table, objects):
        [reject] = rejects(path)
        assert "more than" in reject.reason
        assert len(read(path)) == 2


def _short_lines(self: Any, stream: Any) -> None:
    self._stream, self._longest, self.cut = stream, 100, False


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.arrows", "t.parquet.gz", "t.arrow.gz"])
def test_columnar_files_have_a_row_a_record(tmp_path: Path, name: str) -> None:
    path = columnar(tmp_path / name, pa.table(TABLE))
    first, second = records(path)
    assert (first.id, first.text, first.date, first.language) == (
        "1",
        "red tractor",
        "2024-01-01",
        "en",
    )
    assert (second.text, second.date, second.position) == ("blue boat", None, 2)


@pytest.mark.parametrize("name", ["t.parquet", "t.arrow", "t.arrows"])
def test_a_columnar_file_that_is_cut_off_or_altered_is_a_reject(tmp_path: Path, name: str) -> None:
    whole = columnar(tmp_path / name, pa.table({"text": ["boat " * 50] * 2000})).read_bytes()
    for broken in (whole[: len(whole) // 2], whole[:-3], whole[:4], whole[:20] + whole[90:]):
        path = tmp_path / f"broken-{name}"
        path.write_bytes(broken)
        found = read(path)
        assert len(found) - len(rejects(path)) <= 2000
        assert len(rejects(path)) <= 1


def test_ids_that_are_numbers_and_missing_texts_of_columns(tmp_path: Path) -> None:
    table = pa.table({"id": [1.0, None, 2.5], "text": ["a", None, "b"]})
    found = read(columnar(tmp_path / "t.parquet", table))
    assert [getattr(entry, "id", None) for entry in found] == ["1", None, None]
    assert len(rejects(tmp_path / "t.parquet")) == 2


def test_a_column_of_numbers_is_no_text(tmp_path: Path) -> None:
    [reject] = rejects(columnar(tmp_path / "t.parquet", pa.table({"text": [1, 2]})))
    assert "int64" in reject.reason


def test_a_dictionary_column_is_text(tmp_path: Path) -> None:
    table = pa.table({"text": pa.array(["a", "b", "a"]).dictionary_encode()})
    assert [r.text for r in records(columnar(tmp_path / "t.arrow", table))] == ["a", "b", "a"]


def columnar(path: Path, table: pa.Table) -> Path:
    sink = io.BytesIO()
    if ".parquet" in path.name:
        pq.write_table(table, sink)
    else:
        new = pa.ipc.new_stream if ".arrows" in path.name else pa.ipc.new_file
        with new(sink, table.schema) as writer:
            writer.write_table(table)
    whole = sink.getvalue()
    path.write_bytes(gzip.compress(whole) if path.suffix == ".gz" else whole)
    return path


@pytest.mark.parametrize("compressed", [True, False])
def test_an_archive_has_a_page_a_record(tmp_path: Path, compressed: bool) -> None:
    path = tmp_path / ("a.warc.gz" if compressed else "a.warc")
    pages = [
        ("200 OK", "text/html; charset=utf-8", PAGE.encode()),
        ("404 Not Found", "text/html", PAGE.encode()),
        ("200 OK", "image/png", b"\x89PNG"),
        ("200 OK", "text/plain", b"The boat."),
    ]
    path.write_bytes(archive(pages, compressed=compressed))
    page, plain = records(path)
    assert "red tractor" in page.text
    assert "Menu" not in page.text
    assert (page.url, page.title) == ("http://example.org/0", "Tractors")
    assert (plain.text, plain.date) == ("The boat.", "2024-01-01T00:00:00Z")


def test_an_archive_that_is_cut_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    whole = archive([("200 OK", "text/plain", b"The boat.")] * 3)
    path.write_bytes(whole[:-30])
    [reject] = rejects(path)
    assert "not whole gzip" in reject.reason
    assert [getattr(entry, "text", None) for entry in read(path)] == ["The boat."] * 2 + [None]


def test_a_long_page_is_read_whole(tmp_path: Path) -> None:
    text = "The boat. " * 9000
    path = tmp_path / "a.warc.gz"
    path.write_bytes(archive([("200 OK", "text/plain", text.encode())]))
    assert [page.text for page in records(path)] == [text]


def test_an_archive_that_is_none_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "a.warc"
    path.write_bytes(b"no archive at all\n" * 10)
    assert len(rejects(path)) == len(read(path)) == 1


def test_a_page_whose_body_is_broken_costs_itself_alone(tmp_path: Path) -> None:
    pages = [
        ("200 OK", "text/html", b""),
        ("200 OK", "text/html", b"\xff\xfe\0<<<>>>"),
        ("200 OK", "text/plain", b""),
        ("200 OK", "text/plain", b"The boat."),
    ]
    path = tmp_path / "a.warc"
    path.write_bytes(archive(pages, compressed=False))
    assert len(read(path)) == 4
    assert len(rejects(path)) == 3


def test_a_page_gives_its_main_text(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGE)
    [page] = records(path)
    assert "red tractor" in page.text
    assert "Menu" not in page.text
    assert (page.id, page.title, page.date) == ("page", "Tractors", "2024-02-03")


@pytest.mark.parametrize(
    "content", [b"<html></html>", b"<" * 5000, b"\xff" * 99, b"<div>" * 50_000]
)
def test_a_page_without_text_is_a_reject(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(content)
    assert len(rejects(path)) == len(read(path)) == 1


def test_an_rss_feed_has_an_item_a_record(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_text(RSS)
    found = read(path)
    assert len(found) == 3
    first, second = [entry for entry in found if not hasattr(entry, "reason")]
    assert first.text == "Boats & trains\n\nThe boat is good.\nYes."
    assert (first.id, first.url, first.language) == ("g1", "https://example.org/1", "uk")
    assert first.date == "Mon, 01 Jan 2024 10:00:00 +0100"
    assert second.text == "Only a headline"
    assert str(second.id).startswith("words-")
    [reject] = rejects(path)
    assert "empty" in reject.reason


def test_an_atom_feed_has_an_entry_a_record(tmp_path: Path) -> None:
    path = tmp_path / "feed.atom"
    path.write_text(ATOM)
    [entry] = records(path)
    assert (entry.id, entry.text, entry.language) == ("a1", "Title\n\nThe boat.", "kk")
    assert entry.url == "https://example.org/a1"


@pytest.mark.parametrize(
    "start",
    [
        '<!DOCTYPE rss [<!ENTITY a "boat"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE rss SYSTEM "http://example.org/x.dtd">',
    ],
)
def test_a_feed_with_a_document_type_is_refused(tmp_path: Path, start: str) -> None:
    path = tmp_path / "feed.rss"
    path.write_text(f"{start}<rss><channel><item><title>&b;</title></item></channel></rss>")
    [reject] = read(path)
    assert "document type" in getattr(reject, "reason", "")


@pytest.mark.parametrize("encoding", ["bogus", "utf-7", "shift_jis"])
def test_a_feed_in_an_unknown_encoding_is_a_reject(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "feed.rss"
    path.write_text(f'<?xml version="1.0" encoding="{encoding}"?><rss/>')
    [reject] = rejects(path)
    assert "encoding" in reject.reason


def test_strings_that_are_not_utf_8_cost_their_row_alone(tmp_path: Path) -> None:
    texts = pa.array([b"boat", b"\xff", None, b"red"]).view(pa.string())
    found = read(columnar(tmp_path / "t.arrow", pa.table({"text": texts})))
    assert [getattr(entry, "text", None) for entry in found] == ["boat", None, None, "red"]


def test_a_feed_that_is_cut_off_keeps_what_came_before(tmp_path: Path) -> None:
    path = tmp_path / "feed.rss"
    path.write_text(RSS[: RSS.index("<item><guid>empty")] + "<item><title>cut")
    assert len(read(path)) == 3
    assert "after item 2" in rejects(path)[0].reason


@pytest.mark.parametrize(
    ("name", "head", "kind"),
    [
        ("posts.jsonl.gz", b"", "jsonl"),
        ("posts.CSV", b"", "csv"),
        ("posts", b'\xef\xbb\xbf{"text": 1}', "jsonl"),
        ("posts.txt", b'{"text": 1}', "text"),
        ("posts.jsonl", b"PAR1....", "parquet"),
        ("posts", b"ARROW1\0\0", "arrow"),
        ("posts", b"WARC/1.0\r\n", "warc"),
        ("a.xml", b"<?xml version='1.0'?><!-- <html> --><rss>", "feed"),
        ("a.xml", b"<rdf:RDF xmlns:rdf='x'>", "feed"),
        ("a.xml", b"<urlset>", "sitemap"),
        ("a", b"<!DOCTYPE html><HTML>", "html"),
        ("a", b"<p>Text", "html"),
        ("a.xml", b"<?xml version='1.0'?><other/>", None),
        ("a", b"Some text.", "text"),
        ("a.png", b"\x89PNG\0\0", None),
        ("a", b"", None),
    ],
)
def test_a_kind_is_told_by_name_and_content(name: str, head: bytes, kind: str | None) -> None:
    assert kind_of(name, head) == kind


def test_a_source_of_no_kind_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\0\0")
    [reject] = rejects(tmp_path / "a.png")
    assert "no kind" in reject.reason


def test_columns_are_guessed_and_told(tmp_path: Path) -> None:
    told: list[tuple[str, str]] = []
    path = tmp_path / "posts.csv"
    path.write_text("GUID,Headline,Body,published,lang\n1,H,boat,2024,en\n")
    [record] = records(path, Reading(tell=lambda *choice: told.append(choice)))
    assert (record.id, record.title, record.text, record.language) == ("1", "H", "boat", "en")
    assert told == [(str(path), "text=Body id=GUID date=published language=lang title=Headline")]


def test_columns_that_are_given_are_taken(tmp_path: Path) -> None:
    columns = Columns(text="b", id="a")
    path = tmp_path / "posts.csv"
    path.write_text("text,a,b\nno,1,boat\n")
    [record] = records(path, Reading(columns))
    assert (record.id, record.text) == ("1", "boat")
    objects = jsonl(tmp_path / "posts.jsonl", [{"text": "no", "b": "boat", "a": 1}, {"b": "red"}])
    assert [(r.id, r.text) for r in records(objects, Reading(columns))] == [
        ("1", "boat"),
        (None, "red"),
    ]


@pytest.mark.parametrize("columns", [Columns(), Columns(text="nowhere")])
def test_a_table_without_the_column_names_those_that_it_has(
    tmp_path: Path, columns: Columns
) -> None:
    path = tmp_path / "posts.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    [reject] = read(path, Reading(columns))
    assert "'a', 'b'" in getattr(reject, "reason", "")


def test_objects_with_the_text_under_another_usual_name_are_read(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [{"id": 1, "content": "boat", "url": "u"}, {"content": "red"}]
    first, second = records(jsonl(tmp_path / "posts.jsonl", rows))
    assert (first.text, first.url, second.text) == ("boat", "u", "red")


def test_metadata_that_cannot_be_written_is_mended_and_bounded(tmp_path: Path) -> None:
    row = {"text": "boat", "title": "a\ud83d", "url": "u" * 9000, "date": 2024, "lang": ["en"]}
    path = tmp_path / "posts.jsonl"
    path.write_text(json.dumps(row))
    [record] = records(path)
    assert (record.title, record.date) == ("a\\ud83d", "2024")
    assert len(record.url or "") == 2000


def test_a_record_of_too_many_characters_is_a_reject(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "posts.jsonl", [{"text": "a" * 11}, {"text": "a" * 10}])
    [reject] = rejects(path, Reading(limits=Limits(characters=10)))
    assert "at most 10" in reject.reason
    assert Limits().characters == LONGEST
