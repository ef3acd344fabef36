"""The recipe's arguments: what is saved beside the weights, and what a run can be repeated from."""

from dataclasses import dataclass, replace
from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is fine-tuned; the defaults made the released model (docs/experiments.md)."""

    epochs: int = 5
    batch: int = 16
    learning_rate: float = 3e-4
    """Of the encoder's last layer."""
    layer_decay: float = 0.9
    """Each layer further down learns so much slower than the one above it."""
    heads_learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1
    stance_weight: float = 1.0
    query_norm: float = 3.0
    average: float = 0.999
    """Decay of the moving average of the weights; 0 keeps the last ones."""
    perturbed: float = 0.3
    """Share of the passages that each epoch sees perturbed."""
    share: float = 1.0
    """Share of the training side's groups that are trained on, for learning curves."""
    tokens: int = 192
    seed: int = 7
    precision: Precision = "auto"

    def with_(self, **changes: object) -> "Recipe":
        """Return a recipe with the arguments in `changes` that are not None."""
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(self, **given)  # type: ignore[arg-type]
