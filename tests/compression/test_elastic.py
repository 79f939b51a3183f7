"""One model in every size: each is, by definition, the dense model without the units that its budget does not buy."""

from __future__ import annotations

import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from compecon.compression.compact_model import compact
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.compression.elastic.nested_sizes import LAST_HEADS, nested_sizes
from compecon.compression.elastic.prefix_model import bind, prefix_model, unbound_prefix_model
from compecon.compression.elastic.price_list import PriceList
from compecon.compression.elastic.reorder import reorder
from compecon.compression.families import layers_of
from compecon.compression.units import UnitMacs, Units, share_of_macs, unit_macs
from tests.compression.conftest import bert

BUDGETS = (1.0, 0.7, 0.5, 0.35)
N_TOKENS = 7


def worth(macs: UnitMacs, seed: int = 0) -> Units:
    generator = torch.Generator().manual_seed(seed)
    return macs.map(lambda part: torch.rand(len(part), generator=generator, dtype=torch.float64))


def ordered(model: nn.Module) -> tuple[Any, PriceList, dict[float, Units]]:
    """A model with its units in order, their prices, and which units of the given model each budget keeps."""
    macs = unit_macs(model, N_TOKENS)
    values = worth(macs)
    kept = nested_sizes(values, macs, BUDGETS)
    prices, order = PriceList.of(values, macs, kept, N_TOKENS)
    whole = compact(model, macs.map(torch.ones_like))  # type: ignore[arg-type]
    reorder(whole, order)
    return whole, prices, kept


def output(model: Any, batch: dict[str, Tensor]) -> Tensor:
    with torch.inference_mode():
        first: Tensor = model(**batch)[0]
    return first[batch["attention_mask"].bool()] if first.ndim == 3 else first


def test_each_size_is_the_model_without_the_units_that_its_budget_does_not_buy(model, batch):
    whole, prices, kept = ordered(model)
    elastic = ElasticModel(whole, prices)
    for budget, units in kept.items():
        expected = compact(model, units.map(lambda part: part.to(torch.float64)))
        torch.testing.assert_close(output(elastic.at(budget), batch), output(expected, batch), atol=1e-5, rtol=1e-5)
        assert elastic.counts(budget) == units.counts()
    torch.testing.assert_close(output(elastic.at(1), batch), output(model, batch), atol=1e-5, rtol=1e-5)


def test_heads_keep_the_numbers_that_they_have_in_the_dense_model(model):
    whole, prices, kept = ordered(model)
    for budget, units in kept.items():
        heads = ElasticModel(whole, prices).at(budget).config.compact["heads"]
        assert [sorted(layer) for layer in heads] == [part.nonzero().flatten().tolist() for part in units.heads]


def test_any_budget_buys_the_longest_beginning_of_the_list_that_it_can_pay_for(model):
    _, prices, _ = ordered(model)
    costs = prices.costs[prices.columns].tolist()
    before = 0
    for budget in torch.linspace(0.36, 1, 53, dtype=torch.float64).tolist():
        number = prices.number(budget)
        affordable = max(n for n in range(len(costs) + 1) if sum(costs[:n]) / prices.dense <= budget)
        trained = max((bought for size, bought in prices.bought.items() if size <= budget), default=0)
        assert number == max(affordable, trained) >= before
        before = number


def test_sizes_are_nested_within_their_budgets_and_no_unit_of_the_next_step_would_fit():
    macs = unit_macs(_bert(), N_TOKENS)
    for seed in range(20):
        kept = nested_sizes(worth(macs, seed), macs, BUDGETS)
        sizes = [units.joined() for units in kept.values()]
        assert all(bool((smaller <= larger).all()) for larger, smaller in pairwise(sizes))
        for budget, units in kept.items():
            assert share_of_macs(units, macs) <= budget + 1e-12
            assert int(units.heads[-1].sum()) >= LAST_HEADS
        assert bool(sizes[0].all())


def test_a_budget_that_does_not_pay_for_the_last_layers_heads_is_refused_and_the_least_one_named():
    macs = unit_macs(_bert(), N_TOKENS)
    with pytest.raises(ValueError, match=r"0\.001 does not pay for 2 heads.*Choose one of"):
        nested_sizes(worth(macs), macs, (1.0, 0.001))


def test_a_budget_that_buys_no_less_than_the_larger_one_is_refused():
    macs = unit_macs(_bert(), N_TOKENS)
    whole = float(macs.total()) / macs.dense
    assert whole < 0.9  # the last layer serves one position
    with pytest.raises(ValueError, match=r"0\.9 buys the same units.*Leave one"):
        nested_sizes(worth(macs), macs, (1.0, 0.9, 0.5))


def test_a_size_shares_the_weights_of_the_whole(model):
    whole, prices, _ = ordered(model)
    small = ElasticModel(whole, prices).at(0.5)
    for name, part in small.named_parameters():
        owner = whole.get_parameter(name)
        fused = "c_attn" in name
        assert fused or not part.numel() or part.untyped_storage().data_ptr() == owner.untyped_storage().data_ptr()
        assert not part.requires_grad


def test_the_sizes_used_last_are_kept(monkeypatch):
    monkeypatch.setattr("compecon.compression.elastic.elastic_model._MOST_KEPT", 2)
    whole, prices, _ = ordered(_bert())
    elastic = ElasticModel(whole, prices)
    first, second = elastic.at(0.35), elastic.at(0.5)
    assert elastic.at(0.35) is first
    elastic.at(0.7)
    assert elastic.at(0.35) is first
    assert elastic.at(0.5) is not second


