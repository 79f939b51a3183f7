from __future__ import annotations

from itertools import product

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given

from compecon.compression.select import fixed_share, knapsack, select, uniform
from compecon.compression.units import UnitMacs, Units, share_of_macs

RULES = [fixed_share, knapsack, uniform]
HEAD, NEURON = 7.0, 2.0
Prices = tuple[
    tuple[float, float], tuple[float, float]
]  # of a head, and of a neuron: in every layer but the last, there
ALIKE = (HEAD, HEAD), (NEURON, NEURON)
CHEAP_LAST = (HEAD, 4.0), (NEURON, 1.0)


def problem(
    counts: list[tuple[int, int]], seed: int = 0, levels: int = 5, *, prices: Prices = ALIKE, part: float = 1.0
) -> tuple[Units, UnitMacs]:
    """Random importance, many of them equal, and what units cost, altogether a part of the dense model."""
    generator = torch.Generator().manual_seed(seed)
    heads, neurons = (
        tuple(torch.full((n,), costs[index == len(counts) - 1], dtype=torch.float64) for index, n in enumerate(kind))
        for costs, kind in zip(prices, zip(*counts, strict=True), strict=True)
    )
    total = float(torch.cat([*heads, *neurons]).sum())
    macs = UnitMacs(heads, neurons, dense=total / part)
    return macs.map(lambda part: torch.randint(0, levels, part.shape, generator=generator).double()), macs


def worth(keep: Units, importance: Units) -> float:
    return float((keep.joined() * importance.joined()).sum())


@pytest.mark.parametrize("prices", [ALIKE, CHEAP_LAST])
@pytest.mark.parametrize("rule", RULES)
@given(seed=st.integers(0, 10**6), target=st.floats(0.01, 1))
def test_the_share_is_at_most_the_target_and_within_one_neuron_of_it(rule, prices, seed, target):
    counts = [(4, 9), (3, 8), (5, 10)]
    importance, macs = problem(counts, seed, prices=prices, part=0.9)
    keep = select(importance, macs, target, rule=rule)
    share = share_of_macs(keep, macs)
    assert share <= target
    if rule is not uniform:
        gone = [
            float(cost[~stays].min()) for stays, cost in zip(keep.neurons, macs.neurons, strict=True) if not stays.all()
        ]
        assert target < share + min(gone, default=torch.inf) / macs.dense + 1e-12
    elif not any(bool(part.all()) for part in keep.neurons):  # it rounds in each layer; neurons fill gaps below a head
        assert target < share + sum(float(part[0]) for part in macs.neurons) / macs.dense + 1e-12


@pytest.mark.parametrize(("heads", "neurons"), list(product(range(5), range(1, 10))))
def test_the_share_that_a_selection_has_buys_it_again(heads, neurons):
    importance, macs = problem([(4, 9)], levels=10**6)
    target = (heads * HEAD + neurons * NEURON) / (4 * HEAD + 9 * NEURON)
    keep = select(importance, macs, target)
    again = select(importance, macs, share_of_macs(keep, macs))
    assert torch.equal(again.joined(), keep.joined())


@pytest.mark.parametrize("rule", RULES)
def test_the_whole_budget_keeps_every_unit(rule):
    importance, macs = problem([(4, 9), (3, 8)])
    assert select(importance, macs, 1.0, rule=rule).counts() == ((4, 9), (3, 8))


@given(seed=st.integers(0, 10**6), first=st.floats(0.01, 1), second=st.floats(0.01, 1))
def test_a_larger_target_never_buys_less_importance_by_knapsack(seed, first, second):
    importance, macs = problem([(4, 9), (3, 8)], seed)
    low, high = (worth(select(importance, macs, t, rule=knapsack), importance) for t in sorted((first, second)))
    assert low <= high


