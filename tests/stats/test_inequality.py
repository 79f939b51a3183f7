import math
from dataclasses import asdict, fields
from functools import partial

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor

from compecon.stats.distribution import ascending, without_units, without_zeros
from compecon.stats.inequality import effective_number, entropy, gini, herfindahl, summary
from compecon.stats.lorenz import bottom_share, lorenz_curve, top_share
from compecon.stats.received_attention import received, retained_mass

INEQUALITY = {  # each grows, or stays, when a poorer unit gives to a richer one
    "gini": gini,
    "gini_small_sample": partial(gini, small_sample=True),
    "negative entropy": lambda *args: -entropy(*args),
    "inverse effective number": lambda *args: 1 / effective_number(*args),
    "herfindahl": herfindahl,
    "top 10 %": lambda shares, *visible: top_share(shares, 0.1, *visible),
    "rest of bottom 50 %": lambda shares, *visible: 1 - bottom_share(shares, 0.5, *visible),
}
UNCHANGED_BY_COPIES = ["gini", "top 10 %", "rest of bottom 50 %"]

every_statistic = pytest.mark.parametrize("statistic", INEQUALITY.values(), ids=INEQUALITY.keys())
amounts = hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(0, 1e6, allow_subnormal=False))


def distribution(values: np.ndarray) -> Tensor:
    assume(values.sum() > 1e-6)
    return torch.from_numpy(values.copy())


def mean_absolute_difference(shares: Tensor) -> Tensor:
    return (shares[..., :, None] - shares[..., None, :]).abs().mean(dim=(-1, -2))


def softmax_rows(*shape: int) -> Tensor:
    return torch.randn(*shape, dtype=torch.float64).mul(2).softmax(dim=-1)


def close(actual: Tensor, expected: Tensor | float) -> None:
    torch.testing.assert_close(actual, torch.as_tensor(expected, dtype=actual.dtype).expand_as(actual))


# ---- known values


def test_one_two_three_four():
    shares = torch.tensor([1.0, 2.0, 3.0, 4.0], dtype=torch.float64)
    close(gini(shares), 0.25)
    close(gini(shares, small_sample=True), 1 / 3)
    close(entropy(shares), 1.2798542258)
    close(herfindahl(shares), 0.30)
    close(lorenz_curve(shares), torch.tensor([0.0, 0.1, 0.3, 0.6, 1.0]))
    close(top_share(shares, 0.25), 0.4)
    close(bottom_share(shares, 0.5), 0.3)


@pytest.mark.parametrize("n", [1, 2, 7, 512])
def test_equal_shares_are_equal(n):
    shares = torch.full((n,), 0.3, dtype=torch.float64)
    close(gini(shares), 0.0)
    close(gini(shares, small_sample=True), 0.0)
    close(entropy(shares), math.log(n))
    close(effective_number(shares), n)
    close(herfindahl(shares), 1 / n)
    close(top_share(shares, 0.3), 0.3)
    close(bottom_share(shares, 0.3), 0.3)


