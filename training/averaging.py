"""AdamW that also keeps a moving average of the weights, which is what a run ends with.

The average of the last steps lies nearer to the middle of the valley that the steps wander in
(Polyak and Juditsky 1992; Tarvainen and Valpola 2017, arXiv:1703.01780). It is part of the
optimizer's state, so checkpoints hold it and a resumed run goes on with it.
"""

from collections.abc import Callable
from typing import Any

import torch

AVERAGE = "average"


class AveragingAdamW(torch.optim.AdamW):
    """AdamW whose `use_average` puts the averaged weights in place of the last ones."""

    def __init__(self, groups: list[dict[str, Any]], *, decay: float, weight_decay: float) -> None:
        """Average with `decay` (0 keeps the last weights); early steps are forgotten sooner."""
        super().__init__(groups, weight_decay=weight_decay, fused=True)
        self._decay = decay

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Take a step, then move the average towards the new weights."""
        loss = super().step(closure)
        for parameter in self._parameters():
            state = self.state[parameter]
            if AVERAGE not in state:
                state[AVERAGE] = parameter.detach().clone()
            number = float(state["step"])
            decay = min(self._decay, number / (number + 9))
            state[AVERAGE].lerp_(parameter, 1 - decay)
        return loss

    @torch.no_grad()
    def use_average(self) -> None:
        """Put the averaged weights in place; a step after this would start from them."""
        for parameter in self._parameters():
            parameter.copy_(self.state[parameter][AVERAGE])

    def _parameters(self) -> list[torch.Tensor]:
        return [p for group in self.param_groups for p in group["params"] if self.state[p]]