@given(
    seed=st.integers(0, 10**6),
    target=st.floats(0.01, 1),
    prices=st.sampled_from(
        [ALIKE, CHEAP_LAST, ((7.0, 3.0), (2.0, 2.0)), ((7.0, 7.0), (3.0, 0.5)), ((3.0, 7.0), (1.0, 2.0))]
    ),
    part=st.sampled_from([1.0, 0.7]),
)
def test_the_knapsack_is_the_best_of_all_subsets(seed, target, prices, part):
    importance, macs = problem([(2, 3), (2, 4)], seed, prices=prices, part=part)
    values, costs = importance.joined(), macs.joined()
    subsets = torch.tensor(list(product([0.0, 1.0], repeat=len(values))), dtype=torch.float64)
    affordable = (subsets @ costs) / macs.dense <= target
    best = (subsets @ values)[affordable].max()
    keep = select(importance, macs, target, rule=knapsack)
    assert worth(keep, importance) == float(best)
    spent = (subsets @ costs)[affordable & (subsets @ values == best)].max()
    assert float((keep.joined() * costs).sum()) == float(spent)


@given(seed=st.integers(0, 10**6), target=st.floats(0.01, 1))
def test_a_cheaper_last_layer_never_buys_less(seed, target):
    worths = []
    for prices in (ALIKE, CHEAP_LAST):
        importance, macs = problem([(2, 3), (2, 4)], seed, prices=prices)
        same = UnitMacs(macs.heads, macs.neurons, dense=4 * HEAD + 7 * NEURON)
        worths.append(worth(select(importance, same, target), importance))
    assert worths[0] <= worths[1]


def test_what_costs_nothing_against_the_dense_model_is_kept_whole():
    importance, macs = problem([(4, 9), (3, 8)], prices=CHEAP_LAST, part=0.7)
    for rule in RULES:
        assert select(importance, macs, 0.7, rule=rule).counts() == ((4, 9), (3, 8))


def test_fixed_share_gives_heads_and_neurons_their_own_shares():
    importance, macs = problem([(6, 50), (6, 50)])
    keep = select(importance, macs, 0.5, rule=fixed_share)
    assert (int(torch.cat(keep.heads).sum()), int(torch.cat(keep.neurons).sum())) == (6, 50)


def test_uniform_gives_each_layer_the_same_widths_and_keeps_its_best():
    importance, macs = problem([(6, 50), (6, 50)], levels=10**6)
    keep = select(importance, macs, 0.5, rule=uniform)
    assert keep.counts() == ((3, 25), (3, 25))
    for kept, values in zip((*keep.heads, *keep.neurons), (*importance.heads, *importance.neurons), strict=True):
        assert values[kept].min() > values[~kept].max()


@pytest.mark.parametrize("rule", RULES)
def test_ties_go_to_the_earlier_unit(rule):
    _, macs = problem([(2, 4), (2, 4)])
    keep = select(macs.map(torch.ones_like), macs, 0.5, rule=rule)
    for part in (*keep.heads, *keep.neurons) if rule is uniform else (torch.cat(keep.heads), torch.cat(keep.neurons)):
        assert part.tolist() == sorted(part.tolist(), reverse=True)


@pytest.mark.parametrize("rule", RULES)
def test_layers_without_units_are_allowed(rule):
    importance, macs = problem([(0, 9), (3, 0), (0, 0)])
    share = share_of_macs(select(importance, macs, 0.6, rule=rule), macs)
    assert 0 < share <= 0.6


@pytest.mark.parametrize("target", [0.0, -0.1, 1.01, float("nan")])
def test_a_target_that_is_no_share_is_refused(target):
    with pytest.raises(ValueError, match=r"share of the MACs in \(0, 1\], got"):
        select(*problem([(2, 3)]), target)


def test_values_that_are_no_importance_are_refused():
    importance, macs = problem([(2, 3)])
    with pytest.raises(ValueError, match="importance and macs"):
        select(problem([(3, 3)])[0], macs, 0.5)
    for bad in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="importance"):
            select(importance.map(lambda part, bad=bad: part * 0 + bad), macs, 0.5)
    with pytest.raises(ValueError, match="macs must be above 0"):
        select(
            importance, UnitMacs(*(tuple(map(torch.zeros_like, kind)) for kind in (macs.heads, macs.neurons)), 1.0), 0.5
        )
    importance, macs = problem([(3, 3)])
    uneven = UnitMacs((torch.tensor([1.0, 2.0, 3.0]),), macs.neurons, macs.dense)
    with pytest.raises(ValueError, match=r"two costs of a head, got \[1.0, 2.0, 3.0\]"):
        select(importance, uneven, 0.5, rule=knapsack)