@pytest.mark.parametrize("n", [2, 7, 512])
def test_one_unit_that_holds_everything(n):
    shares = torch.eye(n, dtype=torch.float64)[n // 2]
    close(gini(shares), 1 - 1 / n)
    close(gini(shares, small_sample=True), 1.0)
    close(entropy(shares), 0.0)
    close(effective_number(shares), 1.0)
    close(herfindahl(shares), 1.0)
    close(top_share(shares, 1 / n), 1.0)
    close(bottom_share(shares, 1 - 1 / n), 0.0)


@pytest.mark.parametrize(("n", "k", "expected"), [(512, 32, 0.9375), (128, 32, 0.75), (177, 32, 0.819), (39, 32, 0.18)])
def test_uniform_on_k_of_n(n, k, expected):
    shares = (torch.randperm(n) < k).double()
    close(gini(shares), 1 - k / n)
    assert gini(shares) == pytest.approx(expected, abs=1e-3)
    close(entropy(shares), math.log(k))
    close(entropy(shares, base=2), 5.0)
    close(herfindahl(shares), 1 / k)
    close(effective_number(shares), k)


def test_a_single_unit_has_no_inequality_and_no_minus_sign():
    one = torch.tensor([3.0])
    for value in (gini(one), gini(one, small_sample=True), entropy(one)):
        assert value == 0
        assert not value.signbit()


# ---- definitions and references


def test_gini_is_half_the_relative_mean_absolute_difference():
    shares = torch.rand(5, 20, dtype=torch.float64)
    close(gini(shares), mean_absolute_difference(shares) / (2 * shares.mean(dim=-1)))


def test_the_small_sample_gini_averages_over_pairs_of_different_units():
    shares = torch.rand(5, 20, dtype=torch.float64)
    between = mean_absolute_difference(shares) * 20**2 / (20 * 19)
    close(gini(shares, small_sample=True), between / (2 * shares.mean(dim=-1)))


def test_gini_is_twice_the_area_between_equality_and_the_lorenz_curve():
    shares = torch.rand(5, 20, dtype=torch.float64)
    area = torch.trapezoid(lorenz_curve(shares), dx=1 / 20)
    torch.testing.assert_close(gini(shares), 1 - 2 * area, rtol=0, atol=1e-12)


def test_the_lorenz_curve_is_convex_and_ends_at_one():
    curve = lorenz_curve(torch.rand(6, 33))
    assert (curve[:, 0] == 0).all()
    assert (curve[:, -1] == 1).all()
    assert (curve.diff(n=2) >= -1e-6).all()


@pytest.mark.parametrize("base", [math.e, 2.0, 10.0])
def test_entropy_agrees_with_scipy(base):
    shares = torch.rand(8, 30, dtype=torch.float64) * (torch.rand(8, 30) > 0.3)
    close(entropy(shares, base=base), torch.from_numpy(scipy.stats.entropy(shares.numpy(), base=base, axis=-1)))


def test_bits_are_nats_over_ln_2():
    shares = torch.rand(4, 9, dtype=torch.float64)
    close(entropy(shares, base=2), entropy(shares) / math.log(2))


def test_the_effective_number_is_the_exponential_of_entropy():
    shares = torch.rand(4, 9, dtype=torch.float64)
    close(effective_number(shares), entropy(shares).exp())


@pytest.mark.parametrize("fraction", [0.0, 0.03, 0.1, 1 / 3, 0.5, 0.999, 1.0])
def test_top_and_bottom_shares_lie_on_the_lorenz_curve(fraction):
    shares = torch.rand(4, 10, dtype=torch.float64)
    grid = np.linspace(0, 1, 11)
    for row, curve in zip(shares, lorenz_curve(shares).numpy(), strict=True):
        close(bottom_share(row, fraction), np.interp(fraction, grid, curve))
        close(top_share(row, fraction), 1 - np.interp(1 - fraction, grid, curve))


@pytest.mark.parametrize("keys", [0, 1, 3, 12, 40])
def test_retained_mass_is_the_sum_of_the_largest_weights(keys):
    weights = softmax_rows(2, 3, 12)
    close(retained_mass(weights, keys), weights.topk(min(keys, 12), dim=-1).values.sum(dim=-1))


def test_retained_mass_takes_a_budget_for_each_row():
    weights = softmax_rows(2, 5, 12)
    keys = torch.tensor([1, 2, 3, 4, 99])
    expected = torch.stack([retained_mass(weights[:, row], int(k)) for row, k in enumerate(keys)], dim=1)
    close(retained_mass(weights, keys), expected)


def test_retained_mass_bounds_how_far_a_truncated_read_moves():
    weights, values = softmax_rows(50, 12), torch.randn(12, 8, dtype=torch.float64)
    longest = values.norm(dim=-1).max()
    for keys in range(1, 12):
        kept = weights * (weights >= weights.topk(keys, dim=-1).values[:, -1:])
        moved = ((weights - kept / kept.sum(dim=-1, keepdim=True)) @ values).norm(dim=-1)
        assert (moved <= 2 * (1 - retained_mass(weights, keys)) * longest + 1e-12).all()


# ---- properties


@given(values=amounts, scale=st.floats(1e-3, 1e3), order=st.randoms(use_true_random=False))
def test_neither_scale_nor_order_matters(values, scale, order):
    shares = distribution(values)
    shuffled = shares[order.sample(range(len(shares)), len(shares))]
    for statistic in INEQUALITY.values():
        close(statistic(shares * scale), statistic(shares))
        close(statistic(shuffled), statistic(shares))


@given(values=amounts, part=st.floats(0, 1), order=st.randoms(use_true_random=False))
def test_a_gift_from_rich_to_poor_never_raises_inequality(values, part, order):
    assume(len(values) > 1)
    shares = distribution(values)
    taker, giver = sorted(order.sample(range(len(shares)), 2), key=lambda unit: shares[unit].item())
    gift = part * (shares[giver] - shares[taker]) / 2  # at most until both hold the same
    after = shares.clone()
    after[giver] -= gift
    after[taker] += gift
    for name, statistic in INEQUALITY.items():
        assert statistic(after) <= statistic(shares) + 1e-9, name


@given(values=amounts, copies=st.integers(2, 4))
def test_copying_everybody_does_not_change_inequality(values, copies):
    shares = distribution(values)
    for name in UNCHANGED_BY_COPIES:
        close(INEQUALITY[name](shares.repeat(copies)), INEQUALITY[name](shares))


@given(values=amounts, copies=st.integers(2, 4))
def test_copying_everybody_multiplies_the_effective_number(values, copies):
    shares = distribution(values)
    close(effective_number(shares.repeat(copies)), copies * effective_number(shares))
    close(herfindahl(shares.repeat(copies)), herfindahl(shares) / copies)


@given(values=amounts, fraction=st.floats(0, 1))
def test_every_statistic_stays_in_its_range(values, fraction):
    shares = distribution(values)
    n, rounding = len(shares), 1e-12
    assert 0 <= gini(shares) <= 1 - 1 / n + rounding
    assert 0 <= gini(shares, small_sample=True) <= 1 + rounding
    assert -rounding <= entropy(shares) <= math.log(n) + rounding
    assert 1 - rounding <= effective_number(shares) <= n + 1e-9
    assert 1 / n - rounding <= herfindahl(shares) <= 1 + rounding
    assert fraction - rounding <= top_share(shares, fraction) <= 1 + rounding
    assert -rounding <= bottom_share(shares, fraction) <= fraction + rounding


@given(values=amounts, fraction=st.floats(0, 1))
def test_the_top_and_the_rest_share_everything(values, fraction):
    shares = distribution(values)
    close(top_share(shares, fraction) + bottom_share(shares, 1 - fraction), 1.0)


@given(values=amounts, zeros=st.integers(0, 20))
def test_unread_units_raise_gini_by_arithmetic_alone(values, zeros):
    kept = distribution(values)
    k, n = len(kept), len(kept) + zeros
    close(gini(torch.cat([torch.zeros(zeros).double(), kept])), 1 - (k / n) * (1 - gini(kept)))


@given(seed=st.integers(0, 2**20), n=st.integers(1, 16))
def test_what_keys_receive_is_never_less_equal_than_the_rows_are(seed, n):
    torch.manual_seed(seed)
    weights = softmax_rows(3, n, n)
    assert (gini(received(weights)) <= gini(weights).mean(dim=-1) + 1e-12).all()
    assert (entropy(received(weights)) >= entropy(weights).mean(dim=-1) - 1e-12).all()
    assert (herfindahl(received(weights)) <= herfindahl(weights).mean(dim=-1) + 1e-12).all()


# ---- masks


@every_statistic
def test_a_mask_equals_leaving_the_units_out(statistic):
    shares = torch.rand(7, 15, dtype=torch.float64)
    shares[:, ::4] = 0  # visible units that hold nothing count, hidden ones don't
    visible = torch.rand(7, 15) > 0.4
    expected = torch.stack([statistic(row[seen]) for row, seen in zip(shares, visible, strict=True)])
    close(statistic(shares, visible), expected)


@every_statistic
def test_a_mask_broadcasts_over_heads_and_rows_of_different_length(statistic):
    weights = softmax_rows(2, 3, 6, 6)
    causal = torch.ones(6, 6, dtype=torch.bool).tril()
    expected = torch.stack([statistic(weights[:, :, query, : query + 1]) for query in range(6)], dim=-1)
    close(statistic(weights, causal), expected)
    close(statistic(weights, torch.ones(1, dtype=torch.bool)), statistic(weights))


@every_statistic
def test_hidden_units_may_hold_anything(statistic):
    shares = torch.tensor([1.0, 2.0, math.nan, -5.0, math.inf])
    visible = torch.tensor([True, True, False, False, False])
    close(statistic(shares, visible), statistic(shares[:2]))


def test_the_variant_inside_the_support_ignores_unread_units():
    shares = torch.tensor([0.0, 1.0, 0.0, 3.0])
    close(gini(shares, shares > 0), gini(torch.tensor([1.0, 3.0])))


def test_received_is_the_mean_over_queries_that_see_something():
    weights = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [0.2, 0.2, 0.6]])
    visible = torch.tensor([[True, False, False], [True, True, False], [False, False, False]])
    close(received(weights, visible), torch.tensor([0.75, 0.25, 0.0]))
    close(received(weights), weights.mean(dim=0))


def test_received_broadcasts_a_padding_mask_over_heads_and_queries():
    weights = softmax_rows(2, 3, 5, 5)
    visible = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]).bool()[:, None, None, :]
    close(received(weights, visible)[0], weights[0].mean(dim=-2))
    close(received(weights, visible)[1, :, :3], weights[1, :, :, :3].mean(dim=-2))
    assert (received(weights, visible)[1, :, 3:] == 0).all()


# ---- all at once, and rows without a distribution


@pytest.mark.parametrize("visible", [None, torch.ones(6, 6, dtype=torch.bool).tril()], ids=["full", "causal"])
def test_the_summary_equals_the_single_functions(visible):
    weights = softmax_rows(2, 3, 6, 6)
    together = summary(weights, visible)
    close(together.gini, gini(weights, visible))
    close(together.gini_small_sample, gini(weights, visible, small_sample=True))
    close(together.entropy, entropy(weights, visible))
    close(together.effective_number, effective_number(weights, visible))
    close(together.herfindahl, herfindahl(weights, visible))
    close(together.top_share_10, top_share(weights, 0.1, visible))
    close(together.bottom_share_50, bottom_share(weights, 0.5, visible))


def test_rows_without_a_distribution_get_the_agreed_value_and_the_others_their_own():
    shares = torch.tensor([[1.0, 3.0], [0.0, 0.0], [2.0, 2.0]])
    visible = torch.tensor([[True, True], [True, True], [False, False]])
    for name, values in asdict(summary(shares, visible, undefined=math.nan)).items():
        assert values[1:].isnan().all(), name
        close(values[0], getattr(summary(shares[0]), name))


def test_filled_rows_have_no_gradient_and_leave_the_others_theirs():
    shares = torch.tensor([[1.0, 3.0], [0.0, 0.0]], requires_grad=True)
    filled = summary(shares, undefined=math.nan)
    torch.stack([getattr(filled, field.name).nansum() for field in fields(filled)]).sum().backward()
    assert shares.grad is not None
    assert (shares.grad[1] == 0).all()
    assert shares.grad[0].isfinite().all()
    assert (shares.grad[0] != 0).any()


# ---- gradients and dtypes


@every_statistic
def test_gradients_match_finite_differences(statistic):
    shares = torch.rand(3, 6, dtype=torch.float64).add(0.1).requires_grad_()
    visible = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 0, 1, 0, 1, 1], [1, 1, 0, 0, 0, 0]]).bool()
    assert torch.autograd.gradcheck(lambda x: statistic(x, visible), shares)


@pytest.mark.parametrize("function", [received, lorenz_curve, lambda weights: retained_mass(weights, 2)])
def test_gradients_of_views_match_finite_differences(function):
    weights = torch.rand(2, 4, 5, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(function, weights)


@every_statistic
def test_the_gradient_is_finite_where_a_weight_is_exactly_zero(statistic):
    scores = torch.tensor([[0.0, 1.0, -math.inf, 2.0], [0.0, -math.inf, -math.inf, -math.inf]], requires_grad=True)
    statistic(scores.softmax(dim=-1)).sum().backward()
    assert scores.grad is not None
    assert scores.grad.isfinite().all()


@every_statistic
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32(statistic, dtype):
    shares = torch.rand(4, 300).to(dtype)
    assert statistic(shares).dtype == torch.float32
    close(statistic(shares), statistic(shares.float()))


@every_statistic
def test_float64_stays_float64(statistic):
    assert statistic(torch.rand(3, 4, dtype=torch.float64)).dtype == torch.float64


@every_statistic
@pytest.mark.parametrize("spread", [0.0, 3.0, 10.0])
def test_float32_is_enough_for_long_rows(statistic, spread):
    shares = torch.randn(8, 4096).mul(spread).softmax(dim=-1)
    torch.testing.assert_close(statistic(shares).double(), statistic(shares.double()), rtol=1e-5, atol=1e-6)


def test_whole_numbers_are_amounts_too():
    close(gini(torch.tensor([1, 2, 3, 4])), 0.25)


def test_a_batch_without_rows_has_no_statistics():
    assert summary(torch.zeros(0, 5)).gini.shape == (0,)


@every_statistic
def test_the_sort_with_a_graph_and_the_one_without_agree(statistic):
    shares = torch.rand(3, 17, dtype=torch.float64)
    close(statistic(shares.clone().requires_grad_()).detach(), statistic(shares))


# ---- refusals


@every_statistic
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([-1.0, 2.0], "non-negative, got a minimum of -1"),
        ([0.0, 0.0], "sums to 0"),
        ([math.nan, 1.0], "finite"),
        ([math.inf, 1.0], "finite"),
        ([3e38, 3e38], "finite"),
        ([], "at least one unit"),
    ],
)
def test_bad_amounts_are_refused(statistic, bad, message):
    with pytest.raises(ValueError, match=message):
        statistic(torch.tensor(bad))


