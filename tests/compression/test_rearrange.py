from __future__ import annotations

import torch
from torch import Tensor

from compecon.compression.importance.fisher import rearrange
from compecon.compression.importance.gradients import GateGradients
from compecon.compression.units import Units


def cost(keep: Tensor, rows: Tensor) -> float:
    """What removing units costs to second order: squared sum of their gradients, example by example."""
    return float(rows[:, ~keep].sum(1).square().sum())


def published(keep: Tensor, rows: Tensor) -> Tensor:
    """The exchange written as in the paper's code, with the vectors of the removed units and their sum."""
    order = rows.square().sum(0).argsort().tolist()
    removed = order[: int((~keep).sum())]
    for unit in order[len(removed) :]:
        removed.append(unit)
        vectors = rows[:, removed]
        without = vectors.sum(1, keepdim=True) - vectors
        del removed[int(without.square().sum(0).argmin())]
    return torch.ones_like(keep).index_fill(0, torch.tensor(removed), False)


def problem(seed: int) -> tuple[Units, GateGradients]:
    """Gradients with much in common; the units with the largest squares stay."""
    generator = torch.Generator().manual_seed(seed)
    heads, neurons = (
        torch.randn(20, n, generator=generator) + 2 * torch.randn(20, 3, generator=generator) @ torch.randn(3, n)
        for n in (8, 30)
    )
    keep = Units(*((part.square().sum(0) > part.square().sum(0).median(),) for part in (heads, neurons)))
    return keep, GateGradients((heads.double(),), (neurons.double(),))


def test_exchanges_are_those_of_the_paper_and_cost_less():
    gains = []
    for seed in range(20):
        keep, gradients = problem(seed)
        got = rearrange(keep, gradients)
        for after, before, rows in zip(
            (*got.heads, *got.neurons),
            (*keep.heads, *keep.neurons),
            (*gradients.heads, *gradients.neurons),
            strict=True,
        ):
            assert torch.equal(after, published(before, rows))
            assert cost(after, rows) <= cost(before, rows)
            gains.append(cost(after, rows) < cost(before, rows))
    assert any(gains)


def test_of_two_units_that_do_the_same_one_stays():
    same, other = torch.tensor([1.0, 1, 1, 1]), torch.tensor([1.3, -1.3, 1.3, -1.3])
    opposite = torch.tensor([1.2, -1.2, 1.2, -1.2])
    rows = torch.stack([same, same, opposite, other], 1)
    keep = Units((torch.tensor([False, False, True, True]),), (torch.tensor([True]),))
    kept = rearrange(keep, GateGradients((rows,), (torch.ones(4, 1),)))
    assert int(kept.heads[0][:2].sum()) == int(kept.heads[0][2:].sum()) == 1
    assert kept.neurons[0].tolist() == [True]


def test_all_or_none_is_left_alone():
    rows = torch.randn(5, 3)
    for value in (True, False):
        keep = Units((torch.full((3,), value),), (torch.full((0,), value),))
        got = rearrange(keep, GateGradients((rows,), (rows[:, :0],)))
        assert got.heads[0].tolist() == [value] * 3
        assert got.neurons[0].tolist() == []
