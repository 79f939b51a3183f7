import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compecon.attention import selection
from compecon.attention.selection import hide_smaller, keep_largest, sort_descending

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]


@pytest.fixture(params=["sort", "topk"], autouse=True)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways to find the threshold: the one of a CPU, and the one of every other device (which a CPU can run)."""
    if request.param == "topk":
        monkeypatch.setattr(selection, "_by_sort", selection._by_topk)


def by_hand(merit: Tensor, limit: Tensor) -> Tensor:
    kept = torch.zeros_like(merit, dtype=torch.bool)
    for row, (values, most) in enumerate(zip(merit.tolist(), limit.flatten().tolist(), strict=True)):
        order = sorted(
            (key for key, value in enumerate(values) if value > -math.inf), key=lambda key: (-values[key], key)
        )
        kept[row, order[:most]] = True
    return kept


values = st.sampled_from([-math.inf, -1.0, 0.0, -0.0, 0.5, 1.0, 3.0])  # few values: many ties
rows = st.integers(1, 9).flatmap(lambda n: st.lists(st.lists(values, min_size=n, max_size=n), min_size=1, max_size=4))


@given(rows, st.integers(1, 10), st.sampled_from(DTYPES))
def test_one_limit_for_all_rows_agrees_with_its_definition(rows, most, dtype):
    merit = torch.tensor(rows, dtype=dtype)
    assert torch.equal(keep_largest(merit, most), by_hand(merit, torch.full((len(rows), 1), most)))


@given(rows, st.data(), st.sampled_from(DTYPES))
def test_a_limit_for_each_row_agrees_with_its_definition(rows, data, dtype):
    merit = torch.tensor(rows, dtype=dtype)
    limit = torch.tensor(data.draw(st.lists(st.integers(1, 10), min_size=len(rows), max_size=len(rows)))).view(-1, 1)
    assert torch.equal(keep_largest(merit, limit), by_hand(merit, limit))


@given(rows, st.data(), st.sampled_from(DTYPES))
def test_scores_are_hidden_where_they_are_not_among_the_largest(rows, data, dtype):
    scores = torch.tensor(rows, dtype=dtype)
    limit = torch.tensor(data.draw(st.lists(st.integers(1, 10), min_size=len(rows), max_size=len(rows)))).view(-1, 1)
    for most in (limit, int(limit[0])):
        kept = by_hand(scores, limit if isinstance(most, torch.Tensor) else limit[:1].expand(len(rows), 1))
        given = hide_smaller(scores.clone(), most)
        assert torch.equal(given[kept], scores[kept])
        read = given.softmax(-1)[kept.any(-1)]
        assert torch.equal(read > 0, kept[kept.any(-1)])
        assert (given[~kept.any(-1)] == -math.inf).all()


@given(rows, st.integers(1, 9))
def test_a_smaller_limit_marks_a_subset(rows, most):
    merit = torch.tensor(rows)
    assert not (keep_largest(merit, most) & ~keep_largest(merit, most + 1)).any()


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("most", [1, 7, 300, 599, 600])
def test_long_rows_with_ties_agree_with_a_stable_sort(dtype, most):
    merit = (
        torch.randn(3, 2, 500, 600).to(dtype)[..., :1, :].expand(3, 2, 500, 600)
        if most == 7
        else torch.randn(3, 2, 99, 600).to(dtype)
    )
    rank = merit.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
    assert torch.equal(keep_largest(merit, most), rank < most)


def test_a_row_of_equals_keeps_the_first():
    assert keep_largest(torch.zeros(1, 5), 3).tolist() == [[True, True, True, False, False]]


def test_merit_and_limit_broadcast():
    merit, limit = torch.randn(1, 4, 1, 6), torch.randint(1, 7, (2, 1, 3, 1))
    kept = keep_largest(merit, limit)
    assert torch.equal(kept.sum(-1, keepdim=True), limit.expand(2, 4, 3, 1))


@pytest.mark.parametrize("limit", [1, 5, torch.tensor([[1], [4]])])
def test_nan_cannot_be_ranked(limit):
    merit = torch.randn(2, 5)
    merit[1, 2] = math.nan
    with pytest.raises(ValueError, match="NaN"):
        keep_largest(merit, limit)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_sorted_values_descend(dtype):
    values = torch.randn(3, 4, 17).to(dtype)
    assert torch.equal(sort_descending(values), values.sort(dim=-1, descending=True).values)
