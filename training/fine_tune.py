"""Fine-tunes the network: transformers' Trainer with our optimiser and batches.

The word embeddings stay frozen. They are four fifths of the parameters, most of them of pieces that
no label shows; frozen they also come out of the release exactly as they came out of the base.
"""

import json
import math
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Sampler
from transformers import (
    AutoConfig,
    AutoModel,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)
from transformers.utils import logging

from serving.tokens import Tokens
from training import tracking
from training.averaging import AveragingAdamW
from training.dropout import share_over_tokens
from training.encoding import TrainingRows, collate, shuffled_batches
from training.network import Heads, Network
from training.recipe import Recipe
from training.taxonomy import Taxonomy

WEIGHTS = "network.safetensors"
HISTORY = "history.json"
LAYER = re.compile(r"\.(?:layers?|h|block)\.(\d+)\.")
"""A layer's number in the names of its parameters, as encoders of transformers write it."""
FIRST_HEADS = 7
"""Seed of the heads before training. Runs of all seeds start from one network, so that their
weights lie near enough to be averaged (`training/soup.py`)."""
LAST_WRITTEN = "trainer_state.json"
"""The file that completes a checkpoint."""


@dataclass(frozen=True)
class Base:
    """A checkpoint directory with its tokenizer."""

    folder: Path
    tokens: Tokens


def build(base: Base, taxonomy: Taxonomy, recipe: Recipe) -> Network:
    """Return the network before training: the base's encoder, heads that start from definitions."""
    set_seed(FIRST_HEADS)
    encoder = load_encoder(base.folder)
    queries = definition_queries(encoder, base, taxonomy) * recipe.query_norm
    share_over_tokens(encoder, recipe.dropout)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = "word_embeddings" not in name
    heads = Heads(
        hidden=encoder.config.hidden_size,
        queries=queries,
        stances=len(taxonomy.stances),
        dropout=recipe.dropout,
    )
    return Network(encoder, heads, stance_weight=recipe.stance_weight)


def load_encoder(folder: Path) -> Any:
    """Load a checkpoint's encoder.

    Attention dropout is off: drawing its random numbers took nearly a third of a step on a
    processor (docs/experiments.md).
    """
    config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    for name in ("attention_probs_dropout_prob", "attention_dropout"):
        if hasattr(config, name):
            setattr(config, name, 0.0)
    # A pooler that the checkpoint lacks is made, reported at length and dropped again below.
    logging.set_verbosity_error()
    encoder = AutoModel.from_pretrained(
        folder, config=config, attn_implementation="eager", trust_remote_code=False
    )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    return encoder


@torch.no_grad()
def definition_queries(encoder: Any, base: Base, taxonomy: Taxonomy) -> Tensor:
    """Embed each narrative's definition, shape (narratives, hidden), unit length, mean removed.

    What all definitions share says nothing about which narrative a token speaks of.
    """
    texts = [f"{n.title.get('en', n.id)}: {n.definition}" for n in taxonomy.narratives]
    rows = []
    for ids in base.tokens.encode(texts):
        hidden = encoder(input_ids=torch.tensor([ids])).last_hidden_state
        rows.append(nn.functional.normalize(hidden[0].mean(0), dim=0))
    queries = torch.stack(rows)
    return nn.functional.normalize(queries - queries.mean(0), dim=1)


def fine_tune(network: Network, train: TrainingRows, recipe: Recipe, run: Path) -> dict[str, Any]:
    """Train `network` in place; a run that was killed goes on from its last checkpoint.

    Returns:
        What happened: steps, seconds of all its processes, loss by epoch.
    """
    arguments = TrainingArguments(
        output_dir=str(run / "checkpoints"),
        num_train_epochs=recipe.epochs,
        per_device_train_batch_size=recipe.batch,
        max_grad_norm=1.0,
        bf16=recipe.precision == "bf16",
        use_cpu=not torch.cuda.is_available(),
        logging_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=1,
        seed=recipe.seed,
        data_seed=recipe.seed,
        remove_unused_columns=False,
        report_to=tracking.report_to(),
        project=tracking.PROJECT,
        run_name=run.name,
        disable_tqdm=None,
        dataloader_num_workers=0,
    )
    trainer = _Trainer(recipe, model=network, args=arguments, train_dataset=train)
    last = _last_whole_checkpoint(run / "checkpoints")
    clock = run / "seconds"
    earlier = float(clock.read_text()) if last and clock.exists() else 0.0
    trainer.add_callback(_Clock(clock, earlier))
    begun = time.monotonic()
    # What follows the run speaks on standard output, where the command answers for machines.
    with redirect_stdout(sys.stderr):
        trainer.train(resume_from_checkpoint=last)
    trainer.use_average()
    history = {
        "steps": trainer.state.global_step,
        "seconds": round(earlier + time.monotonic() - begun),
        "resumed": last is not None,
        "loss": [round(entry["loss"], 4) for entry in trainer.state.log_history if "loss" in entry],
    }
    (run / HISTORY).write_text(json.dumps(history, indent=1) + "\n")
    return history


