"""The multi-task network: which narratives a passage carries, and its stance to each."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(kw_only=True)
class Scores:
    """Raw: `narratives` (passages, narratives), `stances` (passages, narratives, stances)."""

    narratives: Tensor
    stances: Tensor


class Heads(nn.Module):
    """Label-wise attention over the tokens (Mullenbach et al. 2018, arXiv:1802.05695).

    Each narrative has a query that picks the tokens which speak of it. What it picks, beside the
    mean of all tokens, decides whether the narrative is there and which stance the passage takes
    to it: two narratives of one passage read different words and can get different stances. The
    stance layers are shared by all narratives, so that a rare one learns stance from the others.
    """

    def __init__(self, *, hidden: int, queries: Tensor, stances: int, dropout: float) -> None:
        """Make the heads; `queries` (narratives, hidden) starts each narrative's attention."""
        super().__init__()
        self.hidden = hidden
        narratives = queries.shape[0]
        self.queries = nn.Parameter(queries.clone())
        self.dropout = nn.Dropout(dropout)
        self.narrative = nn.Parameter(torch.zeros(narratives, 2 * hidden))
        self.narrative_bias = nn.Parameter(torch.full((narratives,), -3.0))
        self.stance = nn.Sequential(
            nn.Linear(2 * hidden, hidden),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, stances),
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Scores:
        """Score hidden states (passages, tokens, hidden) under a mask (passages, tokens)."""
        keep = mask.to(tokens.dtype)
        mean = (tokens * keep[:, :, None]).sum(1) / keep.sum(1, keepdim=True).clamp(min=1)
        scores = tokens @ self.queries.T / self.queries.shape[1] ** 0.5
        scores = scores + (keep[:, :, None] - 1) * 1e4
        picked = scores.softmax(1).transpose(1, 2) @ tokens
        both = torch.cat([picked, mean[:, None].expand_as(picked)], dim=-1)
        both = self.dropout(both)
        # A product of matrices and not a product and a sum: OpenVINO 2026.4 answers 0 for the last
        # passage of some batches when the sum is a reduction over the last axis.
        narratives = (both.transpose(0, 1) @ self.narrative[:, :, None])[:, :, 0].T
        return Scores(
            narratives=narratives + self.narrative_bias,
            stances=self.stance(both),
        )


class Network(nn.Module):
    """Encoder and heads, with the loss that the trainer minimises."""

    def __init__(self, encoder: Any, heads: Heads, *, stance_weight: float) -> None:
        """Join `encoder` (a Hugging Face encoder with frozen or free word embeddings) and heads."""
        super().__init__()
        self.encoder: Any = encoder
        self.heads: Heads = heads
        self.stance_weight = stance_weight

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        narratives: Tensor | None = None,
        stances: Tensor | None = None,
    ) -> dict[str, Any]:
        """Score token ids (passages, tokens).

        With `narratives` (passages, narratives; 0 or 1) and `stances` (the same shape; a stance's
        index, or -100 where there is none) the answer holds the loss too.
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        scores = self.heads(hidden, attention_mask)
        answer = {"narratives": scores.narratives.float(), "stances": scores.stances.float()}
        if narratives is not None and stances is not None:
            carried = nn.functional.binary_cross_entropy_with_logits(
                answer["narratives"], narratives.float(), reduction="none"
            )
            loss = carried.sum(1).mean()
            if (stances >= 0).any():
                flat = answer["stances"].flatten(0, 1)
                loss = loss + self.stance_weight * nn.functional.cross_entropy(
                    flat, stances.flatten(), ignore_index=-100
                )
            answer["loss"] = loss
        return answer
