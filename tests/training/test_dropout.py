"""Dropout: one mask for all tokens of a passage, and none when serving."""

import torch
from torch import nn

from training.dropout import SharedDropout, share_over_tokens


def test_all_tokens_of_a_passage_lose_the_same_features() -> None:
    torch.manual_seed(0)
    dropped = SharedDropout(0.5)(torch.ones(4, 7, 32)) == 0
    assert torch.equal(dropped, dropped[:, :1].expand_as(dropped))
    assert 0.3 < dropped.float().mean() < 0.7
    assert not torch.equal(dropped[0], dropped[1])


def test_the_mean_of_a_feature_stays() -> None:
    torch.manual_seed(0)
    assert abs(SharedDropout(0.25)(torch.ones(500, 1, 64)).mean() - 1) < 0.02


def test_nothing_is_dropped_in_eval_mode() -> None:
    hidden = torch.randn(2, 3, 8)
    assert torch.equal(SharedDropout(0.5).eval()(hidden), hidden)


def test_every_dropout_of_an_encoder_is_replaced_at_any_depth() -> None:
    encoder = nn.Sequential(nn.Dropout(0.2), nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.3)))
    share_over_tokens(encoder, 0.1)
    kinds = [type(module) for module in encoder.modules()]
    assert kinds.count(SharedDropout) == 2
    assert nn.Dropout not in kinds
    assert [m.p for m in encoder.modules() if isinstance(m, SharedDropout)] == [0.1, 0.1]


def test_a_dropout_that_is_off_stays_off() -> None:
    encoder = nn.Sequential(nn.Dropout(0.0), nn.Linear(2, 2))
    share_over_tokens(encoder, 0.1)
    assert [module.p for module in encoder.modules() if hasattr(module, "p")] == [0.0]
