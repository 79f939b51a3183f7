"""Which budgets are computed, how much is sent, and how much memory that takes."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compecon.attention.batching import rows_at_once
from compecon.views.attention.budget_grid import (
    EVERY_BUDGET_TOKENS,
    MAX_TOKENS,
    SENT_BYTES,
    Scope,
    budget_grid,
    peak_bytes,
    scope_for,
)

TOKENS = st.integers(1, 4096)


@given(TOKENS)
def test_the_grid_ascends_from_one_key_to_all_of_them(n: int) -> None:
    grid = budget_grid(n)
    assert list(grid) == sorted(set(grid))
    assert (grid[0], grid[-1]) == (1, n)
    assert all(type(k) is int for k in grid)


@given(st.integers(1, 16))
def test_up_to_sixteen_tokens_every_budget_is_on_the_grid(n: int) -> None:
    assert budget_grid(n) == tuple(range(1, n + 1))


@given(st.integers(17, 4096))
def test_a_longer_text_has_about_sixteen_budgets(n: int) -> None:
    assert 16 <= len(budget_grid(n)) <= 17


@given(st.integers(64, 4096))
def test_large_budgets_grow_by_about_the_same_ratio(n: int) -> None:
    large = [k for k in budget_grid(n) if k >= 10]
    ratios = [math.log(b / a) for a, b in itertools.pairwise(large)]
    assert max(ratios) < 1.5 * min(ratios)  # rounding to whole keys moves each a little


@pytest.mark.parametrize("n", [0, -3])
def test_no_token_has_no_grid(n: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1 token, got {n}"):
        budget_grid(n)


@pytest.mark.parametrize(
    ("scope", "layers", "heads"),
    [(Scope(), [0, 1, 2], [0, 1]), (Scope(1), [1], [0, 1]), (Scope(1, 0), [1], [0])],
)
def test_a_scope_is_all_heads_or_one_layer_or_one_head(scope: Scope, layers: list[int], heads: list[int]) -> None:
    assert scope.extent(3, 2) == (layers, heads)
    assert scope.extent(3, 2) == (layers, heads)


def sent(n: int, scope: Scope, n_layers: int, n_heads: int) -> int:
    """Bytes of attention over all budgets, float16."""
    layers, heads = scope.extent(n_layers, n_heads)
    n_budgets = n if n <= EVERY_BUDGET_TOKENS else len(budget_grid(n))
    return 2 * n * n * n_budgets * len(layers) * len(heads)


@given(st.integers(1, MAX_TOKENS), st.integers(1, 48), st.integers(1, 64), st.data())
def test_the_widest_scope_under_the_limit_is_taken(n: int, n_layers: int, n_heads: int, data: st.DataObject) -> None:
    layer, head = data.draw(st.integers(0, n_layers - 1)), data.draw(st.integers(0, n_heads - 1))
    widest_first = [Scope(), Scope(layer), Scope(layer, head)]
    fitting = [s for s in widest_first if sent(n, s, n_layers, n_heads) <= SENT_BYTES]
    assert scope_for(n, n_layers, n_heads, layer=layer, head=head) == (fitting or widest_first[-1:])[0]


def test_one_head_of_the_longest_text_fits() -> None:
    assert sent(MAX_TOKENS, Scope(0, 0), 48, 64) <= SENT_BYTES


@given(st.integers(1, MAX_TOKENS), st.integers(1, 48), st.integers(1, 64))
def test_the_memory_estimate_covers_the_attention_of_one_forward_pass(n: int, n_layers: int, n_heads: int) -> None:
    rows = rows_at_once(n)
    assert peak_bytes(n, n_layers, n_heads) >= 4 * rows * n_layers * n_heads * n * n


def test_the_memory_estimate_of_a_compacted_model_counts_the_heads_that_are_left() -> None:
    whole = peak_bytes(200, 3, 12)
    assert peak_bytes(200, 3, 12, kept=(12, 12, 12)) == whole
    assert peak_bytes(200, 3, 12, kept=(0, 0, 2)) < peak_bytes(200, 3, 12, kept=(12, 1, 2)) < whole
    assert peak_bytes(200, 3, 12, kept=(0, 0, 0)) > 0
