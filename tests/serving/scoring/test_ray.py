"""A cluster writes what one machine writes, and goes on when machines of it die."""

import errno
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from serving import cli
from serving.classifier import Classifier
from serving.errors import ServingError
from serving.scoring.engines import Engine
from serving.scoring.engines.local import Local
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.rows import Run
from serving.scoring.run import score
from serving.scoring.sources import expand
from serving.scoring.work import Work
from tests.serving.scoring.conftest import NOW, jsonl, lines
from tests.serving.scoring.test_resume import contents

ray_cluster = pytest.importorskip("ray.cluster_utils")
cluster = pytest.importorskip("serving.scoring.engines.cluster")

pytestmark = [
    # Ray leaves sockets and files of its children to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ROWS, SHARD = 400, 10
STORE = 80_000_000
"""Bytes of a machine's share of the cluster's memory, near the least that Ray takes."""
QUICK = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 2000,
    "health_check_failure_threshold": 3,
}
"""A machine that died is given up after seconds: else after half a minute."""


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A cluster: a head where the command runs, and two machines of one core that score."""
    head = {"num_cpus": 0, "object_store_memory": STORE, "_system_config": QUICK}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        started = ray_cluster.Cluster(initialize_head=True, head_node_args=head)
        try:
            for _ in range(2):
                add(started)
            yield started
        finally:
            started.shutdown()


def add(machines: Any) -> Any:
    return machines.add_node(num_cpus=1, object_store_memory=STORE)


@pytest.fixture
def engine(machines: Any, tiny_model: Path) -> Engine:
    made: Engine = cluster.Cluster(tiny_model, address=machines.address, threads=1)
    return made


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Texts of all lengths, copies of earlier ones, and rejects, in two kinds of source."""
    folder = tmp_path_factory.mktemp("sources")
    words = ["red", "blue", "green", "tractor", "boat", "train", "good", "bad", "not", "the"]
    chance = random.Random(3)
    rows: list[dict[str, Any]] = []
    for number in range(ROWS):
        # After the first shard some that take a while, so that it is known what is under way.
        count = 1_500 if SHARD <= number < 7 * SHARD else chance.randint(1, 60)
        text = " ".join(chance.choices(words, k=count))
        rows.append({"id": number, "text": text, "date": "2026-01-02"})
        if number % 9 == 8:
            rows[-1]["text"] = f"{rows[number // 2]['text']} today"
        if number % 13 == 12:
            rows[-1]["text"] = ""
    table = folder / "table.csv"
    table.write_text("guid,body\n" + "".join(f"t{n},{rows[n]['text']}\n" for n in range(20)))
    return [jsonl(folder / "posts.jsonl", rows), table]


def options(**others: Any) -> Options:
    return Options(shard_records=SHARD, copies="near", scores=True, **others)


def finish(
    sources: list[Path], out: Path, engine: Engine, told: list[str] | None = None, **asked: Any
) -> Totals:
    tell = [].append if told is None else told.append
    run = score([str(s) for s in sources], out, engine, options(**asked), now=NOW, tell=tell)
    *_, last = run
    return last


def test_a_cluster_writes_the_same_bytes_as_one_machine(
    tmp_path: Path, sources: list[Path], engine: Engine, classifier: Classifier
) -> None:
    asked = {"format": "parquet", "partition": "date,language"}
    totals, told = [], []
    for name, one in (("one", Local(classifier)), ("many", engine)):
        told.append([])
        totals.append(finish(sources, tmp_path / name, one, told[-1], **asked))
    assert totals[0] == totals[1]
    assert totals[0].duplicates > 10
    assert totals[0].rejected > 10
    assert told[0] == told[1]
    assert len(told[0]) == 1
    assert contents(tmp_path / "one") == contents(tmp_path / "many")


