"""After kill -9 anywhere, the same command goes on, and the output is what it would have been."""

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring import shards
from serving.scoring.columns import Columns
from serving.scoring.engines.local import Local
from serving.scoring.manifest import Header, Manifest, Totals, differences
from serving.scoring.options import Options
from serving.scoring.run import score
from tests.serving.scoring.conftest import NOW, jsonl, lines

ROOT = Path(__file__).parents[3]
PLACES = [
    ("before the shard has its name", 0),
    ("before the shard has its name", 2),
    ("before the shard is entered", 1),
    ("while the shard is entered", 0),
    ("after the shard is entered", 1),
    ("in the middle of a shard", 1),
    ("in the middle of a shard", 7),
    ("after rejects were written", 0),
    ("after rejects were written", 2),
]
OPTIONS = {
    "shards": Options(shard_records=10, copies="near"),
    "parquet": Options(shard_records=10, copies="near", format="parquet"),
    "partitioned": Options(
        shard_records=10, copies="near", format="parquet", partition="date,language"
    ),
    "all.jsonl": Options(shard_records=10, copies="near"),
}
BETWEEN = [
    *(("before the shard has its name", passes) for passes in (1, 4, 6)),
    *(("before the shard is entered", passes) for passes in (0, 3, 6)),
]
"""Between the files of a partitioned shard, of which each gets its name by itself."""
JOINING = [
    ("before the shards are joined", 0),
    ("before the shards are joined", 1),
    ("after the shards are joined", 0),
    ("after the shards are joined", 1),
]


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two sources of 35 entries: texts, copies and rejects, spread over four shards."""
    folder = tmp_path_factory.mktemp("sources")
    words = ["red", "blue", "green", "tractor", "boat", "train", "good", "bad"]
    chance = random.Random(7)
    rows: list[dict[str, Any]] = []
    for number in range(20):
        text = " ".join(chance.choices(words, k=chance.randint(1, 40)))
        rows.append({"id": number, "text": text, "date": f"2026-01-0{number % 3 + 1}"})
        if number % 6 == 5:
            rows[-1]["text"] = rows[number // 2]["text"]
        if number % 5 == 4:
            rows[-1]["text"] = ""
    posts = jsonl(folder / "posts.jsonl", rows)
    table = folder / "table.csv"
    table.write_text("id,text\n" + "".join(f"t{n},{rows[n]['text']} more\n" for n in range(15)))
    return [posts, table]


@pytest.fixture(scope="module")
def whole(
    sources: list[Path], classifier: Classifier, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, bytes]]:
    """What runs that nobody stops write, by the name of their output."""
    folder = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "CHUNK", 4)
        for name, options in OPTIONS.items():
            finish(sources, folder / name / name, classifier, options)
    return {name: contents(folder / name / name) for name in OPTIONS}


def finish(
    sources: list[Path], out: Path, classifier: Classifier, options: Options | None = None
) -> Totals:
    *_, last = score([str(s) for s in sources], out, Local(classifier), options, now=NOW)
    return last


def contents(out: Path) -> dict[str, bytes]:
    """Return all files of an output, hidden ones and what stands beside it too."""
    where = out if out.is_dir() else out.parent
    found = (path for path in where.rglob("*") if path.is_file())
    return {str(path.relative_to(where)): path.read_bytes() for path in found}


def started(
    model: Path, out: Path, place: str, passes: int, sources: list[Path]
) -> "subprocess.Popen[bytes]":
    format_ = out.name if out.name in ("parquet", "partitioned") else "jsonl"
    arguments = [model, out, format_, place, passes, *sources]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.serving.scoring.killed", *(str(a) for a in arguments)],
        cwd=ROOT,
    )


@pytest.mark.parametrize(
    ("name", "place", "passes"),
    [
        *(("shards", place, passes) for place, passes in PLACES),
        *(("parquet", place, passes) for place, passes in PLACES[1::3]),
        *(("partitioned", place, passes) for place, passes in [*PLACES[1::3], *BETWEEN]),
        *(("all.jsonl", place, passes) for place, passes in [*PLACES[1::3], *JOINING]),
    ],
)
def test_what_a_kill_leaves_is_finished_to_the_same_bytes(
    name: str,
    place: str,
    passes: int,
    tiny_model: Path,
    tmp_path: Path,
    sources: list[Path],
    whole: dict[str, dict[str, bytes]],
    classifier: Classifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / name
    assert started(tiny_model, out, place, passes, sources).wait(120) == -signal.SIGKILL
    assert contents(out) != whole[name] or place.startswith("after the shards")
    monkeypatch.setattr(shards, "CHUNK", 4)
    last = finish(sources, out, classifier, OPTIONS[name])
    assert last.read == last.scored + last.duplicates + last.rejected == 35
    assert contents(out) == whole[name]


def test_kills_at_any_time_lose_nothing_and_score_nothing_twice(
    tiny_model: Path, tmp_path: Path, sources: list[Path], whole: dict[str, dict[str, bytes]]
) -> None:
    chance = random.Random(os.getpid())
    out = tmp_path / "shards"
    for _ in range(4):
        process = started(tiny_model, out, "nowhere", 60, sources)
        while process.poll() is None and not out.exists():
            time.sleep(0.01)
        time.sleep(chance.random() * 0.5)
        process.kill()
        process.wait(120)
    assert started(tiny_model, out, "nowhere", 0, sources).wait(120) == 0
    assert contents(out) == whole["shards"]
    ids = [
        (row["source"], row["id"]) for path in sorted(out.glob("shard-*")) for row in lines(path)
    ]
    rejected = [(row["source"], row["position"]) for row in lines(out / "rejects.jsonl")]
    assert len(ids) == len(set(ids))
    assert len(rejected) == len(set(rejected))
    assert len(ids) + len(rejected) == 35


def test_a_finished_run_is_not_done_again(
    tmp_path: Path, sources: list[Path], classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = finish(sources, out, classifier)
    before = contents(out)
    monkeypatch.setattr(classifier, "predict", None)
    assert finish(sources, out, classifier) == first
    assert contents(out) == before


def test_another_run_in_the_same_place_is_refused_with_the_difference(
    tmp_path: Path, sources: list[Path], classifier: Classifier
) -> None:
    out = tmp_path / "out"
    finish(sources, out, classifier)
    before = contents(out)
    for other, options, difference in (
        (sources[:1], Options(), f"{sources[1]}: [0-9]+ bytes -> none"),
        (sources[::-1], Options(), "order of sources"),
        (sources, Options(scores=True), "scores: False -> True"),
        (sources, Options(partition="date"), "partition: none -> date"),
        (sources, Options(columns=Columns(text="id")), "columns text: None -> id"),
    ):
        with pytest.raises(ServingError, match=difference) as caught:
            finish(other, out, classifier, options)
        assert "\n" not in str(caught.value)
        assert "pass another --out" in str(caught.value)
    assert contents(out) == before


def test_another_model_differs_by_name_and_by_content() -> None:
    given: dict[str, Any] = {"sources": [], "taxonomy": "1", "options": {}, "scored_at": "then"}
    one = Header(model={"name": "a", "sha256": "1"}, **given)
    two = Header(model={"name": "b", "sha256": "2"}, **given | {"scored_at": "now"})
    assert differences(one, two) == ["model name: a -> b", "model sha256: 1 -> 2"]
    assert differences(one, one) == []


def test_a_source_that_changed_meanwhile_is_told_of(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    posts = tmp_path / "posts.jsonl"
    shutil.copy(sources[0], posts)
    out = tmp_path / "out"
    stopped(posts, out, classifier)
    posts.write_bytes(posts.read_bytes().replace(b"tractor", b"traktor"))
    with pytest.raises(ServingError, match="changed since shard 0"):
        finish([posts], out, classifier, Options(shard_records=5))


def stopped(
    source: Path, out: Path, classifier: Classifier, options: Options | None = None
) -> None:
    """Leave a run after its second shard."""
    options = options or Options(shard_records=5)
    run = score([str(source)], out, Local(classifier), options, now=NOW)
    while next(run).read < 15:
        pass
    run.close()


def test_a_shard_that_was_altered_is_told_of(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    out = tmp_path / "out"
    stopped(sources[0], out, classifier)
    (out / "shard-000001.jsonl").write_text("{}\n")
    with pytest.raises(ServingError, match=r"shard-000001.jsonl is not as it was written"):
        finish(sources[:1], out, classifier, Options(shard_records=5))


def test_a_file_of_a_partition_that_was_altered_or_is_gone_is_told_of(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    options = Options(shard_records=5, partition="date")
    for number, spoil in enumerate((Path.unlink, lambda path: path.write_text("{}\n"))):
        out = tmp_path / str(number)
        stopped(sources[0], out, classifier, options)
        spoil(out / "day=2026-01-02" / "shard-000001.jsonl")
        with pytest.raises(ServingError, match=r"day=2026-01-02/shard-000001.jsonl is not as it"):
            finish(sources[:1], out, classifier, options)


def test_a_run_that_began_before_there_were_partitions_goes_on(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    options = Options(shard_records=5)
    out, whole = tmp_path / "out", tmp_path / "whole"
    stopped(sources[0], out, classifier, options)
    manifest = out / "manifest.jsonl"
    header, *entered = lines(manifest)
    for entry in entered:
        (file,) = entry.pop("files")
        entry |= {"file": file["file"], "sha256": file["sha256"]}
    jsonl(manifest, [header, *entered])
    assert "partition" not in header["options"]
    assert finish(sources[:1], out, classifier, options) == finish(
        sources[:1], whole, classifier, options
    )
    before, after = contents(whole), contents(out)
    before.pop("manifest.jsonl")
    after.pop("manifest.jsonl")
    assert after == before


def test_the_moment_of_the_first_start_is_kept(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    out = tmp_path / "out"
    stopped(sources[0], out, classifier)
    for _ in score([str(sources[0])], out, Local(classifier), Options(shard_records=5)):
        pass
    rows = [row for path in out.glob("shard-*") for row in lines(path)]
    assert {row["scored_at"] for row in rows} == {"2026-05-04T03:02:01Z"}


def test_two_processes_never_write_one_output(tmp_path: Path) -> None:
    header = Header(sources=[], model={}, taxonomy="1", options={}, scored_at="now")
    with (
        Manifest(tmp_path / "out", header),
        pytest.raises(ServingError, match="another process"),
    ):
        Manifest(tmp_path / "out", header)
    with Manifest(tmp_path / "out", header):
        pass


@pytest.mark.parametrize("content", [b"", b"rubbish\n", b"{}\n", b'{"format": 2}\n', b"[1]\n"])
def test_a_manifest_that_is_none_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "manifest.jsonl").write_bytes(content)
    header = Header(sources=[], model={}, taxonomy="1", options={}, scored_at="now")
    with pytest.raises(ServingError, match="another --out") as caught:
        Manifest(tmp_path, header)
    assert "\n" not in str(caught.value)


def test_the_manifest_has_counts_and_hashes(
    tmp_path: Path, classifier: Classifier, sources: list[Path]
) -> None:
    out = tmp_path / "out"
    total = finish(sources, out, classifier, Options(shard_records=10))
    header, *entered, last = [
        json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()
    ]
    assert header["model"]["name"] == classifier.manifest.name
    assert [entry["read"] for entry in entered] == [10, 10, 10, 5]
    assert sum(entry["scored"] for entry in entered) == total.scored
    for entry in entered:
        (file,) = entry["files"]
        assert file["rows"] == entry["scored"] + entry["duplicates"]
        assert file["sha256"] == hashlib.sha256((out / file["file"]).read_bytes()).hexdigest()
    assert last == {
        "complete": True,
        "read": total.read,
        "scored": total.scored,
        "duplicates": total.duplicates,
        "rejected": total.rejected,
    }
