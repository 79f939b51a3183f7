"""The numbers of every head, against the library's single functions, row by row, special tokens taken out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from compecon.stats import inequality as metrics
from compecon.stats.lorenz import bottom_share, top_share
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS, head_statistics, moved_attention

BY_HAND: dict[str, Callable[[Tensor], Tensor]] = {
    "gini": metrics.gini,
    "gini_small_sample": lambda x: metrics.gini(x, small_sample=True),
    "entropy": metrics.entropy,
    "effective_number": metrics.effective_number,
    "herfindahl": metrics.herfindahl,
    "top_share_10": lambda x: top_share(x, 0.1),
    "bottom_share_50": lambda x: bottom_share(x, 0.5),
    "gini_inside": lambda x: metrics.gini(x[x > 0]),
}


def attention(n_heads: int, n: int, visible: Tensor, keys: int) -> Tensor:
    """Random rows that read `keys` keys at most, each summing to 1."""
    logits = torch.randn(n_heads, n, n, dtype=torch.float64).masked_fill(~visible, -torch.inf)
    least = logits.topk(keys, dim=-1).values[..., -1:]
    weights = logits.masked_fill(logits < least, -torch.inf).softmax(-1)
    return weights.masked_fill(~visible, 0.0)


def by_hand(weights: Tensor, visible: Tensor, content: Tensor, view: str, name: str) -> float:
    """One statistic of one head in loops: the rows and keys that are left, then the single function of the library."""
    n, statistic = len(content), BY_HAND[name]
    kept, seen = [i for i in range(n) if content[i]], dict[int, float]()
    rows = []
    for query in kept:
        keys = [key for key in kept if visible[query, key]]
        total = float(sum(weights[query, key] for key in keys))
        for key in keys:
            seen[key] = seen.get(key, 0.0) + (float(weights[query, key]) / total if total else 0.0)
        if total:
            rows.append(float(statistic(weights[query, keys])))
    if not rows:
        return math.nan
    if view == "row":
        return sum(rows) / len(rows)
    return float(statistic(torch.tensor(list(seen.values()), dtype=torch.float64)))


MASKS = {
    "every key": torch.ones(6, 6, dtype=torch.bool),
    "no future": torch.ones(6, 6, dtype=torch.bool).tril(),
    "padding": torch.ones(6, 6, dtype=torch.bool) & (torch.arange(6) < 5),
}
CONTENTS = {
    "no special token": [1, 1, 1, 1, 1, 1],
    "special ends": [0, 1, 1, 1, 1, 0],
    "one content token": [0, 0, 1, 0, 0, 0],
    "special tokens alone": [0, 0, 0, 0, 0, 0],
}


@pytest.mark.parametrize("keys", [1, 3, 6])
@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("content", CONTENTS)
def test_every_statistic_is_the_librarys_of_what_is_left(mask: str, content: str, keys: int) -> None:
    visible, kept = MASKS[mask], torch.tensor(CONTENTS[content], dtype=torch.bool)
    weights = attention(2, 6, visible, keys)
    got = head_statistics(weights, visible, kept)
    assert got.shape == (len(VIEWS), len(TOKENS), len(STATISTICS), 2)
    sets = {"all": torch.ones(6, dtype=torch.bool), "content": kept}
    expected = [
        [[[by_hand(head, visible, sets[t], v, s) for head in weights] for s in STATISTICS] for t in TOKENS]
        for v in VIEWS
    ]
    torch.testing.assert_close(got, torch.tensor(expected, dtype=torch.float64), equal_nan=True)


def test_a_query_that_read_only_special_tokens_does_not_enter_the_average() -> None:
    weights = torch.tensor([[[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]])
    content = torch.tensor([False, True, True])
    got = head_statistics(weights, torch.ones(3, 3, dtype=torch.bool), content)
    at = (VIEWS.index("row"), TOKENS.index("content"), STATISTICS.index("effective_number"), 0)
    assert got[at] == pytest.approx(2.0)  # of the last row alone; with the empty one it would be less


def test_rows_that_all_read_special_tokens_leave_nothing_to_measure() -> None:
    weights = torch.zeros(1, 3, 3)
    weights[..., 0] = 1.0
    got = head_statistics(weights, torch.ones(3, 3, dtype=torch.bool), torch.tensor([False, True, True]))
    assert got[:, TOKENS.index("content")].isnan().all()
    assert not got[:, TOKENS.index("all")].isnan().any()


def test_the_views_differ_as_their_names_say() -> None:
    weights = torch.eye(4)[None]  # each query reads one key, each key is read once
    got = head_statistics(weights, torch.ones(4, 4, dtype=torch.bool), torch.ones(4, dtype=torch.bool))
    gini = STATISTICS.index("gini")
    assert got[VIEWS.index("row"), 0, gini, 0] == pytest.approx(0.75)
    assert got[VIEWS.index("received"), 0, gini, 0] == pytest.approx(0.0)


def test_moved_attention_is_the_mean_total_variation_of_the_rows() -> None:
    full, moved = torch.rand(2, 3, 5, 5).softmax(-1)
    expected = [sum(0.5 * float((moved[h, q] - full[h, q]).abs().sum()) for q in range(5)) / 5 for h in range(3)]
    torch.testing.assert_close(moved_attention(moved, full), torch.tensor(expected))


def test_moved_attention_is_one_where_every_row_went_elsewhere() -> None:
    weights = torch.eye(3)[None]
    assert moved_attention(weights.flip(-1)[:, :1], weights[:, :1]).item() == 1.0
