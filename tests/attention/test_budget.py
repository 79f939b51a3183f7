from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from compecon.attention.budget import KeyBudget, PerHead, PerLayer, PerRow


def visible(*counts: int) -> torch.Tensor:
    return torch.tensor(counts).view(1, 1, -1, 1)


@pytest.mark.parametrize("keys", [0, -1, 2.0, 0.5, "3", True, False, torch.tensor(2)])
def test_a_budget_of_less_than_one_whole_key_is_refused(keys):
    with pytest.raises(ValueError, match=r"keys must be a whole number of at least 1, got"):
        KeyBudget(keys=keys)


@pytest.mark.parametrize("share", [0, -0.1, 1.01, float("nan"), "0.5", True, float("inf")])
def test_a_share_outside_0_to_1_is_refused(share):
    with pytest.raises(ValueError, match=r"share must be in \(0, 1\], got"):
        KeyBudget(share=share)


@pytest.mark.parametrize("given", [{}, {"keys": 1, "share": 0.5}])
def test_exactly_one_of_keys_and_share_is_given(given):
    with pytest.raises(ValueError, match="either keys or share"):
        KeyBudget(**given)


def test_numbers_of_numpy_and_fractions_are_numbers():
    assert KeyBudget(keys=np.int64(4)).allowance(visible(9), layer=0).item() == 4
    assert KeyBudget(share=np.float32(0.5)).allowance(visible(9), layer=0).item() == 5
    assert KeyBudget(share=Fraction(1, 3)).allowance(visible(9), layer=0).item() == 3


@pytest.mark.parametrize("kind", [PerLayer, PerHead, PerRow])
@pytest.mark.parametrize("wrong", [3, True, "8", [KeyBudget(1)]])
def test_what_is_no_budget_is_refused(kind, wrong):
    with pytest.raises(ValueError, match="expected budgets or None"):
        kind((KeyBudget(1), wrong))


@pytest.mark.parametrize("kind", [PerLayer, PerHead, PerRow])
@pytest.mark.parametrize("wrong", [None, 3, KeyBudget(1)])
def test_one_budget_where_several_are_expected_is_refused(kind, wrong):
    with pytest.raises(ValueError, match="sequence of budgets"):
        kind(wrong)


@pytest.mark.parametrize("layer", [-1, "0", True, 1.0])
def test_what_is_no_layer_is_refused(layer):
    with pytest.raises(ValueError, match="layers must be"):
        PerLayer({layer: KeyBudget(1)})


def test_keys_never_exceed_what_is_visible():
    assert KeyBudget(keys=4).allowance(visible(0, 3, 4, 9), layer=0).flatten().tolist() == [0, 3, 4, 4]


@given(st.integers(1, 1000), st.integers(1, 1000), st.integers(0, 5000))
def test_a_share_is_rounded_up_from_the_exact_fraction(a, b, n):
    share = Fraction(min(a, b), max(a, b))
    allowance = KeyBudget(share=float(share)).allowance(visible(n), layer=0).item()
    assert allowance == -(-share * n // 1)


def test_no_share_is_too_small_for_one_key():
    assert KeyBudget(share=1e-12).allowance(visible(0, 1, 4096), layer=0).flatten().tolist() == [0, 1, 1]


def test_each_layer_has_its_budget():
    by_position = PerLayer((KeyBudget(2), None))
    by_number = PerLayer({1: KeyBudget(share=0.5)})
    assert by_position.allowance(visible(6), layer=0).item() == 2
    assert by_position.allowance(visible(6), layer=1).item() == 6
    assert by_number.allowance(visible(6), layer=0).item() == 6
    assert by_number.allowance(visible(6), layer=1).item() == 3


def test_a_layer_without_a_budget_in_the_sequence_is_an_error():
    with pytest.raises(ValueError, match="PerLayer has 1 budgets, but the model has a layer 1"):
        PerLayer((None,)).allowance(visible(6), layer=1)


def test_budgets_compose_in_any_order():
    n_visible = torch.tensor([5, 6]).view(1, 1, 2, 1).expand(2, 3, 2, 1)
    heads = PerHead((KeyBudget(1), None, KeyBudget(4)))
    inner = PerLayer((PerRow((heads, KeyBudget(2))),))
    outer = PerRow((PerLayer({0: heads}), PerHead((KeyBudget(2),) * 3)))
    expected = [[[1, 1], [5, 6], [4, 4]], [[2, 2]] * 3]
    for budget in (inner, outer):
        assert budget.allowance(n_visible, layer=0).squeeze(-1).tolist() == expected


@pytest.mark.parametrize(("budget", "what"), [(PerRow((None,)), "2 rows"), (PerHead((None, None)), "3 heads")])
def test_a_wrong_number_of_budgets_is_an_error(budget, what):
    with pytest.raises(ValueError, match=f"budgets for {what}; give one for each"):
        budget.allowance(torch.ones(2, 3, 4, 1, dtype=torch.long), layer=0)
