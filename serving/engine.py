"""Runs the network of a model folder: OpenVINO, eight bits, on the processor."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import openvino
from numpy.typing import NDArray

from serving.embeddings import EmbeddingTable
from serving.errors import ModelFolderError

BATCH_TOKENS = 1024
"""Tokens of one batch, padding included: as large as pays on two cores, and flat in memory."""
LENGTH_STEP = 8
"""Lengths are padded to a multiple of it. OpenVINO prepares, and keeps, what it runs for every
shape that it meets: without it, 2,500 mixed passages in batches as 32 callers make them took 2.7 GB
and went more slowly (docs/experiments.md)."""
SHAPES_KEPT = 512
"""Shapes of batches whose preparation is kept, so that memory has an end; OpenVINO keeps 5,000."""


@dataclass(frozen=True)
class Scores:
    """Raw: `narratives` (passages, narratives), `stances` (passages, narratives, stances)."""

    narratives: NDArray[np.float32]
    stances: NDArray[np.float32]


class Engine:
    """A compiled network with its embedding table; safe to call from several threads."""

    def __init__(self, graph: Path, table: EmbeddingTable, *, threads: int = 0) -> None:
        """Compile `graph`; `threads` 0 takes all cores."""
        self._table = table
        core = openvino.Core()
        # fp32 between the 8-bit products: some processors would else choose bf16, and the same
        # folder would answer differently from machine to machine.
        options = {
            "INFERENCE_PRECISION_HINT": "f32",
            "INFERENCE_NUM_THREADS": str(threads),
            "CPU_RUNTIME_CACHE_CAPACITY": str(SHAPES_KEPT),
        }
        try:
            self._compiled = core.compile_model(core.read_model(graph), "CPU", options)
        except RuntimeError as error:
            # The library's message names places in its own source, and helps nobody else.
            raise ModelFolderError(
                f"{graph} cannot be run: copy the whole released folder again."
            ) from error
        self._local = threading.local()
        shape = self._compiled.output("stances").partial_shape
        self.narratives, self.stances = shape[1].get_length(), shape[2].get_length()

    def score(self, ids: Sequence[Sequence[int]]) -> Scores:
        """Score passages, given as token ids; similar lengths are run together."""
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        narratives: list[NDArray[np.float32]] = []
        stances: list[NDArray[np.float32]] = []
        for batch in batches(ids, order):
            scores = self._run([ids[index] for index in batch])
            narratives.append(scores.narratives)
            stances.append(scores.stances)
        back = np.argsort(order)
        return Scores(np.concatenate(narratives)[back], np.concatenate(stances)[back])

    def _run(self, ids: list[Sequence[int]]) -> Scores:
        longest = -(-max(map(len, ids)) // LENGTH_STEP) * LENGTH_STEP
        padded = np.zeros((len(ids), longest), np.int64)
        mask = np.zeros((len(ids), longest), np.int64)
        for row, passage in enumerate(ids):
            padded[row, : len(passage)] = passage
            mask[row, : len(passage)] = 1
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        outputs = self._local.request.infer({"embeddings": self._table.rows(padded), "mask": mask})
        return Scores(outputs["narratives"].copy(), outputs["stances"].copy())


def batches(ids: Sequence[Sequence[int]], order: Sequence[int]) -> Iterator[list[int]]:
    """Cut `order` (indices, shortest passage first) into batches of at most `BATCH_TOKENS`."""
    batch: list[int] = []
    for index in order:
        if batch and (len(batch) + 1) * len(ids[index]) > BATCH_TOKENS:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch
