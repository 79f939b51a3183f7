"""Gates against the closed forms of the hard-concrete distribution, and what becomes of them at a budget."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from torch import Tensor, nn

from compecon.compression.scaled import scaled
from compecon.compression.units import UnitMacs, Units, share_of_macs, unit_macs
from compecon.errors import UnsupportedModelError
from compecon.incentives.gates import HIGH, LOW, NAME, TEMPERATURE, Gates, gated, starting_gates

N_DRAWS = 100_000
COUNTS = ((3, 5), (2, 4))
COSTS = Units((torch.full((3,), 7.0), torch.full((2,), 6.0)), (torch.full((5,), 2.0), torch.full((4,), 1.0)))
MACS = UnitMacs(*(tuple(map(Tensor.double, kind)) for kind in (COSTS.heads, COSTS.neurons)), dense=50.0)
everything_else = st.floats(0.05, 1)


def gates_of(log_alpha: float, n: int = N_DRAWS, **learn: bool) -> Gates:
    return Gates(Units((torch.full((n,), log_alpha),), (torch.full((n,), log_alpha),)), **learn)


def random_gates(seed: int = 0, **learn: bool) -> Gates:
    generator = torch.Generator().manual_seed(seed)
    return Gates(MACS.map(lambda part: 3 * torch.randn(len(part), generator=generator)), **learn)


def alike(cost: float) -> UnitMacs:
    costs = MACS.map(lambda part: torch.full_like(part, cost))
    return UnitMacs(costs.heads, costs.neurons, float(costs.total()))


def chance_above(z: float, log_alpha: float) -> float:
    """P(gate > z), by solving the definition for the uniform variable."""
    s = (z - LOW) / (HIGH - LOW)
    return 1 / (1 + math.exp(TEMPERATURE * math.log(s / (1 - s)) - log_alpha))


@pytest.mark.parametrize(("log_alpha", "known"), [(0.0, 0.832), (2.0, 0.973), (4.6, 0.998)])
def test_a_gate_is_open_with_the_chance_of_the_closed_form(log_alpha, known):
    gates = gates_of(log_alpha)
    told = float(gates.chance_open().heads[0][0].detach())
    assert told == pytest.approx(known, abs=5e-4)
    assert told == pytest.approx(chance_above(0.0, log_alpha), rel=1e-6)
    drawn = (gates().heads[0] > 0).double().mean()
    assert float(drawn) == pytest.approx(told, abs=4 * math.sqrt(0.25 / N_DRAWS))


@pytest.mark.parametrize("log_alpha", [-2.0, 0.0, 2.0, 4.6])
def test_the_mean_of_draws_is_the_integral_of_their_tail(log_alpha):
    expected, _ = quad(chance_above, 0, 1, args=(log_alpha,))
    mean = float(gates_of(log_alpha)().heads[0].detach().double().mean())
    assert mean == pytest.approx(expected, abs=4 * 0.5 / N_DRAWS**0.5)


@pytest.mark.parametrize(("log_alpha", "known"), [(0.0, 0.168), (4.6, 0.953)])
def test_a_gate_is_wide_open_with_the_chance_of_the_closed_form(log_alpha, known):
    assert chance_above(1.0, log_alpha) == pytest.approx(known, abs=5e-4)
    wide = (gates_of(log_alpha)().heads[0] == 1).double().mean()
    assert float(wide) == pytest.approx(known, abs=4 * math.sqrt(0.25 / N_DRAWS))


def test_draws_stay_between_exact_zeros_and_exact_ones():
    draws = gates_of(0.0)().heads[0]
    assert (draws.min(), draws.max()) == (0, 1)
    assert ((draws > 0) & (draws < 1)).any()


def test_a_draw_is_differentiable_where_it_is_neither_zero_nor_one():
    gates = gates_of(0.0, 1000)
    draw = gates().heads[0]
    draw.sum().backward()
    moves = (draw > 0) & (draw < 1)
    assert (gates.heads[0].grad[moves] > 0).all()
    assert (gates.heads[0].grad[~moves] == 0).all()


def test_two_draws_differ_in_training_and_not_in_evaluation():
    gates = gates_of(0.0, 100)
    assert not torch.equal(gates().heads[0], gates().heads[0])
    gates.eval()
    assert torch.equal(gates().heads[0], gates().heads[0])


@pytest.mark.parametrize("log_alpha", [-4.0, -2.0, 0.0, 1.0, 4.0])
def test_the_deterministic_gate_is_the_stretched_sigmoid(log_alpha):
    expected = min(1.0, max(0.0, (HIGH - LOW) / (1 + math.exp(-log_alpha)) + LOW))
    gates = gates_of(log_alpha, 1)
    assert float(gates.values().heads[0]) == pytest.approx(expected, abs=1e-6)
    assert torch.equal(gates.eval()().heads[0].detach(), gates.values().heads[0])


@given(log_alpha=st.floats(-8, 8))
def test_the_chance_to_be_open_has_the_gradient_p_times_one_minus_p(log_alpha):
    gates = gates_of(log_alpha, 1)
    p = gates.chance_open().heads[0]
    p.sum().backward()
    expected = (p * (1 - p)).detach()
    torch.testing.assert_close(gates.heads[0].grad, expected, rtol=1e-4, atol=1e-7)


def test_units_without_a_price_stay_wide_open_and_do_not_learn():
    for kind, other in (("heads", "neurons"), ("neurons", "heads")):
        gates = gates_of(0.0, 50, **{f"learn_{other}": False})
        assert [p.requires_grad for p in (gates.heads[0], gates.neurons[0])] == [kind == "heads", kind == "neurons"]
        assert (getattr(gates(), other)[0] == 1).all()
        assert (getattr(gates.values(), other)[0] == 1).all()
        assert (getattr(gates.chance_open(), other)[0] == 1).all()
        assert (getattr(gates(), kind)[0] != 1).any()


def test_gates_on_nothing_are_refused():
    with pytest.raises(ValueError, match="need heads or neurons"):
        gates_of(0.0, 2, learn_heads=False, learn_neurons=False)


def test_the_share_of_macs_counts_what_the_deterministic_gates_leave():
    gates = Gates(Units((torch.tensor([4.0, -4.0]),), (torch.tensor([4.0, -4.0, -4.0]),)))
    macs = UnitMacs((torch.tensor([3.0, 3.0]),), (torch.tensor([2.0, 2.0, 2.0]),), dense=12.0)
    assert gates.share(macs) == pytest.approx(5 / 12)


@given(target=everything_else, seed=st.integers(0, 20))
def test_hardened_gates_never_cost_more_than_the_target(target, seed):
    values = random_gates(seed).hardened(MACS, target)
    assert share_of_macs(values, MACS) <= target


@given(target=st.integers(1, 1000), seed=st.integers(0, 3))
def test_hardened_gates_keep_to_a_target_that_is_just_a_number_of_units(target, seed):
    """Costs that no fraction of two meets, and a target that is exactly the cost of some of them."""
    thirds, ones = (alike(value) for value in (1 / 3, 1.0))
    target = (target % 14 + 1) / 14
    kept = random_gates(seed).hardened(thirds, target).joined().count_nonzero()
    assert kept in (round(target * 14), round(target * 14) - 1)
    assert random_gates(seed).hardened(ones, target).joined().count_nonzero() == round(target * 14)


@given(target=everything_else, seed=st.integers(0, 20))
def test_hardened_gates_are_the_widest_that_fit_in_order(target, seed):
    gates = random_gates(seed)
    logits, costs = gates.log_alpha.joined().detach().tolist(), MACS.joined().tolist()
    room, kept = target * MACS.dense, set()
    for unit in sorted(range(len(logits)), key=lambda unit: -logits[unit]):
        if costs[unit] <= room + 1e-9:
            kept.add(unit)
            room -= costs[unit]
    values = gates.hardened(MACS, target).joined()
    assert set(values.nonzero().flatten().tolist()) == kept


@given(target=everything_else, seed=st.integers(0, 20))
def test_hardened_gates_leave_no_room_for_another_unit(target, seed):
    values = random_gates(seed).hardened(MACS, target)
    gone = MACS.joined()[values.joined() == 0]
    left = (target - share_of_macs(values, MACS)) * MACS.dense
    assert not len(gone) or left < float(gone.min()) + 1e-9


def test_hardening_leaves_open_gates_as_they_are_and_reopens_closed_ones_a_little():
    gates = random_gates(3)
    before, after = gates.values().joined(), gates.hardened(MACS, 1.0).joined()
    assert torch.equal(after[before > 0], before[before > 0])
    assert (before == 0).any()
    assert ((after[before == 0] > 0) & (after[before == 0] <= 0.1)).all()


def test_hardening_at_one_kind_keeps_the_other_whole():
    values = random_gates(learn_neurons=False).hardened(MACS, 0.7)
    assert all((part == 1).all() for part in values.neurons)
    assert share_of_macs(values, MACS) <= 0.7


def test_a_target_below_what_has_no_price_is_refused():
    with pytest.raises(ValueError, match=r"a target of 0\.2 is out of reach.*Price heads and neurons"):
        random_gates(learn_neurons=False).hardened(MACS, 0.2)


@given(share=st.floats(0.05, 0.9), seed=st.integers(0, 10))
def test_gates_start_with_the_expected_share_that_was_asked_for(share, seed):
    generator = torch.Generator().manual_seed(seed)
    importance = MACS.map(lambda part: torch.rand(len(part), generator=generator))
    chance = Gates(starting_gates(importance, MACS, share)).chance_open()
    expected = float((chance.joined().detach() * MACS.joined()).sum() / MACS.dense)
    assert expected == pytest.approx(share, abs=1e-4)


@given(seed=st.integers(0, 10), scale=st.floats(1e-6, 1e6))
def test_gates_start_in_the_order_of_importance_within_a_kind_in_any_unit(seed, scale):
    generator = torch.Generator().manual_seed(seed)
    importance = MACS.map(lambda part: torch.rand(len(part), generator=generator).double() + 0.01)
    logits = starting_gates(importance, MACS, 0.6)
    for kind in ("heads", "neurons"):
        worth, start = (torch.cat(getattr(side, kind)) for side in (importance, logits))
        assert (start[worth.argsort()].diff() >= 0).all()
    scaled_up = starting_gates(importance.map(lambda part: part * scale), MACS, 0.6)
    torch.testing.assert_close(scaled_up.joined(), logits.joined(), rtol=1e-3, atol=1e-3)


def test_worthless_units_start_with_the_least_of_the_others():
    importance = MACS.map(torch.ones_like)
    importance.neurons[0][:] = torch.tensor([0.0, 1.0, 2.0, 3.0, 4.0])
    start = starting_gates(importance, MACS, 0.6).neurons[0]
    assert start[0] == start[1] < start[2]


def test_units_of_equal_or_no_importance_start_alike():
    for value in (0.0, 5.0):
        start = starting_gates(MACS.map(lambda part, v=value: torch.full_like(part, v)), MACS, 0.5).joined()
        torch.testing.assert_close(start, start[:1].expand_as(start), rtol=1e-3, atol=1e-3)
        assert start.isfinite().all()


def test_a_model_in_the_block_computes_with_its_gates(model, batch):
    gates = Gates(unit_macs(model, 7).map(lambda part: 2 * torch.randn(len(part))))
    with gated(model, gates), torch.no_grad():
        inside = model(**batch).logits
    with scaled(model, gates.values()), torch.no_grad():
        expected = model(**batch).logits
    torch.testing.assert_close(inside, expected)


def test_every_forward_pass_draws_once_and_gradients_reach_the_gates(model, batch):
    gates = Gates(unit_macs(model, 7).map(lambda part: torch.zeros(len(part))))
    with gated(model.train(), gates):
        first, second = model(**batch).logits, model(**batch).logits
        assert not torch.equal(first, second)
        first.square().sum().backward()
    assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in gates.parameters())


def test_the_gates_are_part_of_the_model_within_the_block_only(model):
    names = set(model.state_dict())
    gates = Gates(unit_macs(model, 7).map(lambda part: torch.zeros(len(part))))
    with gated(model, gates):
        assert {name.split(".")[0] for name in set(model.state_dict()) - names} == {NAME}
        assert gates.training == model.training
        model.train()
        assert gates.training
    assert set(model.state_dict()) == names


def test_an_error_in_the_block_takes_the_gates_out_too(model, batch):
    with torch.no_grad():
        before = model(**batch).logits
    gates = Gates(unit_macs(model, 7).map(lambda part: torch.full((len(part),), -1.0)))
    with pytest.raises(KeyError), gated(model, gates):
        raise KeyError
    assert not hasattr(model, NAME)
    with torch.no_grad():
        torch.testing.assert_close(model(**batch).logits, before)


def test_a_model_of_unknown_build_is_left_as_it_was():
    model = nn.Linear(2, 2)
    with pytest.raises(UnsupportedModelError), gated(model, random_gates()):
        pass
    assert not hasattr(model, NAME)


def test_gates_do_not_nest(model):
    gates = Gates(unit_macs(model, 7).map(lambda part: torch.zeros(len(part))))
    with gated(model, gates):
        with pytest.raises(ValueError, match="has gates already"), gated(model, gates):
            pass
        assert hasattr(model, NAME)