def test_machines_that_die_lose_nothing_and_double_nothing(
    tmp_path: Path,
    machines: Any,
    sources: list[Path],
    engine: Engine,
    classifier: Classifier,
) -> None:
    finish(sources, tmp_path / "one", Local(classifier))
    dying = [node for node in machines.list_all_nodes() if node is not machines.head_node]
    assert len(dying) == 2
    run = score([str(s) for s in sources], tmp_path / "many", engine, options(), now=NOW)
    for _ in run:
        # All that scores dies at the first shard, with what it has done and what it has to do.
        for node in dying:
            machines.remove_node(node, allow_graceful=False)
        while dying:
            dying.pop()
            add(machines)
    assert contents(tmp_path / "one") == contents(tmp_path / "many")
    places = [
        (row["source"], row["position"])
        for path in (tmp_path / "many").glob("*s*.jsonl")
        if path.name != "manifest.jsonl"
        for row in lines(path)
    ]
    assert len(places) == len(set(places)) == ROWS + 20


def test_engines_go_on_with_what_each_other_began(
    tmp_path: Path, sources: list[Path], engine: Engine, classifier: Classifier
) -> None:
    local = Local(classifier)
    finish(sources, tmp_path / "whole", local)
    for one, finished in ((local, 3), (engine, 6)):
        run = score([str(s) for s in sources], tmp_path / "out", one, options(), now=NOW)
        while next(run).read <= finished * SHARD:
            pass
        run.close()
        assert len(list((tmp_path / "out").glob("shard-*.jsonl"))) == finished
    finish(sources, tmp_path / "out", local)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


class Unplugged:
    """A file system whose disk is gone."""

    def open(self, *_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")


def read(work: Work, scratch: Path) -> list[Any]:
    """What the task that reads gives to those that score."""
    rows = cluster._read(cluster._row((work, scratch)))
    return [value for row in rows for value in cluster._values(row)]


def test_an_error_of_reading_comes_behind_what_was_read_before_it(
    tmp_path: Path, sources: list[Path]
) -> None:
    run = Run(model="tiny", taxonomy="1", scored_at=NOW)
    posts, table = expand([str(s) for s in sources])
    gone = replace(table, files=Unplugged())
    work = Work(sources=[posts, gone], options=options(), run=run)
    *groups, last = read(work, tmp_path)
    assert [group.number for group in groups] == [*range(len(groups))]
    assert isinstance(last, ServingError)
    assert str(last).startswith(f"{sources[1]}: Input/output error")


def test_what_is_told_of_a_source_comes_before_its_texts(
    tmp_path: Path, sources: list[Path]
) -> None:
    run = Run(model="tiny", taxonomy="1", scored_at=NOW)
    work = Work(sources=expand([str(sources[1])]), options=options(), run=run)
    assert [
        value if isinstance(value, str) else value.number for value in read(work, tmp_path)
    ] == [f"{sources[1]}: text=body id=guid", 0, 1]
    changed = read(replace(work, finished=["of another text"]), tmp_path)
    assert "changed since shard 0" in str(changed[-1])


def test_a_cluster_that_is_not_there_is_one_sentence(tmp_path: Path, tiny_model: Path) -> None:
    posts = jsonl(tmp_path / "posts.jsonl", [{"text": "boat"}])
    absent = cluster.Cluster(tiny_model, address="127.0.0.1:1")
    with pytest.raises(ServingError, match=r"at 127.0.0.1:1 .*ray start") as caught:
        finish([posts], tmp_path / "out", absent)
    assert "\n" not in str(caught.value)


def test_an_address_of_the_client_is_refused_with_the_way_to_go(tiny_model: Path) -> None:
    with pytest.raises(ServingError, match="on a machine of the cluster"):
        cluster.Cluster(tiny_model, address="ray://127.0.0.1:10001")


def test_ray_that_is_not_installed_is_one_sentence(
    tmp_path: Path,
    tiny_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delitem(sys.modules, cluster.__name__)
    monkeypatch.setitem(sys.modules, "ray", None)
    posts = jsonl(tmp_path / "posts.jsonl", [{"text": "boat"}])
    flags = ["--out", str(tmp_path / "out"), "--model", str(tiny_model), "--engine", "ray"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", str(posts), *flags])
    assert ended.value.code == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "needs ray" in line
    assert "narrascope[cluster]" in line


def test_an_address_without_a_cluster_is_refused(
    tmp_path: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--out", str(tmp_path / "out"), "--model", str(tiny_model), "--address", "auto"]
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", "posts.jsonl", *flags])
    assert ended.value.code == 2
    assert "--engine ray" in capsys.readouterr().err
