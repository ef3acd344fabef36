"""Exports a trained network to a model folder: eight-bit graph, four-bit embedding table, manifest.

The token embeddings leave the graph: serving looks them up in the packed table. What is left is
quantised after training (nncf, static, symmetric weights) on real passages of the training side.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nncf
import numpy as np
import openvino
import torch
from safetensors.numpy import save_file
from torch import Tensor, nn

from serving.embeddings import EmbeddingTable, pack
from serving.engine import batches
from serving.model_folder import (
    EMBEDDINGS,
    LARGEST_BYTES,
    MANIFEST,
    NETWORK,
    TOKENIZER,
    Label,
    Manifest,
    NarrativeDecision,
    Reading,
    StanceDecision,
    digest,
)
from training.errors import TrainingError
from training.network import Heads, Network
from training.taxonomy import Taxonomy

CALIBRATION_PASSAGES = 300


class _WithoutTable(nn.Module):
    """The network from embeddings on: what the engine runs."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.encoder: Any = network.encoder
        self.heads: Heads = network.heads

    def forward(self, embeddings: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        hidden = self.encoder(inputs_embeds=embeddings, attention_mask=mask).last_hidden_state
        scores = self.heads(hidden, mask)
        return scores.narratives, scores.stances


def embedding_table(network: Network) -> EmbeddingTable:
    """Pack the network's token embeddings."""
    weights = network.encoder.get_input_embeddings().weight
    return pack(weights.detach().float().numpy())


def graph(network: Network, *, width: int, int8: bool, calibration: Sequence[list[int]]) -> Any:
    """Convert the network to an OpenVINO model, in eight bits if asked.

    Args:
        network: a trained network.
        width: of the embeddings.
        int8: whether to quantise; without it the graph is fp32.
        calibration: token ids of real passages, on which the ranges of activations are measured.
    """
    bare = _WithoutTable(network).eval()
    example = (torch.zeros(2, 16, width), torch.ones(2, 16, dtype=torch.long))
    with torch.no_grad():
        model = openvino.convert_model(bare, example_input=example)
    for port, name in zip(model.inputs, ("embeddings", "mask"), strict=True):
        port.get_tensor().set_names({name})
    for port, name in zip(model.outputs, ("narratives", "stances"), strict=True):
        port.get_tensor().set_names({name})
    model.reshape({"embeddings": [-1, -1, width], "mask": [-1, -1]})
    if not int8:
        return model
    table = embedding_table(network)
    return nncf.quantize(
        model,
        nncf.Dataset(list(_feeds(table, calibration))),
        model_type=nncf.ModelType.TRANSFORMER,
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(calibration),
    )


def _feeds(table: EmbeddingTable, passages: Sequence[list[int]]) -> list[dict[str, Any]]:
    order = sorted(range(len(passages)), key=lambda index: len(passages[index]))
    feeds = []
    for batch in batches(passages, order):
        for index in batch:
            ids = np.array([passages[index]])
            feeds.append({"embeddings": table.rows(ids), "mask": np.ones_like(ids)})
    return feeds


def write_parts(network: Network, tokenizer: Path, model: Any, folder: Path) -> None:
    """Write graph, table and tokenizer into `folder`; the manifest follows."""
    folder.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, folder / NETWORK, compress_to_fp16=False)
    table = embedding_table(network)
    save_file({"codes": table.codes, "scales": table.scales}, folder / EMBEDDINGS)
    (folder / EMBEDDINGS).chmod(0o644)
    # One line: indentation is a third of a tokenizer of 160,000 pieces.
    pieces = json.loads(tokenizer.read_text(encoding="utf-8"))
    compact = json.dumps(pieces, ensure_ascii=False, separators=(",", ":"))
    (folder / TOKENIZER).write_text(compact, encoding="utf-8")


def write_manifest(
    folder: Path,
    *,
    taxonomy: Taxonomy,
    decisions: dict[str, NarrativeDecision],
    stance: StanceDecision,
    reading: Reading,
    about: dict[str, Any],
) -> Manifest:
    """Complete a folder: the manifest with every file's hash.

    Args:
        folder: with the parts in it; its name is the model's.
        taxonomy: whose narratives and stances the model tells.
        decisions: calibration and thresholds of each narrative.
        stance: calibration and thresholds of the stance.
        reading: prefix and length limit.
        about: `languages`, `base`, `data`, `training` and `metrics` of the manifest.

    Raises:
        TrainingError: the folder is larger than a repository should hold.
    """
    files = sorted(p for p in folder.iterdir() if p.name not in (MANIFEST, "README.md"))
    size = sum(path.stat().st_size for path in files)
    if size > LARGEST_BYTES:
        raise TrainingError(
            f"{folder} has {size / 1e6:.0f} MB, more than {LARGEST_BYTES / 1e6:.0f}: "
            "trim the base's vocabulary to the served scripts."
        )
    manifest = Manifest(
        format=1,
        name=folder.name,
        created=datetime.now(UTC).date().isoformat(),
        taxonomy_version=taxonomy.version,
        narratives=[Label(id=n.id, title=n.title) for n in taxonomy.narratives],
        stances=[Label(id=s.id, title=s.title) for s in taxonomy.stances],
        decisions=decisions,
        stance=stance,
        reading=reading,
        files={path.name: digest(path) for path in files},
        **about,
    )
    save_manifest(folder, manifest)
    return manifest


def save_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest into its folder."""
    # Validated anew: a copy with changed fields was not.
    whole = Manifest.model_validate(manifest.model_dump())
    text = json.dumps(whole.model_dump(mode="json"), indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
