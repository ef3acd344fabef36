"""The command's own part: many sources, columns told on stderr, totals for people and machines."""

import json
from pathlib import Path

import pytest

from serving import cli
from tests.serving.scoring.conftest import lines


def run(*arguments: object) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", *(str(argument) for argument in arguments)])
    return ended.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.csv").write_text(
            f"key,words\n{name}1,red tractor {name}\n{name}2,boat\n"
        )
    return folder


def test_columns_are_told_once_and_the_last_line_has_the_totals(
    folder: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--text-column", "words", "--id-column", "key")
    assert run(folder, "--out", tmp_path / "out", "--model", tiny_model, *flags) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        f"{folder}/a.csv: text=words id=key",
        f"read 4 = scored 3 + duplicates 1 + rejected 0; {tmp_path / 'out'}",
    ]


def test_the_summary_for_machines_is_all_of_stdout(
    folder: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "c.bin").write_bytes(b"\0")
    flags = ("--text-column", "words", "--json")
    assert run(f"{folder}/*", "--out", tmp_path / "out", "--model", tiny_model, *flags) == 0
    assert json.loads(capsys.readouterr().out) == {
        "read": 5,
        "scored": 3,
        "duplicates": 1,
        "rejected": 1,
        "out": str(tmp_path / "out"),
        "rejects": str(tmp_path / "out" / "rejects.jsonl"),
        "model": "tiny-0.0.1",
    }


def test_a_source_on_the_web_that_cannot_be_fetched_is_a_reject(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "http://127.0.0.1:9/feed.xml"
    assert run(url, "--out", tmp_path / "out", "--model", tiny_model) == 0
    assert "read 1 = scored 0 + duplicates 0 + rejected 1" in capsys.readouterr().err
    [reject] = lines(tmp_path / "out" / "rejects.jsonl")
    assert reject["source"] == url
    assert "not a public address" in str(reject["reason"])


def test_what_is_not_asked_for_is_not_loaded(tiny_model: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    (tmp_path / "posts.jsonl").write_text('{"text": "boat"}\n')
    code = (
        "import sys\nfrom serving import cli\n"
        "try: cli.main(sys.argv[1:])\nexcept SystemExit: pass\n"
        "heavy = {'pyarrow', 'trafilatura', 'datasketch', 'scipy', 'warcio', 'lxml'}\n"
        "sys.stdout.write(','.join(sorted(heavy & set(sys.modules))))"
    )
    arguments = ["score", tmp_path / "posts.jsonl", "--out", tmp_path / "o.jsonl"]
    ended = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments), "--model", str(tiny_model)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == ""
    assert (tmp_path / "o.jsonl").exists()
