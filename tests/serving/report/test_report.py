"""Reports: counts by story and by copy, and a page that no feed can turn against its reader."""

import json
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from serving import cli
from serving.classifier import Classifier
from serving.errors import ServingError
from serving.report import rows as outputs
from serving.report.command import report
from serving.report.page import html
from serving.report.summary import MOST_STEPS, Count, Summary, summary
from serving.report.terminal import text
from serving.report.words import one_line
from serving.scoring.engines.local import Local
from serving.scoring.options import Options
from serving.scoring.run import score
from tests.conftest import RELEASED
from tests.serving.scoring.conftest import classifier, jsonl  # noqa: F401 (a fixture)


def finding(
    narrative: str, stance: str = "advances", decision: str = "accept", confidence: float = 0.9
) -> dict[str, Any]:
    return {
        "narrative": narrative,
        "confidence": confidence,
        "decision": decision,
        "stance": stance,
        "stance_confidence": 0.8,
        "begin": 2,
        "end": 6,
    }


def row(name: str, *findings: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "source": "https://a.example/feed",
        "position": 1,
        "id": name,
        "language": "ru",
        "narratives": [*findings],
        "published_at": "2026-01-05T08:00:00Z",
        "url": f"https://A.example/{name}",
        "model": "toy",
        "taxonomy_version": "1",
        "scored_at": "2026-02-01T00:00:00Z",
        **more,
    }


def copy(name: str, of: str, **more: Any) -> dict[str, Any]:
    made = {**row(name), "copy_of": of, "copy_of_source": "https://a.example/feed", **more}
    return {key: value for key, value in made.items() if key not in ("narratives", "language")}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    jsonl(
        folder / "shard-000000.jsonl",
        [
            row("1", finding("war-fear"), finding("plots", "rebuts"), text="x war is near"),
            row("2", finding("war-fear", confidence=0.7), published_at="2026-01-07T23:59:59Z"),
            row("3", finding("plots", decision="review"), language="uk"),
            row("4"),
        ],
    )
    jsonl(
        folder / "shard-000001.jsonl",
        [
            copy("5", "1", url="https://b.example/5", published_at="2026-01-07T10:00:00Z"),
            copy("6", "1", url="https://b.example/6", published_at=None),
            row("7", published_at=None, url=None, source="posts/desk.jsonl"),
        ],
    )
    jsonl(folder / "rejects.jsonl", [{"source": "s", "position": 1, "reason": "no text"}] * 2)
    (folder / "manifest.jsonl").write_text('{"format": 1}\n{"complete": true}\n')
    return folder


def test_findings_are_counted_by_story_and_with_copies(out: Path) -> None:
    found = summary(out)
    assert (found.rows, found.stories, found.copies, found.undated) == (7, 5, 2, 2)
    war, plots = found.narratives
    assert war.id == "war-fear"
    assert war.stances["advances"] == Count(stories=2, copies=4)
    assert plots.stances["rebuts"] == Count(stories=1, copies=3)
    assert plots.review == Count(stories=1, copies=1)
    assert found.with_accepted == Count(stories=2, copies=4)
    assert found.for_review == Count(stories=1, copies=1)
    assert found.rejected == {"no text": 2}
    assert found.complete is True
    assert found.models == ["toy"]


def test_time_has_no_gaps_and_counts_a_copy_on_its_own_day(out: Path) -> None:
    found = summary(out)
    assert [f"{time:%m-%d}" for time in found.times] == ["01-05", "01-06", "01-07"]
    assert found.over_time == {"war-fear": [1, 0, 2]}
    assert summary(out, step="month").over_time == {"war-fear": [3]}
    assert summary(out, step="week").times == [datetime(2026, 1, 5, tzinfo=UTC)]


def test_sources_are_hosts_or_files_and_languages_are_those_of_the_story(out: Path) -> None:
    found = summary(out)
    assert {(g.name, g.rows, g.advances, g.review) for g in found.sources} == {
        ("a.example", 4, 2, 1),
        ("b.example", 2, 2, 0),
        ("desk.jsonl", 1, 0, 0),
    }
    assert {(g.name, g.rows) for g in found.languages} == {("ru", 6), ("uk", 1)}


