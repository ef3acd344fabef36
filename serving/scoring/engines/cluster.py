"""Scores shards on the machines of a Ray cluster, with Ray Data.

    this machine                      machines of the cluster             this machine
    sources, read, linked, cut  ──►  actors, each with a model loaded  ──►  files, manifest
    (one task, in order)              (a shard at a time)                 (in order)

Ray Data keeps few shards under way, retries what a lost machine had, and gives the shards back in
their order; what it is given is the same at every try. Nothing of the output is on other machines
than this one.
"""

import logging
import os
import pickle
import socket
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import ray
from ray import data
from ray.data.exceptions import ExecutionTimeoutError

from serving.classifier import Classifier
from serving.errors import ServingError
from serving.model_folder import MANIFEST, Manifest, open_folder
from serving.scoring.durable import unfinished
from serving.scoring.engines import Made
from serving.scoring.making import Maker
from serving.scoring.manifest import Totals
from serving.scoring.options import Options
from serving.scoring.rows import Run
from serving.scoring.shards import Group
from serving.scoring.work import Work

_NODE = "ray.io/node-id"
_CLIENT = "ray://"
_ANSWERS_S = 10
"""Seconds that a cluster has to answer: Ray itself would ask for ten minutes."""
_EXPLAINING_S = 6 * 3600
"""Seconds without a finished shard after which Ray Data gives a run up that explains its findings,
in place of half an hour: the largest shard takes one core an hour or more."""
_AHEAD = 2
"""Shards that an actor is given at a time: one to score, one to have when that is done."""


@dataclass(frozen=True)
class _Scored:
    """A shard as it comes back; `contents` are those of its parts, in their order."""

    made: Made
    contents: Sequence[bytes]


class Cluster:
    """The engine of a Ray cluster that is running; each of its actors has a model of its own."""

    def __init__(self, model: Path, *, address: str = "auto", threads: int = 0) -> None:
        """Score with the model folder `model`, which is sent to the cluster's machines.

        Args:
            model: The released folder, on this machine.
            address: The cluster's: host:port, or auto for that which this machine is in.
            threads: Processor threads of an actor, and cores that it takes; 0 takes one.

        Raises:
            ModelFolderError: the folder is not as it was released.
            ServingError: the address is one of a kind that cannot be used.
        """
        address = os.environ.get("RAY_ADDRESS", address) if address == "auto" else address
        if address.startswith(_CLIENT):
            raise ServingError(
                f"{address} is for Ray's client, which cannot stream what Ray Data makes: "
                "run the command on a machine of the cluster, with --address auto."
            )
        self._model = open_folder(model)
        self._folder, self._address, self._threads = model, address, threads or 1

    @property
    def model(self) -> Manifest:
        """Return the folder's manifest."""
        return self._model

    def make(
        self, work: Work, folder: Path, tell: Callable[[str], None]
    ) -> Iterator[Totals | Made]:
        """Make the files of all shards, yielding the totals of each when it is there."""
        with _connected(self._address):
            try:
                for value in self._values(work, folder):
                    if isinstance(value, ServingError):
                        raise value
                    if isinstance(value, str):
                        tell(value)
                        continue
                    for part, content in zip(value.made.parts, value.contents, strict=True):
                        path = unfinished(folder / part.file)
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content)
                    yield value.made.totals
                    yield value.made
            except (ray.exceptions.RayError, ExecutionTimeoutError) as error:
                raise ServingError(
                    f"The cluster at {self._address} stopped the run ({_reason(error)}): "
                    "mend it, and run the same command again to go on."
                ) from error

    def _values(self, work: Work, folder: Path) -> Iterator[_Scored | str | ServingError]:
        names = [MANIFEST, *self._model.files]
        model = ray.put({name: (self._folder / name).read_bytes() for name in names})
        _set_up(data.DataContext.get_current(), work.options)
        # What is read lies on this machine, and so does the index of copies. It takes no core of
        # the cluster's: actors may have them all, and would wait for what is read for ever.
        here = {_NODE: ray.get_runtime_context().get_node_id()}
        scored = (
            data.from_arrow(_row((work, folder)))
            .map_batches(_read, batch_format="pyarrow", num_cpus=0, label_selector=here)
            .map_batches(
                _Scorer,
                batch_format="pyarrow",
                fn_constructor_args=(model, self._threads, work.options, work.run),
                num_cpus=self._threads,
                compute=data.ActorPoolStrategy(min_size=1, max_tasks_in_flight_per_actor=_AHEAD),
            )
        )
        for batch in scored.iter_batches(
            batch_size=None, batch_format="pyarrow", prefetch_batches=0
        ):
            yield from _values(batch)


