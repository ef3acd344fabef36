"""Heads and loss, against values computed by hand."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from training.network import Heads, Network

NARRATIVES, STANCES, HIDDEN = 3, 2, 8


class Lookup(nn.Module):
    """An encoder whose hidden states are a table's rows."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(20, HIDDEN)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> SimpleNamespace:
        return SimpleNamespace(last_hidden_state=self.table(input_ids))


@pytest.fixture
def heads() -> Heads:
    """Heads whose weights are all drawn, so that nothing hides behind a zero."""
    torch.manual_seed(0)
    made = Heads(
        hidden=HIDDEN, queries=torch.randn(NARRATIVES, HIDDEN), stances=STANCES, dropout=0.5
    )
    nn.init.normal_(made.narrative)
    return made.eval()


def network(stance_weight: float = 1.0) -> Network:
    """A network before training whose stance scores are all alike."""
    torch.manual_seed(0)
    heads = Heads(
        hidden=HIDDEN, queries=torch.randn(NARRATIVES, HIDDEN), stances=STANCES, dropout=0.0
    )
    nn.init.zeros_(heads.stance[-1].weight)
    nn.init.zeros_(heads.stance[-1].bias)
    return Network(Lookup(), heads, stance_weight=stance_weight).eval()


def test_scores_have_a_row_for_every_passage(heads: Heads) -> None:
    scores = heads(torch.randn(5, 7, HIDDEN), torch.ones(5, 7, dtype=torch.long))
    assert scores.narratives.shape == (5, NARRATIVES)
    assert scores.stances.shape == (5, NARRATIVES, STANCES)


def test_padding_changes_no_score(heads: Heads) -> None:
    tokens = torch.randn(2, 4, HIDDEN)
    alone = heads(tokens, torch.ones(2, 4, dtype=torch.long))
    padded = torch.cat([tokens, 50 * torch.randn(2, 3, HIDDEN)], dim=1)
    mask = torch.tensor([[1, 1, 1, 1, 0, 0, 0]] * 2)
    beside = heads(padded, mask)
    torch.testing.assert_close(beside.narratives, alone.narratives)
    torch.testing.assert_close(beside.stances, alone.stances)


def test_neighbours_change_no_score(heads: Heads) -> None:
    tokens, mask = torch.randn(6, 4, HIDDEN), torch.ones(6, 4, dtype=torch.long)
    together = heads(tokens, mask)
    for row in range(6):
        alone = heads(tokens[row : row + 1], mask[:1])
        torch.testing.assert_close(together.narratives[row], alone.narratives[0])
        torch.testing.assert_close(together.stances[row], alone.stances[0])


def test_a_passage_without_tokens_has_finite_scores(heads: Heads) -> None:
    scores = heads(torch.randn(1, 4, HIDDEN), torch.zeros(1, 4, dtype=torch.long))
    assert scores.narratives.isfinite().all()
    assert scores.stances.isfinite().all()


def test_each_narrative_reads_the_token_that_its_query_picks() -> None:
    heads = Heads(
        hidden=2, queries=torch.tensor([[100.0, 0.0], [0.0, 100.0]]), stances=2, dropout=0.0
    ).eval()
    with torch.no_grad():
        heads.narrative.copy_(torch.tensor([[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]))
    tokens = torch.tensor([[[9.0, 1.0], [2.0, 6.0]]])
    scores = heads(tokens, torch.ones(1, 2, dtype=torch.long))
    # The first reads the picked token's first number; the second, the mean's second number.
    torch.testing.assert_close(scores.narratives, torch.tensor([[9.0 - 3.0, 3.5 - 3.0]]))


def test_two_narratives_of_a_passage_can_get_different_stances() -> None:
    heads = Heads(
        hidden=2, queries=torch.tensor([[100.0, 0.0], [0.0, 100.0]]), stances=2, dropout=0.0
    ).eval()
    first, last = heads.stance[0], heads.stance[-1]
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, 0, 0, 0], [0, 1.0, 0, 0]]))
        first.bias.zero_()
        last.weight.copy_(torch.eye(2))
        last.bias.zero_()
    tokens = torch.tensor([[[9.0, 1.0], [2.0, 6.0]]])
    scores = heads(tokens, torch.ones(1, 2, dtype=torch.long))
    assert scores.stances.argmax(-1).tolist() == [[0, 1]]


def test_the_queries_that_were_given_are_not_trained_in_place() -> None:
    queries = torch.ones(NARRATIVES, HIDDEN)
    heads = Heads(hidden=HIDDEN, queries=queries, stances=STANCES, dropout=0.0)
    with torch.no_grad():
        heads.queries.mul_(2)
    assert (queries == 1).all()


def test_before_training_every_narrative_is_unlikely() -> None:
    scores = network()(torch.tensor([[1, 2, 3]]), torch.ones(1, 3, dtype=torch.long))
    assert torch.sigmoid(scores["narratives"]).max() < 0.05


@pytest.mark.parametrize("stance_weight", [0.0, 1.0, 2.5])
def test_the_loss_is_that_of_all_narratives_and_of_the_carried_stances(
    stance_weight: float,
) -> None:
    answer = network(stance_weight)(
        torch.tensor([[1, 2], [3, 4]]),
        torch.ones(2, 2, dtype=torch.long),
        narratives=torch.tensor([[1, 0, 0], [1, 0, 1]]),
        stances=torch.tensor([[0, -100, -100], [1, -100, 0]]),
    )
    # Every score is -3: six decisions over two passages, three of them wrong; stance is a guess.
    carried = (3 * math.log1p(math.exp(3)) + 3 * math.log1p(math.exp(-3))) / 2
    assert answer["loss"].item() == pytest.approx(carried + stance_weight * math.log(2), rel=1e-5)


def test_a_stance_of_what_is_not_carried_does_not_count() -> None:
    made = network()
    with torch.no_grad():
        made.heads.stance[-1].bias.copy_(torch.tensor([3.0, 0.0]))
    rows = (torch.tensor([[1, 2]]), torch.ones(1, 2, dtype=torch.long))
    right = made(*rows, torch.tensor([[1, 0, 0]]), torch.tensor([[0, -100, -100]]))["loss"]
    wrong = made(*rows, torch.tensor([[1, 0, 0]]), torch.tensor([[1, -100, -100]]))["loss"]
    assert (wrong - right).item() == pytest.approx(3.0, rel=1e-5)


def test_a_batch_without_any_narrative_has_a_finite_loss_and_gradient() -> None:
    made = network()
    loss = made(
        torch.tensor([[1, 2]]),
        torch.ones(1, 2, dtype=torch.long),
        narratives=torch.zeros(1, 3, dtype=torch.long),
        stances=torch.full((1, 3), -100),
    )["loss"]
    assert loss.item() == pytest.approx(3 * math.log1p(math.exp(-3)), rel=1e-5)
    loss.backward()
    assert made.heads.narrative.grad.isfinite().all()
    assert made.heads.narrative.grad.any()


def test_without_labels_there_is_no_loss() -> None:
    answer = network()(torch.tensor([[1, 2]]), torch.ones(1, 2, dtype=torch.long))
    assert set(answer) == {"narratives", "stances"}


def test_scores_of_a_half_precision_network_are_single_precision() -> None:
    answer = network().bfloat16()(torch.tensor([[1, 2]]), torch.ones(1, 2, dtype=torch.long))
    assert answer["narratives"].dtype == answer["stances"].dtype == torch.float32