def test_gradients_through_a_size_are_those_of_the_compacted_model_and_zero_elsewhere(model, batch):
    whole, prices, _ = ordered(model)
    small = unbound_prefix_model(whole, prices.counts(0.5))
    bind(small, whole)
    small(**batch)[0].square().mean().backward()
    alone = copy.deepcopy(prefix_model(whole, prices.counts(0.5))).requires_grad_(True)
    alone(**batch)[0].square().mean().backward()
    for layer, less in zip(layers_of(whole), layers_of(alone), strict=True):
        given, expected = layer.neurons_out.weight.grad, less.neurons_out.weight.grad
        inputs = 1 if isinstance(layer.neurons_out, nn.Linear) else 0
        torch.testing.assert_close(given.narrow(inputs, 0, less.n_neurons), expected, atol=1e-6, rtol=1e-5)
        rest = layer.n_neurons - less.n_neurons
        assert not bool(given.narrow(inputs, less.n_neurons, rest).any())
        heads, expected = layer.heads_out.weight.grad, less.heads_out.weight.grad
        if less.n_heads:
            torch.testing.assert_close(heads.narrow(inputs, 0, expected.shape[inputs]), expected, atol=1e-6, rtol=1e-5)
    total = sum(float(part.grad.square().sum()) for part in whole.parameters() if part.grad is not None)
    expected_total = sum(float(part.grad.square().sum()) for part in alone.parameters() if part.grad is not None)
    assert total == pytest.approx(expected_total, rel=1e-4)


def test_what_belongs_to_a_parameter_moves_with_it(model, batch):
    whole, prices, _ = ordered(model)
    marks = {part: part.detach().clone() for part in whole.parameters()}
    before = output(whole, batch)
    generator = torch.Generator().manual_seed(1)
    order = prices.unit_values().map(lambda part: torch.randperm(len(part), generator=generator))
    reorder(whole, order, also=lambda part: [marks[part]])
    torch.testing.assert_close(output(whole, batch), before, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(part.detach(), mark) for part, mark in marks.items())
    with pytest.raises(ValueError, match="each of them once"):
        reorder(whole, order.map(torch.zeros_like))


def test_prices_are_values_per_mac_of_the_last_unit_bought():
    macs = unit_macs(_bert(), N_TOKENS)
    values = worth(macs)
    merit = (values.joined() / macs.joined()).sort(descending=True).values
    alone, _ = PriceList.of(values, macs, {0.5: _best(values, macs, 0.5)}, N_TOKENS)
    assert (alone.values / alone.costs[alone.columns]).tolist() == merit.tolist()
    for budget in (0.5, 0.8, 1.0):
        assert alone.price_at(budget) == merit[alone.number(budget) - 1]


def _best(values: Units, macs: UnitMacs, budget: float) -> Units:
    """The units of the largest value per MAC, up to the first that a budget cannot pay for."""
    order = (values.joined() / macs.joined()).argsort(descending=True, stable=True)
    fits = macs.joined()[order].cumsum(0) / macs.dense <= budget
    return macs.split(torch.zeros(len(order), dtype=torch.bool).index_fill(0, order[fits], True))


@pytest.mark.parametrize("budget", [0.0, -0.1, 0.34, 1.01, float("nan"), float("inf"), "0.5", None, True], ids=repr)
def test_a_budget_out_of_the_trained_range_is_refused(budget):
    whole, prices, _ = ordered(_bert())
    with pytest.raises(ValueError, match=r"from 0\.35, the smallest that was trained, to 1"):
        ElasticModel(whole, prices).at(budget)


WRONG = {
    "columns of no layer": {"columns": lambda old: old.columns + 100},
    "a value too few": {"values": lambda old: old.values[1:]},
    "a value below zero": {"values": lambda old: -old.values - 1},
    "no number": {"values": lambda old: old.values * torch.nan},
    "a cost of zero": {"costs": lambda old: old.costs * 0},
    "budgets that rise": {"bought": lambda old: dict(reversed(old.bought.items()))},
    "more than a budget buys": {"bought": lambda old: {0.5: len(old.columns)}},
    "nothing bought": {"bought": lambda _: {0.5: 0}},
    "no budget": {"bought": lambda _: {}},
    "dearer than the dense model": {"dense": lambda old: old.dense / 10},
    "another order": {"columns": lambda old: old.columns.flip(0)},
    "values that rise": {"values": lambda old: old.values.sort().values},
    "as many twice": {"bought": lambda old: {1.0: old.bought[0.5], 0.5: old.bought[0.5]}},
    "more tokens than any text": {"n_tokens": lambda _: 2**60},
    "no token": {"n_tokens": lambda _: 0},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_a_price_list_that_contradicts_itself_is_refused(change):
    _, prices, _ = ordered(_bert())
    parts = {name: getattr(prices, name) for name in ("columns", "values", "costs", "dense", "bought", "n_tokens")}
    with pytest.raises(ValueError, match="price list"):
        PriceList(**parts | {name: make(prices) for name, make in change.items()})


def test_a_price_list_of_another_model_is_refused():
    whole, prices, _ = ordered(_bert())
    with pytest.raises(ValueError, match="and the model"):
        ElasticModel(prefix_model(whole, prices.counts(0.5)), prices)
    dearer = replace(prices, costs=prices.costs * 2, dense=prices.dense * 2)
    with pytest.raises(ValueError, match="costs"):
        ElasticModel(whole, dearer)


def _bert() -> nn.Module:
    torch.manual_seed(0)
    return bert().eval()
