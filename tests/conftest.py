"""Small real models for the tests: the project's own code makes them, in a second or two."""

import os
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from serving.model_folder import NarrativeDecision, Reading, StanceDecision
from training import export, run
from training.base import tokenizer as tokenizers
from training.fine_tune import build
from training.network import Network
from training.recipe import Recipe
from training.taxonomy import Taxonomy

RELEASED = Path("models/current")
LETTERS = (
    "abcdefghijklmnopqrstuvwxyzабвгдежзийклмнопрстуфхцчшщъыьэюяіїєґәғқңөұүһ"
    "0123456789.,!?:;«»\"'()-–—"
)


@pytest.fixture(scope="session", autouse=True)
def _runs_are_followed_elsewhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests' runs out of the file of real ones; the tool reads this once, at import."""
    os.environ["TRACKIO_DIR"] = str(tmp_path_factory.mktemp("trackio"))


@pytest.fixture(scope="session")
def made_up() -> Taxonomy:
    """A taxonomy that the project's own knows nothing of."""
    return Taxonomy.model_validate(
        {
            "version": "9.9.9",
            "narratives": [
                {"id": name, "title": {"en": name}, "definition": f"The passage is about {name}."}
                for name in ("red-tractors", "blue-boats", "green-trains")
            ],
            "stances": [
                {"id": name, "title": {"en": name}, "definition": name}
                for name in ("for", "against")
            ],
        }
    )


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base encoder of two layers over single letters and a few words, with random weights."""
    folder = tmp_path_factory.mktemp("base") / "tiny"
    words = ["red", "blue", "green", "tractor", "boat", "train", "good", "bad", "the", "is", "are"]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS, *LETTERS.upper()[:58]]
    pieces = list(dict.fromkeys([*pieces, *(f"▁{word}" for word in words)]))
    scores = [0.0 if i < 4 else -2.0 if len(p) > 1 else -8.0 for i, p in enumerate(pieces)]
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=128,
        max_position_embeddings=128,
        pad_token_id=1,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.build(pieces, scores, unknown=3),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_recipe() -> Recipe:
    """A recipe that fits the tiny base."""
    return Recipe(
        epochs=8,
        batch=8,
        tokens=64,
        learning_rate=1e-3,
        layer_decay=1.0,
        heads_learning_rate=5e-3,
        # In so few steps an average of many would still be on its way.
        average=0.5,
        perturbed=0.1,
        precision="fp32",
    )


@pytest.fixture(scope="session")
def tiny_network(checkpoint: Path, made_up: Taxonomy, tiny_recipe: Recipe) -> Network:
    """The untrained network on the tiny base."""
    torch.manual_seed(1)
    network = build(run.open_base(str(checkpoint), tiny_recipe), made_up, tiny_recipe).eval()
    # They start at zero, where every text would score alike and no mix-up could be seen.
    torch.nn.init.normal_(network.heads.narrative, std=0.3)
    return network


@pytest.fixture(scope="session")
def tiny_model(
    tmp_path_factory: pytest.TempPathFactory,
    checkpoint: Path,
    made_up: Taxonomy,
    tiny_recipe: Recipe,
    tiny_network: Network,
) -> Path:
    """A whole model folder, untrained: everything is found in every text (review is 0)."""
    folder = tmp_path_factory.mktemp("models") / "tiny-0.0.1"
    graph = export.graph(tiny_network, width=64, int8=False, calibration=[])
    export.write_parts(tiny_network, checkpoint / run.TOKENIZER, graph, folder)
    rule = NarrativeDecision(slope=1, intercept=0, accept=0.9, review=0)
    export.write_manifest(
        folder,
        taxonomy=made_up,
        decisions=dict.fromkeys(made_up.narrative_ids, rule),
        stance=StanceDecision(temperature=1, accept=dict.fromkeys(made_up.stance_ids, 0.5)),
        reading=Reading(tokens=tiny_recipe.tokens),
        about={
            "languages": {"en": 10, "ru": 5},
            "base": {},
            "data": {},
            "training": {},
            "metrics": {},
        },
    )
    return folder
