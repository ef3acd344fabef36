"""The engine: the same answer whatever passages are run beside one."""

from pathlib import Path

import numpy as np
import pytest
import torch

from serving.embeddings import EmbeddingTable
from serving.engine import BATCH_TOKENS, Engine, batches
from serving.errors import ModelFolderError
from serving.model_folder import EMBEDDINGS, NETWORK
from training.network import Network

PASSAGES = [[0, 9, 8, 7, 2], [0, 20, 2], [0, *range(5, 50), 2], [0, 12, 13, 2]]


@pytest.fixture(scope="module")
def engine(tiny_model: Path) -> Engine:
    return Engine(tiny_model / NETWORK, EmbeddingTable.load(tiny_model / EMBEDDINGS))


def test_scores_are_those_of_the_trained_network(engine: Engine, tiny_network: Network) -> None:
    scores = engine.score(PASSAGES)
    table = tiny_network.encoder.get_input_embeddings().weight.clone()
    packed = EmbeddingTable  # the table is packed to four bits, so compare through its rows
    del packed
    for row, ids in enumerate(PASSAGES):
        with torch.no_grad():
            tiny_network.encoder.get_input_embeddings().weight.copy_(
                torch.from_numpy(engine._table.rows(np.arange(len(table))))
            )
            expected = tiny_network(torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))
            tiny_network.encoder.get_input_embeddings().weight.copy_(table)
        np.testing.assert_allclose(scores.narratives[row], expected["narratives"][0], atol=1e-4)
        np.testing.assert_allclose(scores.stances[row], expected["stances"][0], atol=1e-4)


def test_order_is_kept_and_neighbours_do_not_change_a_score(engine: Engine) -> None:
    together = engine.score(PASSAGES).narratives
    alone = np.concatenate([engine.score([ids]).narratives for ids in PASSAGES])
    np.testing.assert_allclose(together, alone, atol=1e-4)


def test_batches_cover_every_passage_once_within_the_token_budget() -> None:
    lengths = [3, 500, 40, 40, 900, 1, 1024, 2000]
    ids = [[0] * length for length in lengths]
    order = sorted(range(len(ids)), key=lambda index: lengths[index])
    cut = list(batches(ids, order))
    assert sorted(index for batch in cut for index in batch) == list(range(len(ids)))
    for batch in cut:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= BATCH_TOKENS


def test_a_damaged_graph_is_one_sentence(tiny_model: Path, tmp_path: Path) -> None:
    broken = tmp_path / NETWORK
    broken.write_text("<net/>")
    with pytest.raises(ModelFolderError, match="cannot be run"):
        Engine(broken, EmbeddingTable.load(tiny_model / EMBEDDINGS))