def test_the_surest_passages_come_first_with_their_words(out: Path) -> None:
    found = summary(out, top=1)
    (one,) = found.top
    assert (one.id, one.confidence, one.copies, one.passage) == ("1", 0.9, 2, "war ")
    assert [one.id for one in summary(out, top=2).top] == ["1", "2"]
    assert summary(out, top=0).top == []


def test_parquet_says_the_same_as_jsonl(
    classifier: Classifier,  # noqa: F811
    tmp_path: Path,
) -> None:
    rows = [{"id": n, "text": f"red tractor {n} boat", "date": "2026-01-05"} for n in range(8)]
    source = jsonl(tmp_path / "in.jsonl", [*rows, {"id": "copy", "text": rows[0]["text"]}])
    found = []
    for format_ in ("jsonl", "parquet"):
        options = Options(format=format_, with_text=True, shard_records=4)  # type: ignore[arg-type]
        now = datetime(2026, 2, 1, tzinfo=UTC)
        sources = [str(source)] * 2
        for _ in score(sources, tmp_path / format_, Local(classifier), options, now=now):
            pass
        found.append(summary(tmp_path / format_))
    first, second = found
    assert first.rows == 9
    assert first.copies == 1
    assert {**vars(first), "out": ""} == {**vars(second), "out": ""}


def test_partitions_say_the_same_as_one_folder_of_shards(
    classifier: Classifier,  # noqa: F811
    tmp_path: Path,
) -> None:
    dates = ["2026-01-05", "2026-01-06", None]
    rows = [{"id": n, "text": f"red tractor {n} boat", "date": dates[n % 3]} for n in range(11)]
    source = jsonl(tmp_path / "in.jsonl", [*rows, {"id": "copy", "text": rows[0]["text"]}])
    now = datetime(2026, 2, 1, tzinfo=UTC)
    for format_ in ("jsonl", "parquet"):
        found = []
        for partition in (None, "date", "language", "date,language"):
            options = Options(
                format=format_,  # type: ignore[arg-type]
                partition=partition,  # type: ignore[arg-type]
                with_text=True,
                shard_records=4,
            )
            out = tmp_path / format_ / str(partition)
            for _ in score([str(source)], out, Local(classifier), options, now=now):
                pass
            # Stories of one confidence are told apart by their place, which differs here.
            found.append({**vars(summary(out, top=0)), "out": ""})
        assert (found[0]["rows"], found[0]["copies"], found[0]["undated"]) == (12, 1, 4)
        assert found[0]["narratives"]
        assert all(one == found[0] for one in found)


def test_what_has_no_finding_and_what_goes_to_a_person_are_told_as_shares(out: Path) -> None:
    found = summary(out)
    assert found.without == Count(stories=2, copies=2)
    assert "14.3 % go to a person, 28.6 % have no finding" in text(found)
    page = html(found)
    assert "rows for a person to read (14.3 %)" in page
    assert "rows without any finding (28.6 %)" in page
    assert page.count('class="review"') == 1


def test_a_copy_whose_story_is_elsewhere_has_no_finding(tmp_path: Path) -> None:
    found = summary(jsonl(tmp_path / "a.jsonl", [row("1", finding("plots")), copy("2", "gone")]))
    assert found.without == Count(stories=0, copies=1)
    assert found.with_accepted == Count(stories=1, copies=1)


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_a_date_that_cannot_be_neither_stretches_the_curves_nor_moves_them(
    tmp_path: Path, step: Any
) -> None:
    rows = [
        row(f"{n}", finding("war-fear"), published_at=f"{date}T08:00:00Z")
        for n, date in enumerate(["0001-01-01", "2026-01-05", "2026-01-07", "9999-12-31"])
    ]
    found = summary(jsonl(tmp_path / "a.jsonl", rows), step=step)
    assert len(found.times) == MOST_STEPS
    assert sum(found.over_time["war-fear"]) == 2
    assert found.off_time == 2
    assert "2 rows are dated outside" in html(found)


