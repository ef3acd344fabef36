"""From names to sources: folders, globs, addresses, lists, and what is refused."""

import zipfile
from pathlib import Path

import fsspec
import pytest

from serving.errors import ServingError
from serving.scoring.kinds import Reading
from serving.scoring.reading import entries
from serving.scoring.records import Record
from serving.scoring.sources import expand

LINE = '{"text": "boat"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.jsonl",
        "a.jsonl",
        "deep/c.csv",
        ".hidden.jsonl",
        ".git/d.jsonl",
        "out/e.jsonl",
    ):
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(LINE)
    return tmp_path / "in"


def names(found: list[object]) -> list[str]:
    return [Path(str(getattr(source, "name", source))).name for source in found]


def test_a_folder_is_all_of_its_files_in_order_without_our_output(folder: Path) -> None:
    found = expand([str(folder)], without=[folder / "out"])
    assert names([*found]) == ["a.jsonl", "b.jsonl", "c.csv"]


def test_a_glob_is_the_files_that_match(folder: Path) -> None:
    assert names([*expand([f"{folder}/*.jsonl"])]) == ["a.jsonl", "b.jsonl"]
    assert names([*expand([f"{folder}/**/*.csv"])]) == ["c.csv"]


def test_a_file_that_is_named_twice_is_read_once(folder: Path) -> None:
    (folder / "link.jsonl").symlink_to(folder / "a.jsonl")
    found = expand([f"{folder}/b.jsonl", str(folder), f"{folder}/../in/a.jsonl"])
    assert names([*found]) == ["b.jsonl", "a.jsonl", "c.csv", "e.jsonl"]


def test_a_file_whose_name_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "a[1].jsonl").write_text(LINE)
    assert names([*expand([str(tmp_path / "a[1].jsonl")])]) == ["a[1].jsonl"]


@pytest.mark.parametrize("name", ["missing.jsonl", "*.nothing", "memory://nothing/at/all"])
def test_a_name_that_stands_for_nothing_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ServingError, match="cannot be read") as caught:
        expand([name if "://" in name else str(tmp_path / name)])
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_output_that_is_named_as_a_source_is_refused(folder: Path) -> None:
    with pytest.raises(ServingError, match="pass another --out"):
        expand([f"{folder}/a.jsonl"], without=[folder / "a.jsonl"])


@pytest.mark.parametrize(
    "name",
    ["https://example.org/feed.xml", "HTTP://example.org/"],
)
def test_the_web_is_refused_where_nothing_can_be_fetched(name: str) -> None:
    with pytest.raises(ServingError, match="nothing is fetched here"):
        expand([name])


def test_the_inside_of_a_file_on_the_web_is_refused_with_a_remedy() -> None:
    with pytest.raises(ServingError, match="save it and pass the file"):
        expand(["zip://a::https://example.org/b"])


def test_files_inside_an_archive_are_named_with_it(folder: Path) -> None:
    archive = folder / "desk.zip"
    with zipfile.ZipFile(archive, "w") as sink:
        for name in ("a.jsonl", "b.jsonl"):
            sink.write(folder / name, name)
    found = expand([f"zip://*.jsonl::{archive}"])
    assert [source.name for source in found] == [
        f"zip://a.jsonl::{archive}",
        f"zip://b.jsonl::{archive}",
    ]
    assert len(list(entries(found, Reading()))) == 2


def test_a_file_system_that_nobody_knows_is_one_sentence() -> None:
    with pytest.raises(ServingError, match="cannot be read"):
        expand(["nosuch://place/a.jsonl"])


def test_an_address_is_read_like_a_file() -> None:
    files = fsspec.filesystem("memory")
    for name in ("a", "b"):
        with files.open(f"/posts/{name}.jsonl", "wb") as sink:
            sink.write(LINE.encode())
    for address in ("memory://posts", "memory://posts/*.jsonl"):
        found = expand([address])
        assert [source.name for source in found] == [
            "memory://posts/a.jsonl",
            "memory://posts/b.jsonl",
        ]
        read = list(entries(found, Reading()))
        assert [entry.text for entry in read if isinstance(entry, Record)] == ["boat", "boat"]


@pytest.mark.parametrize(
    "content",
    [
        '<opml version="2.0"><body><outline text="x">'
        '<outline xmlUrl="{}"/></outline></body></opml>',
        '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "<url><loc> {} </loc></url></urlset>",
    ],
    ids=["opml", "sitemap"],
)
class TestLists:
    def listing(self, folder: Path, content: str, name: str) -> Path:
        path = folder / "list.xml"
        path.write_text(content.replace("{}", name))
        return path

    def test_a_list_is_the_files_that_it_names(self, folder: Path, content: str) -> None:
        for name in ("deep/c.csv", (folder / "deep/c.csv").resolve().as_uri()):
            found = expand([str(self.listing(folder, content, name))])
            assert names([*found]) == ["c.csv"]

    @pytest.mark.parametrize(
        ("name", "reason"),
        [
            ("https://example.org/rss", "on the web"),
            ("ftp://example.org/rss", "no local file"),
            ("../outside.jsonl", "outside"),
            ("/etc/passwd", "outside"),
            ("file:///etc/passwd", "outside"),
            ("missing.jsonl", "no such file"),
        ],
    )
    def test_a_list_may_name_only_files_below_it(
        self, folder: Path, content: str, name: str, reason: str
    ) -> None:
        (folder.parent / "outside.jsonl").write_text(LINE)
        with pytest.raises(ServingError, match=reason):
            expand([str(self.listing(folder, content, name))])

    def test_a_list_that_names_itself_ends(self, folder: Path, content: str) -> None:
        with pytest.raises(ServingError, match="nested"):
            expand([str(self.listing(folder, content, "list.xml"))])


@pytest.mark.parametrize(
    "content",
    ["<opml>", '<!DOCTYPE opml [<!ENTITY a "b">]><opml>&a;</opml>'],
    ids=["cut off", "entities"],
)
def test_a_list_that_is_broken_is_one_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "list.opml").write_text(content)
    with pytest.raises(ServingError, match="no list that can be read") as caught:
        expand([str(tmp_path / "list.opml")])
    assert "\n" not in str(caught.value)


def test_a_file_that_may_not_be_read_or_vanishes_is_a_reject(folder: Path) -> None:
    found = expand([str(folder / "a.jsonl"), str(folder / "b.jsonl")])
    (folder / "a.jsonl").unlink()
    first, second = entries(found, Reading())
    assert "cannot be read" in getattr(first, "reason", "")
    assert isinstance(second, Record)