@every_statistic
def test_a_row_without_a_visible_unit_is_refused(statistic):
    with pytest.raises(ValueError, match="no visible unit"):
        statistic(torch.ones(2, 2), torch.tensor([[True, True], [False, False]]))


def test_a_mask_of_numbers_is_refused():
    with pytest.raises(TypeError, match=r"boolean mask, got torch\.int64"):
        gini(torch.ones(2), torch.tensor([1, 0]))


@pytest.mark.parametrize("function", [top_share, bottom_share])
@pytest.mark.parametrize("fraction", [-0.1, 1.1, math.nan])
def test_a_fraction_outside_its_range_is_refused(function, fraction):
    with pytest.raises(ValueError, match=r"fraction must be in \[0, 1\]"):
        function(torch.ones(3), fraction)


def test_other_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match="base must be above 1"):
        entropy(torch.ones(3), base=1.0)
    with pytest.raises(ValueError, match="keys must be at least 0, got -1"):
        retained_mass(torch.ones(3), -1)
    with pytest.raises(ValueError, match="no query sees any key"):
        received(torch.ones(2, 2), torch.zeros(2, 2, dtype=torch.bool))


@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=5, max_size=5), min_size=1, max_size=4),
    st.data(),
)
def test_units_taken_out_of_sorted_rows_leave_the_rest_in_order(rows: list[list[float]], data: st.DataObject) -> None:
    out = data.draw(st.lists(st.integers(0, 4), max_size=3, unique=True))
    amounts = torch.tensor(rows)
    left = without_units(without_zeros(ascending(amounts)), amounts[:, out])
    for row, found in zip(rows, left.tolist(), strict=True):
        rest = sorted(amount for i, amount in enumerate(row) if i not in out and amount > 0)
        assert found == [0.0] * (len(found) - len(rest)) + rest