def test_rows_that_are_all_from_the_future_have_no_curves(tmp_path: Path) -> None:
    rows = [row("1", finding("war-fear"), published_at="9999-12-31T00:00:00Z")]
    found = summary(jsonl(tmp_path / "a.jsonl", rows))
    assert (found.times, found.over_time, found.off_time) == ([], {}, 1)
    assert "Over time" not in html(found)


def test_models_that_are_mixed_are_told(out: Path, tmp_path: Path) -> None:
    assert "models or taxonomies are mixed" not in text(summary(out))
    assert "Rows of several models" not in html(summary(out))
    mixed = summary(jsonl(tmp_path / "a.jsonl", [row("1"), row("2", model="other")]))
    assert mixed.models == ["other", "toy"]
    assert "models or taxonomies are mixed" in text(mixed)
    assert "Rows of several models" in html(mixed)


def test_reasons_without_end_are_counted_together(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "REASONS", 3)
    rejects = [{"reason": f"row {n} is bad"} for n in range(20)]
    jsonl(out / "rejects.jsonl", [*rejects, {"reason": "row 0 is bad"}])
    assert outputs.rejected(out) == {
        "other reasons": 17,
        "row 0 is bad": 2,
        "row 1 is bad": 1,
        "row 2 is bad": 1,
    }


def test_a_file_that_is_not_finished_is_told_of(tmp_path: Path, out: Path) -> None:
    out.rename(tmp_path / "labelled.jsonl.partial")
    with pytest.raises(ServingError, match=r"is not finished.*labelled\.jsonl\.partial"):
        summary(tmp_path / "labelled.jsonl")
    assert summary(tmp_path / "labelled.jsonl.partial").rows == 7


@pytest.mark.parametrize("format_", ["jsonl", "parquet"])
def test_what_was_scored_without_any_row_is_a_report_too(
    classifier: Classifier,  # noqa: F811
    tmp_path: Path,
    format_: Any,
) -> None:
    source = jsonl(tmp_path / "in.jsonl", [])
    for partition in (None, "date,language"):
        out = tmp_path / str(partition)
        options = Options(format=format_, partition=partition)  # type: ignore[arg-type]
        for _ in score([str(source)], out, Local(classifier), options):
            pass
        found = summary(out)
        assert (found.rows, found.stories, found.narratives) == (0, 0, [])
        assert "No narrative was found" in html(found)
        assert "–" in text(found)


def test_the_released_model_gives_a_report_by_the_commands_alone(tmp_path: Path) -> None:
    posts = [
        ("https://a.example/1", "2026-01-05", "en", "The protesters in the square were paid by "
         "foreign embassies, and everybody knows who stands behind this attempt at a coup."),
        ("https://b.example/2", "2026-01-06", "en", "The protesters in the square were paid by "
         "foreign embassies, and everybody knows who stands behind this attempt at a coup."),
        ("https://c.example/3", None, "ru", "Завтра в городе ожидается дождь, днём до семи "
         "градусов тепла, ветер слабый."),
    ]  # fmt: skip
    rows = [
        {"id": url, "url": url, "date": date, "lang": language, "text": told}
        for url, date, language, told in posts
    ]
    source, out = jsonl(tmp_path / "posts.jsonl", rows), tmp_path / "out"
    arguments = ["--partition", "date,language", "--format", "parquet", "--with-text"]
    for command in (["score", str(source), "--out", str(out), *arguments], ["report", str(out)]):
        page = ["--html", str(tmp_path / "page.html")] if command[0] == "report" else []
        with pytest.raises(SystemExit) as ended:
            cli.main([*command, *page])
        assert ended.value.code == 0
    found = summary(out)
    assert (found.rows, found.stories, found.copies, found.undated) == (3, 2, 1, 1)
    assert {(one.name, one.rows) for one in found.languages} == {("en", 2), ("ru", 1)}
    assert {one.name for one in found.sources} == {"a.example", "b.example", "c.example"}
    assert any(one.accepted or one.review.copies for one in found.narratives)
    known = json.loads((RELEASED / "manifest.json").read_text(encoding="utf-8"))["narratives"]
    assert {one.id for one in found.narratives} <= {label["id"] for label in known}
    assert "a.example" in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_plain_prediction_objects_have_no_dates_and_no_sources(tmp_path: Path) -> None:
    plain = {"id": "1", "language": "kk", "narratives": [finding("war-fear")], "model": "toy"}
    found = summary(jsonl(tmp_path / "labelled.jsonl", [plain]))
    assert (found.rows, found.undated, found.times, found.complete) == (1, 1, [], True)
    assert found.sources[0].name == "unknown"
    assert "Over time" not in html(found)
    assert "1 rows" in text(found)


