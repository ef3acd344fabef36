"""The recipe's arguments: what is saved beside the weights, and what a run can be repeated from."""

from dataclasses import dataclass, replace
from typing import Literal

Precision = Literal["auto", "fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is fine-tuned; the defaults made the released model (docs/experiments.md)."""

    epochs: int = 5
    batch: int = 16
    learning_rate: float = 2e-4
    heads_learning_rate: float = 2e-3
    warmup: float = 0.1
    weight_decay: float = 0.01
    dropout: float = 0.1
    stance_weight: float = 1.0
    query_norm: float = 3.0
    tokens: int = 192
    seed: int = 7
    precision: Precision = "auto"

    def with_(self, **changes: object) -> "Recipe":
        """Return a recipe with the arguments in `changes` that are not None."""
        given = {name: value for name, value in changes.items() if value is not None}
        return replace(self, **given)  # type: ignore[arg-type]