def _last_whole_checkpoint(folder: Path) -> str | None:
    """Return the newest checkpoint; one that was being written when the run died is deleted."""
    whole: str | None = None
    numbered = [path for path in folder.glob("checkpoint-*") if path.name[11:].isdigit()]
    for path in sorted(numbered, key=lambda path: int(path.name[11:])):
        if (path / LAST_WRITTEN).exists():
            whole = str(path)
        else:
            shutil.rmtree(path)
    return whole


class _Clock(TrainerCallback):  # type: ignore[misc]
    """Keeps the seconds that a run has taken, over all its processes, with each checkpoint."""

    def __init__(self, path: Path, earlier: float) -> None:
        self._path = path
        self._begun = time.monotonic() - earlier

    def on_save(self, *_: Any, **__: Any) -> None:
        self._path.write_text(str(time.monotonic() - self._begun))


def bf16_pays() -> bool:
    """Time one layer in both arithmetics: on many processors bf16 is slower than fp32."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    seconds = {}
    for kind in (torch.float32, torch.bfloat16):
        rows, layer = torch.randn(512, 384, dtype=kind), nn.Linear(384, 1536, dtype=kind)
        with torch.no_grad():
            layer(rows)
            begun = time.perf_counter()
            for _ in range(20):
                layer(rows)
        seconds[kind] = time.perf_counter() - begun
    return seconds[torch.bfloat16] * 1.5 < seconds[torch.float32]


class _Batches(Sampler[list[int]]):
    """Batches of similar length, drawn anew each epoch from the seed alone.

    So a resumed run repeats the order of the one that was killed.
    """

    def __init__(self, rows: TrainingRows, recipe: Recipe) -> None:
        self._rows = rows
        self._recipe = recipe
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch
        self._rows.set_epoch(epoch)

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._recipe.batch)

    def __iter__(self) -> Iterator[list[int]]:
        seed = self._recipe.seed * 1000 + self._epoch
        yield from shuffled_batches(self._rows.lengths, self._recipe.batch, seed)


class _Trainer(Trainer):  # type: ignore[misc]
    def __init__(self, recipe: Recipe, **options: Any) -> None:
        self._recipe = recipe
        super().__init__(data_collator=collate, **options)

    def get_train_dataloader(self) -> DataLoader[Any]:
        batches = _Batches(self.train_dataset, self._recipe)
        return self.accelerator.prepare(  # type: ignore[no-any-return]
            DataLoader(self.train_dataset, batch_sampler=batches, collate_fn=collate)
        )

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        recipe = self._recipe
        groups = [
            {"params": parameters, "lr": recipe.learning_rate * recipe.layer_decay**depth}
            for depth, parameters in _by_depth(self.model.encoder).items()
        ]
        groups += [
            {"params": list(self.model.heads.parameters()), "lr": recipe.heads_learning_rate}
        ]
        self.optimizer = AveragingAdamW(
            groups, decay=recipe.average, weight_decay=recipe.weight_decay
        )
        return self.optimizer

    def use_average(self) -> None:
        # The accelerator may have wrapped it.
        getattr(self.optimizer, "optimizer", self.optimizer).use_average()

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        warmup = max(1, int(num_training_steps * self._recipe.warmup))
        self.lr_scheduler = torch.optim.lr_scheduler.LambdaLR(
            optimizer or self.optimizer,
            lambda step: min((step + 1) / warmup, max(0.0, 1 - step / num_training_steps)),
        )
        return self.lr_scheduler


def _by_depth(encoder: nn.Module) -> dict[int, list[nn.Parameter]]:
    """Return the trainable parameters by layers from the top: 0 is the last, embeddings deepest."""
    named = [(name, p) for name, p in encoder.named_parameters() if p.requires_grad]
    numbers = {name: int(found[1]) for name, _ in named if (found := LAYER.search(name))}
    last = max(numbers.values(), default=-1)
    by_depth: dict[int, list[nn.Parameter]] = {}
    for name, parameter in named:
        by_depth.setdefault(last - numbers.get(name, -1), []).append(parameter)
    return by_depth