def test_a_run_that_is_not_over_is_told(out: Path) -> None:
    (out / "manifest.jsonl").write_text('{"format": 1}\n')
    found = summary(out)
    assert "not complete" in text(found)
    assert "not complete" in html(found)


def test_an_output_without_findings_is_a_page_too(tmp_path: Path) -> None:
    found = summary(jsonl(tmp_path / "a.jsonl", [row("1")]))
    assert "No narrative was found" in html(found)
    assert "No narrative was found" in text(found)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.jsonl", None, "no such output"),
        ("a.csv", "a,b\n", "neither JSONL nor Parquet"),
        ("a.jsonl", '{"text": "boat"}\n', "without a model"),
        ("a.jsonl", "{broken\n", "cannot be read"),
        ("a.parquet", "not parquet", "cannot be read"),
    ],
)
def test_what_is_no_output_is_refused(
    tmp_path: Path, name: str, content: str | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ServingError, match=said) as caught:
        summary(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_folder_without_shards_and_a_foreign_parquet_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="no shards"):
        summary(tmp_path)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "shard-000000.parquet")
    with pytest.raises(ServingError, match="lacks model, narratives"):
        summary(tmp_path)


EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>\u202egnp.exe'


class Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def evil(tmp_path: Path) -> Summary:
    rows = [
        row(
            f"{EVIL}{number}",
            finding(f"war-fear{EVIL}", stance=stance),
            finding(f"plots{EVIL}", decision="review"),
            title=EVIL,
            url=url,
            text=EVIL * 50,
            source=f"https://{EVIL}/",
            language=EVIL,
            model=EVIL,
        )
        for number, (stance, url) in enumerate(
            [
                ("advances", "javascript:alert(1)"),
                ("advances", f"https://evil.example/{EVIL[:40]}"),
                ("advances", f"https://turned.example/{EVIL}"),
                (EVIL, "data:text/html,x"),
            ]
        )
    ]
    return summary(jsonl(tmp_path / "evil.jsonl", rows), top=5)


def test_no_feed_can_put_code_into_the_page(tmp_path: Path) -> None:
    page = Page()
    made = html(evil(tmp_path))
    page.feed(made)
    assert len(page.tags) > 50
    assert not {"script", "img", "iframe", "object", "link", "form", "base"} & {
        tag for tag, _ in page.tags
    }
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith("on") or name == "src"]
        if tag == "a":
            assert str(attributes["href"]).startswith("https://evil.example/")
            assert attributes["rel"] == "noreferrer noopener nofollow"
        elif "href" in attributes:
            raise AssertionError(f"{tag} leads to {attributes['href']}")
    assert "\u202e" not in made
    policy = next(a for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert str(policy["content"]).startswith("default-src 'none'")


def test_no_feed_can_turn_the_terminal_against_its_reader(tmp_path: Path) -> None:
    told = text(evil(tmp_path))
    assert "\u202e" not in told
    assert "\x1b" not in told


def test_text_is_one_line_of_what_can_be_seen() -> None:
    assert one_line("a\n\tb\u202e\x1b[31mc\u200bd", 20) == "a b [31mc d"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line(None, 4) == ""


def test_the_command_writes_page_table_and_json(out: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = CliRunner().invoke(report, [str(out), "--html", str(page)])
    assert done.exit_code == 0, done.output
    assert "war fear" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "/" not in line) <= 80
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    found = json.loads(CliRunner().invoke(report, [str(out), "--json"]).stdout)
    assert found["narratives"][0]["stances"]["advances"] == {"stories": 2, "copies": 4}
