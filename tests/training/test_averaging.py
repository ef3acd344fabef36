"""The averaging optimizer: steps as AdamW's, and an average that a checkpoint holds."""

import pytest
import torch
from torch import nn

from training.averaging import AVERAGE, AveragingAdamW


def trained(decay: float, steps: int) -> tuple[nn.Linear, AveragingAdamW, list[torch.Tensor]]:
    torch.manual_seed(0)
    layer = nn.Linear(3, 2)
    optimizer = AveragingAdamW(
        [{"params": list(layer.parameters()), "lr": 0.1}], decay=decay, weight_decay=0.01
    )
    path = []
    for step in range(steps):
        optimizer.zero_grad()
        layer(torch.full((1, 3), float(step))).sum().backward()
        optimizer.step()
        path.append(layer.weight.detach().clone())
    return layer, optimizer, path


def test_the_steps_are_those_of_adamw() -> None:
    layer, _, _ = trained(0.9, 5)
    torch.manual_seed(0)
    plain = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=0.1, weight_decay=0.01)
    for step in range(5):
        optimizer.zero_grad()
        plain(torch.full((1, 3), float(step))).sum().backward()
        optimizer.step()
    assert torch.allclose(layer.weight, plain.weight, atol=1e-6)


def test_the_average_lies_within_the_path_behind_its_end() -> None:
    layer, optimizer, path = trained(0.9, 40)
    last = layer.weight.detach().clone()
    optimizer.use_average()
    average = layer.weight.detach()
    low, high = torch.stack(path).amin(0), torch.stack(path).amax(0)
    assert (low < average).all()
    assert (average < high).all()
    assert not torch.allclose(average, last, atol=1e-3)


def test_without_decay_the_last_weights_stay() -> None:
    layer, optimizer, path = trained(0.0, 5)
    optimizer.use_average()
    assert torch.equal(layer.weight, path[-1])


def test_the_average_of_a_steady_weight_is_that_weight() -> None:
    weight = nn.Parameter(torch.ones(2))
    optimizer = AveragingAdamW([{"params": [weight], "lr": 0.0}], decay=0.99, weight_decay=0.0)
    for _ in range(3):
        weight.grad = torch.ones(2)
        optimizer.step()
    optimizer.use_average()
    assert torch.allclose(weight, torch.ones(2))


def test_a_restored_optimizer_goes_on_with_its_average() -> None:
    _, optimizer, _ = trained(0.9, 5)
    layer = nn.Linear(3, 2)
    other = AveragingAdamW(
        [{"params": list(layer.parameters()), "lr": 0.1}], decay=0.9, weight_decay=0.01
    )
    other.load_state_dict(optimizer.state_dict())
    kept = [state[AVERAGE] for state in optimizer.state.values()]
    restored = [state[AVERAGE] for state in other.state.values()]
    assert len(kept) == 2
    assert all(torch.equal(a, b) for a, b in zip(kept, restored, strict=True))


def test_a_parameter_that_never_had_a_gradient_is_left_alone() -> None:
    idle, busy = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    optimizer = AveragingAdamW([{"params": [idle, busy], "lr": 0.1}], decay=0.9, weight_decay=0.0)
    busy.grad = torch.ones(2)
    optimizer.step()
    optimizer.use_average()
    assert idle.tolist() == [1, 1]
    assert busy.tolist() == pytest.approx([0.9, 0.9])
