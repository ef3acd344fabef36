"""From a network to a model folder: graph, table, tokenizer, manifest."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import pytest

from serving import model_folder
from serving.embeddings import EmbeddingTable
from serving.engine import Engine
from serving.errors import ModelFolderError
from serving.model_folder import (
    EMBEDDINGS,
    MANIFEST,
    NETWORK,
    TOKENIZER,
    NarrativeDecision,
    Reading,
    StanceDecision,
)
from training import export
from training.errors import TrainingError
from training.network import Network
from training.taxonomy import Taxonomy

WIDTH = 64
PASSAGES = [[0, *range(5 + n, 8 + 2 * n), 2] for n in range(24)]


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model folder that a test may change."""
    return shutil.copytree(tiny_model, tmp_path / tiny_model.name)


def complete(folder: Path, taxonomy: Taxonomy, **about: Any) -> model_folder.Manifest:
    rule = NarrativeDecision(slope=2, intercept=-1, accept=0.8, review=0.3)
    parts = {"languages": {}, "base": {}, "data": {}, "training": {}, "metrics": {}}
    return export.write_manifest(
        folder,
        taxonomy=taxonomy,
        decisions=dict.fromkeys(taxonomy.narrative_ids, rule),
        stance=StanceDecision(temperature=1.5, accept=dict.fromkeys(taxonomy.stance_ids, 0.6)),
        reading=Reading(prefix="query: ", tokens=64),
        about={**parts, **about},
    )


def constants(model: Any) -> Iterator[Any]:
    return (op for op in model.get_ops() if op.get_type_name() == "Constant")


def test_the_graph_names_its_inputs_and_outputs_and_takes_any_size(tiny_model: Path) -> None:
    model = openvino.Core().read_model(tiny_model / NETWORK)
    assert {name for port in model.inputs for name in port.get_names()} == {"embeddings", "mask"}
    assert {"narratives"} <= model.output("narratives").get_names()
    assert {"stances"} <= model.output("stances").get_names()
    assert model.input("embeddings").partial_shape.to_string() in ("[?,?,64]", "[-1,-1,64]")


def test_the_graph_does_not_hold_the_embedding_table(
    tiny_model: Path, tiny_network: Network
) -> None:
    words = tiny_network.encoder.get_input_embeddings().weight.shape
    model = openvino.Core().read_model(tiny_model / NETWORK)
    shapes = [tuple(constant.shape) for constant in constants(model)]
    assert (128, WIDTH) in shapes  # the table of positions stays
    assert tuple(words) not in shapes


def test_the_table_is_that_of_the_network_in_four_bits(
    tiny_model: Path, tiny_network: Network
) -> None:
    weights = tiny_network.encoder.get_input_embeddings().weight.detach().numpy()
    table = EmbeddingTable.load(tiny_model / EMBEDDINGS)
    rows = table.rows(np.arange(len(weights)))
    # A step is an eighth of the block's largest weight; rounding is off by half of one, and by a
    # whole one at the end that the codes do not reach.
    step = np.abs(weights.reshape(len(weights), -1, 32)).max(-1).repeat(32, 1) / 8
    assert (np.abs(rows - weights) <= 1.01 * step).all()
    assert (np.abs(rows - weights) <= 0.51 * step).mean() > 0.9


def test_the_tokenizer_is_that_of_the_base(tiny_model: Path, checkpoint: Path) -> None:
    texts = [
        path.read_text(encoding="utf-8")
        for path in (tiny_model / TOKENIZER, checkpoint / "tokenizer.json")
    ]
    ours, theirs = map(json.loads, texts)
    assert ours == theirs
    assert len(texts[0]) < len(texts[1])


def test_eight_bits_answer_nearly_as_the_network_does(
    tiny_model: Path, tiny_network: Network, tmp_path: Path
) -> None:
    before = {name: value.clone() for name, value in tiny_network.state_dict().items()}
    quantised = export.graph(tiny_network, width=WIDTH, int8=True, calibration=PASSAGES)
    path = tmp_path / NETWORK
    openvino.save_model(quantised, path, compress_to_fp16=False)
    assert any(c.get_element_type() == openvino.Type.i8 for c in constants(quantised))
    table = EmbeddingTable.load(tiny_model / EMBEDDINGS)
    eight = Engine(path, table).score(PASSAGES)
    full = Engine(tiny_model / NETWORK, table).score(PASSAGES)
    assert np.abs(eight.stances - full.stances).max() < 0.25 * np.ptp(full.stances)
    assert np.abs(eight.narratives - full.narratives).max() < 0.15 * np.ptp(full.narratives)
    assert (eight.stances != full.stances).any()
    after = tiny_network.state_dict()
    assert all((after[name] == value).all() for name, value in before.items())


def test_the_manifest_opens_and_says_what_was_given(folder: Path, made_up: Taxonomy) -> None:
    complete(folder, made_up, languages={"kk": 3}, metrics={"macro_f1": 0.5})
    found = model_folder.open_folder(folder)
    assert found.name == folder.name
    assert found.taxonomy_version == made_up.version
    assert [label.id for label in found.narratives] == made_up.narrative_ids
    assert [label.id for label in found.stances] == made_up.stance_ids
    assert found.narratives[0].title == made_up.narratives[0].title
    assert found.decisions["blue-boats"].slope == 2
    assert found.stance.temperature == 1.5
    assert found.reading == Reading(prefix="query: ", tokens=64)
    assert (found.languages, found.metrics) == ({"kk": 3}, {"macro_f1": 0.5})


def test_the_manifest_names_every_file_but_itself_and_the_card(
    folder: Path, made_up: Taxonomy
) -> None:
    (folder / "README.md").write_text("A card that is written later.")
    manifest = complete(folder, made_up)
    assert set(manifest.files) == {NETWORK, "network.bin", EMBEDDINGS, TOKENIZER}


def test_a_manifest_that_is_written_again_replaces_the_first(
    folder: Path, made_up: Taxonomy
) -> None:
    complete(folder, made_up, metrics={"first": 1})
    complete(folder, made_up, metrics={"second": 2})
    assert model_folder.open_folder(folder).metrics == {"second": 2}


def test_a_file_that_changes_after_the_release_is_noticed(folder: Path, made_up: Taxonomy) -> None:
    complete(folder, made_up)
    with (folder / TOKENIZER).open("a") as file:
        file.write(" ")
    with pytest.raises(ModelFolderError, match=f"{TOKENIZER} is not the released file"):
        model_folder.open_folder(folder)


def test_titles_stay_readable_in_the_manifest(folder: Path, made_up: Taxonomy) -> None:
    raw = made_up.model_dump(mode="json")
    raw["narratives"][0]["title"] = {"kk": "Қызыл тракторлар"}
    complete(folder, Taxonomy.model_validate(raw))
    text = (folder / MANIFEST).read_text(encoding="utf-8")
    assert "Қызыл тракторлар" in text
    assert json.loads(text)["format"] == model_folder.FORMAT


def test_a_folder_too_large_for_the_repository_is_refused(
    folder: Path, made_up: Taxonomy, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / MANIFEST).unlink()
    size = sum(path.stat().st_size for path in folder.iterdir())
    monkeypatch.setattr(export, "LARGEST_BYTES", size)
    complete(folder, made_up)
    (folder / MANIFEST).unlink()
    monkeypatch.setattr(export, "LARGEST_BYTES", size - 1)
    with pytest.raises(TrainingError, match=r"MB, more than .*: trim the base's vocabulary"):
        complete(folder, made_up)
    assert not (folder / MANIFEST).exists()
