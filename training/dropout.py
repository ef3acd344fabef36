"""Dropout whose mask is shared by all tokens of a passage (Gal and Ghahramani 2016).

Source: "A theoretically grounded application of dropout in recurrent neural networks",
arXiv:1512.05287. On a processor the random numbers of ordinary dropout took a third of a training
step (docs/experiments.md); one mask for all tokens needs as many as the hidden state is wide.
"""

import torch
from torch import Tensor, nn


class SharedDropout(nn.Module):
    """Zero the same features of every token, hidden states (passages, tokens, hidden)."""

    def __init__(self, p: float) -> None:
        """Drop each feature with probability `p`."""
        super().__init__()
        self.p = p

    def forward(self, hidden: Tensor) -> Tensor:
        """Return `hidden` with features zeroed and the others scaled up; unchanged in eval mode."""
        if not self.training or self.p == 0:
            return hidden
        mask = torch.empty_like(hidden[:, :1]).bernoulli_(1 - self.p).div_(1 - self.p)
        return hidden * mask


def share_over_tokens(encoder: nn.Module, p: float) -> None:
    """Replace every dropout of an encoder in place; one that is off (of attention) stays off."""
    for name, child in encoder.named_children():
        if not isinstance(child, nn.Dropout):
            share_over_tokens(child, p)
        elif child.p:
            setattr(encoder, name, SharedDropout(p))