def _set_up(context: Any, options: Options) -> None:
    """Have Ray Data keep the order, hold a shard as one block, and be silent."""
    context.execution_options.preserve_order = True
    # A block is closed as soon as it has a byte: else it would be filled up with further shards.
    context.target_max_block_size = 1
    if options.explain:
        context.execution_no_progress_timeout_s = _EXPLAINING_S
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    # Its log is in the folder of Ray's session; on stderr is what our reader needs.
    logging.getLogger("ray.data").handlers = [
        handler
        for handler in logging.getLogger("ray.data").handlers
        if not isinstance(handler, logging.StreamHandler)
    ]


@contextmanager
def _connected(address: str) -> Iterator[None]:
    """Stay connected with the cluster, or with that of a caller who is connected already."""
    # Nothing is sent to Ray's makers; the cluster itself is started with --disable-usage-stats.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    # What goes wrong is an exception; its own stderr names places in Ray's source, for each actor.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    if ray.is_initialized():
        yield
        return
    try:
        _ask(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR)
    except (ray.exceptions.RayError, RuntimeError, ValueError, OSError) as error:
        raise ServingError(
            f"No Ray cluster answers at {address} ({_reason(error)}): start one with "
            "`ray start --head --disable-usage-stats`, or pass its --address."
        ) from error
    try:
        yield
    finally:
        ray.shutdown()


def _ask(address: str) -> None:
    host, colon, port = address.rpartition(":")
    if colon:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWERS_S).close()


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _row(value: object) -> Any:
    """Return a table whose only row has the value."""
    return pa.table({"value": pa.array([pickle.dumps(value)], pa.large_binary())})


def _values(table: Any) -> Iterator[Any]:
    for value in table["value"]:
        # Only this run writes what it reads here, in the memory of the cluster that it trusts.
        yield pickle.loads(value.as_py())  # noqa: S301


def _read(given: Any) -> Iterator[Any]:
    """Yield rows with the shards of the work, the same ones whenever it is run again.

    Between them are what is to be told, and behind them the error that ended the reading: so it is
    met when all that was read before it is scored.
    """
    for work, folder in _values(given):
        told: list[str] = []
        failed: list[ServingError] = []
        try:
            for group in work.groups(folder, told.append):
                yield from map(_row, told)
                told.clear()
                yield _row(group)
        except ServingError as error:
            failed = [ServingError(str(error))]
        yield from map(_row, [*told, *failed])


class _Scorer:
    """Scores shards with a model that it loads once: an actor of the cluster."""

    def __init__(self, model: Any, threads: int, options: Options, run: Run) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in ray.get(model).items():
                (Path(folder) / name).write_bytes(content)
            classifier = Classifier.load(Path(folder), threads=threads)
        self._maker = Maker(classifier, options, run)

    def __call__(self, given: Any) -> Iterator[Any]:
        for value in _values(given):
            yield _row(self._scored(value) if isinstance(value, Group) else value)

    def _scored(self, group: Group) -> _Scored:
        with tempfile.TemporaryDirectory() as folder:
            for _ in self._maker.make(Path(folder), group):
                pass
            made = self._maker.made
            contents = [unfinished(Path(folder) / part.file).read_bytes() for part in made.parts]
        return _Scored(made, contents)
