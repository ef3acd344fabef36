"""The command: known errors are one sentence and status 1, and only what is asked for is loaded."""

import json
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import click
import pytest

from serving import cli, commands, keys
from serving.errors import ServingError

ROOT = Path(__file__).parents[2]
HEAVY = {"torch", "transformers", "training", "sklearn", "datasets", "nncf", "openvino", "uvicorn"}

_PRINT_LOADED = """
import json, sys
from serving.cli import main
try:
    main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps({"status": status, "loaded": loaded}), file=sys.stderr)
"""


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MODEL", "THREADS", "MAX_BODY_BYTES", "MAX_TEXT", "MAX_ITEMS"):
        monkeypatch.delenv(f"NARRASCOPE_{name}", raising=False)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "posts.jsonl"
    path.write_text('{"id": 1, "text": "red tractor"}\nbad\n\n{"id": 2, "text": "boat"}\n')
    return path


def run(*arguments: object) -> int | str | None:
    """Run the command as a shell would and return its status."""
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    return ended.value.code


def loaded_by(*arguments: str) -> set[str]:
    """Return the top-level packages that a run of the command loads."""
    ended = subprocess.run(
        [sys.executable, "-c", _PRINT_LOADED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    report = json.loads(ended.stderr.splitlines()[-1])
    assert report["status"] == 0
    assert ended.stdout
    return set(report["loaded"])


@pytest.mark.parametrize("flag", ["-h", "--help"])
def test_help_names_every_command(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = project["entry-points"][cli.GROUP]
    assert run(flag) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert {name.strip() for name in listed.split(",")} == set(names)


def test_help_loads_nothing_of_training_and_no_engine() -> None:
    loaded = loaded_by("--help")
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("command", ["score", "serve"])
def test_the_commands_of_serving_load_nothing_of_training(command: str) -> None:
    loaded = loaded_by(command, "--help")
    assert {"openvino", "uvicorn"} <= loaded
    assert loaded & {"torch", "transformers", "training", "sklearn", "datasets", "nncf"} == set()


@pytest.mark.parametrize("command", ["score", "serve", "report"])
def test_what_draws_reports_is_loaded_only_for_one(command: str) -> None:
    assert loaded_by(command, "--help") & {"duckdb", "matplotlib", "tabulate"} == set()


@pytest.mark.parametrize("command", ["serve", "score"])
def test_help_of_a_command_says_what_it_takes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(command, "--help") == 0
    shown = capsys.readouterr().out
    assert "--model" in shown
    assert "--threads" in shown


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert run("--version") == 0
    assert project["version"] in capsys.readouterr().out


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("scoer") == 2
    assert "No such command 'scoer'" in capsys.readouterr().err


def test_an_unknown_model_folder_is_one_sentence(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    assert run("score", source, "--out", out, "--model", tmp_path / "nowhere") == 1
    assert_one_sentence(capsys, "nowhere is no model folder")
    assert not out.exists()


def test_an_unknown_model_folder_is_one_sentence_when_served_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "Server", _no_server)
    assert run("serve", "--model", tmp_path / "nowhere") == 1
    assert_one_sentence(capsys, "nowhere is no model folder")


def test_the_model_comes_from_the_environment_if_it_is_not_given(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NARRASCOPE_MODEL", str(tmp_path / "of-the-environment"))
    assert run("score", source, "--out", tmp_path / "out.jsonl") == 1
    assert_one_sentence(capsys, "of-the-environment is no model folder")


def test_a_missing_source_is_one_sentence(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing.jsonl"
    assert run("score", missing, "--out", tmp_path / "out.jsonl", "--model", tiny_model) == 1
    assert_one_sentence(capsys, "missing.jsonl cannot be read")


def test_an_output_must_be_named(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("score", source) == 2
    assert "--out" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["score", "serve"])
def test_less_than_no_threads_are_refused_by_name(
    command: str,
    source: Path,
    tmp_path: Path,
    tiny_model: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "Server", _no_server)
    arguments = [source, "--out", tmp_path / "out.jsonl"] if command == "score" else []
    assert run(command, *arguments, "--model", tiny_model, "--threads", -1) in (1, 2)
    assert "threads" in capsys.readouterr().err


def test_a_wrong_setting_is_one_sentence_that_names_it(
    tiny_model: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "Server", _no_server)
    monkeypatch.setenv("NARRASCOPE_MAX_ITEMS", "many")
    assert run("serve", "--model", tiny_model) == 1
    assert_one_sentence(capsys, "MAX_ITEMS")


def test_a_file_is_scored_and_the_totals_are_reported(
    source: Path, tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.jsonl"
    assert run("score", source, "--out", out, "--model", tiny_model, "--threads", 1) == 0
    shown = capsys.readouterr().err
    assert f"read 3 = scored 2 + duplicates 0 + rejected 1; {out}" in shown
    assert f"rejects in {tmp_path / 'out.rejects.jsonl'}" in shown
    found = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [record["id"] for record in found] == ["1", "2"]
    assert "scores" not in found[0]


def test_scores_are_written_when_asked_for(source: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert run("score", source, "--out", out, "--model", tiny_model, "--scores") == 0
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert set(first["scores"]) == {"red-tractors", "blue-boats", "green-trains"}


def test_explanations_are_written_when_asked_for(
    source: Path, tmp_path: Path, tiny_model: Path
) -> None:
    out = tmp_path / "out.jsonl"
    assert run("score", source, "--out", out, "--model", tiny_model, "--explain") == 0
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert all("explanation" in finding for finding in first["narratives"])
    assert run("score", source, "--out", out, "--model", tiny_model) == 0
    assert "explanation" not in out.read_text(encoding="utf-8")


def test_without_rejects_none_are_spoken_of(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"text": "boat"}\n')
    assert run("score", source, "--out", out, "--model", tiny_model) == 0
    shown = capsys.readouterr().err
    assert "read 1 = scored 1 + duplicates 0 + rejected 0" in shown
    assert "rejects in" not in shown


def test_an_empty_file_is_no_error(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "posts.jsonl", tmp_path / "out.jsonl"
    source.write_text("")
    assert run("score", source, "--out", out, "--model", tiny_model) == 0
    assert "read 0 = scored 0 + duplicates 0 + rejected 0" in capsys.readouterr().err


def test_the_whole_of_a_txt_file_is_one_text(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = tmp_path / "article.txt", tmp_path / "out.jsonl"
    text = "A headline about boats\n\nThe red tractor is good."
    source.write_text(text, encoding="utf-8")
    assert run("score", source, "--out", out, "--model", tiny_model) == 0
    assert "read 1 = scored 1 + duplicates 0 + rejected 0" in capsys.readouterr().err
    [record] = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert {(f["begin"], f["end"]) for f in record["narratives"]} == {(0, len(text))}


def test_a_command_whose_packages_are_not_installed_says_how_to_install_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch, "train", "not_installed_anywhere.train:train")
    assert run("train") == 1
    shown = capsys.readouterr().err
    assert "'train' needs not_installed_anywhere" in shown
    assert "make setup-training" in shown
    assert "Traceback" not in shown


def test_a_known_error_is_a_sentence_and_status_1(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _offer(monkeypatch, "known", f"{__name__}:known")
    assert run("known") == 1
    assert_one_sentence(capsys, "what is wrong, and the remedy")


def test_an_unknown_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    _offer(monkeypatch, "unknown", f"{__name__}:unknown")
    with pytest.raises(KeyError, match="a mistake of ours"):
        cli.main(["unknown"])


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])
def test_an_address_that_others_reach_is_refused_without_keys(
    host: str,
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "Server", _no_server)
    monkeypatch.setenv("NARRASCOPE_KEYS", str(tmp_path / "keys.json"))
    assert run("serve", "--model", tiny_model, "--host", host) == 1
    assert_one_sentence(capsys, "narrascope keys mint")


@pytest.mark.parametrize("way", ["loopback", "told so", "with a key"])
def test_an_address_is_served_where_that_is_safe_or_told_so(
    way: str, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "Server", _no_server)
    monkeypatch.setenv("NARRASCOPE_KEYS", str(tmp_path / "keys.json"))
    arguments = ["--host", "127.0.0.1" if way == "loopback" else "0.0.0.0"]
    if way == "told so":
        arguments.append("--without-keys")
    if way == "with a key":
        keys.mint(tmp_path / "keys.json", "one", ["classify"])
    with pytest.raises(AssertionError, match="a server was started"):
        cli.main(["serve", "--model", str(tiny_model), *arguments])


def test_keys_are_minted_listed_and_revoked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "keys.json"
    options = ("keys", "--keys", path)
    assert run(*options, "mint", "newsroom", "--per-minute", "60") == 0
    given = capsys.readouterr().out.strip()
    assert keys.KeyFile(path).find(given)
    assert run(*options, "list") == 0
    listed = capsys.readouterr().out
    assert "newsroom" in listed
    assert "60/min" in listed
    assert given not in listed
    assert run(*options, "revoke", keys.identifier(given)) == 0
    assert keys.KeyFile(path).find(given) is None
    assert run(*options, "revoke", keys.identifier(given)) == 1
    assert_one_sentence(capsys, "has no key")


@click.command()
def known() -> None:
    raise ServingError("what is wrong, and the remedy.")


@click.command()
def unknown() -> None:
    raise KeyError("a mistake of ours")


def assert_one_sentence(capsys: pytest.CaptureFixture[str], content: str) -> None:
    shown = capsys.readouterr()
    assert shown.out == ""
    [line] = shown.err.splitlines()
    assert line.startswith("narrascope: ")
    assert content in line
    assert line.endswith(".")


def _offer(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    points = EntryPoints([EntryPoint(name, value, cli.GROUP)])
    monkeypatch.setattr(cli, "entry_points", points.select)


def _no_server(*_: object, **__: object) -> None:
    raise AssertionError("a server was started")
