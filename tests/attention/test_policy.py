from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from compecon.attention.budget import Budget, KeyBudget, PerHead, PerRow
from compecon.attention.policies.first_k import FirstK
from compecon.attention.policies.policy import Policy
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.sink_recent import SinkRecent
from compecon.attention.policies.top_k import TopK
from compecon.attention.policies.top_mass import TopMass

POLICIES = [TopK(), RandomK(seed=3), FirstK(), SinkRecent(sinks=2), TopMass(mass=0.8)]
SHAPE = (2, 3, 6, 8)  # batch, head, query, key


@pytest.fixture
def scores() -> Tensor:
    return torch.randn(SHAPE)


@pytest.fixture
def visible() -> Tensor:
    seen = torch.rand(2, 1, 6, 8) < 0.6
    seen[0, 0, 1] = False
    return seen


def test_top_k_reads_the_highest_logits(scores, visible):
    kept = TopK().keep(scores, visible, KeyBudget(3), layer=0)
    for row, seen, marked in zip(
        scores.flatten(0, 2).tolist(), visible.expand(SHAPE).flatten(0, 2).tolist(), kept.flatten(0, 2), strict=True
    ):
        best = sorted((key for key in range(8) if seen[key]), key=lambda key: -row[key])[:3]
        assert marked.nonzero().flatten().tolist() == sorted(best)


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
@given(seed=st.integers(0, 99), keys=st.integers(1, 8), dtype=st.sampled_from([torch.float32, torch.bfloat16]))
def test_supports_are_exact_visible_and_nested(policy, seed, keys, dtype):
    random = torch.Generator().manual_seed(seed)
    scores = torch.randint(-2, 3, SHAPE, generator=random).to(dtype)  # many ties
    visible = torch.rand(2, 1, 6, 8, generator=random) < 0.6
    kept, larger = (policy.keep(scores, visible, KeyBudget(k), layer=1).expand(SHAPE) for k in (keys, keys + 1))
    if not isinstance(policy, TopMass):
        assert torch.equal(kept.sum(-1), visible.sum(-1).clamp(max=keys).expand(SHAPE[:-1]))
    assert not (kept & ~visible).any()
    assert not (kept & ~larger).any()


@pytest.mark.parametrize("policy", POLICIES, ids=repr)
def test_a_batch_of_budgets_selects_as_each_budget_alone(policy, scores, visible):
    budgets = (KeyBudget(2), KeyBudget(share=0.7))
    together = policy.keep(scores, visible, PerRow(budgets), layer=0).expand(SHAPE)
    for row, budget in enumerate(budgets):
        alone = policy.keep(scores[row : row + 1], visible[row : row + 1], budget, layer=0)
        assert torch.equal(together[row : row + 1], alone.expand(1, *SHAPE[1:]))


def test_heads_may_have_different_budgets(scores):
    everything = torch.ones(1, 1, 1, 1, dtype=torch.bool)
    kept = TopK().keep(scores, everything, PerHead((KeyBudget(1), None, KeyBudget(5))), layer=0)
    assert kept.sum(-1).amax((0, 2)).tolist() == kept.sum(-1).amin((0, 2)).tolist() == [1, 8, 5]


@pytest.mark.parametrize("budgets", [(KeyBudget(2), None), (None, KeyBudget(2)), (KeyBudget(3), KeyBudget(8))])
def test_a_budget_of_one_row_does_not_bind_another(scores, budgets):
    everything = torch.ones(2, 1, 6, 8, dtype=torch.bool)
    kept = TopK().keep(scores, everything, PerRow(budgets), layer=0).expand(SHAPE)
    expected = [8 if budget is None else budget.keys for budget in budgets]
    assert kept.sum(-1).amax((1, 2)).tolist() == kept.sum(-1).amin((1, 2)).tolist() == expected


def test_random_keys_depend_on_seed_layer_head_and_query_and_not_on_the_scores():
    def merit(seed=0, layer=0, batch=1, queries=6) -> Tensor:
        return RandomK(seed).merit(torch.randn(batch, 3, queries, 8), layer)

    assert torch.equal(merit(), merit(batch=2)[:1])
    assert torch.equal(merit()[:, :, 5:], merit(queries=1))  # the last query, with the other keys from a cache
    for other in (merit(seed=1), merit(seed=1 << 32), merit(seed=-1), merit(layer=1)):
        assert not torch.equal(merit(), other)
    assert len({tuple(row.argsort().tolist()) for row in merit()[0].flatten(0, 1)}) > 15


def test_random_keys_are_uniform():
    kept = RandomK().keep(torch.zeros(1, 8, 256, 16), torch.ones(1, 1, 1, 1, dtype=torch.bool), KeyBudget(4), layer=0)
    read = kept.sum((0, 1, 2)) / kept.sum()
    assert (read - 1 / 16).abs().max() < 0.01  # 5 standard errors


def test_random_keys_are_the_published_hash():
    # lowbias32 of 1 from its definition, in unbounded integers.
    state = 1
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B), (16, 1)):
        state = ((state ^ (state >> shift)) * factor) & 0xFFFFFFFF
    from compecon.attention.policies.random_k import _scramble  # noqa: PLC0415 - the one private name that has a definition

    assert _scramble(torch.tensor([1], dtype=torch.int32)).item() & 0xFFFFFFFF == state


def test_first_keys_are_the_first_visible_ones():
    visible = torch.tensor([False, True, False, True, True]).view(1, 1, 1, 5)
    kept = FirstK().keep(torch.randn(1, 1, 1, 5), visible, KeyBudget(2), layer=0)
    assert kept.flatten().tolist() == [False, True, False, True, False]


def test_sinks_come_first_then_the_most_recent():
    visible = torch.tensor([False] + [True] * 7).view(1, 1, 1, 8)  # the first key is padding
    order = []
    for keys in range(1, 8):
        kept = SinkRecent(sinks=2).keep(torch.randn(1, 1, 1, 8), visible, KeyBudget(keys), layer=0)
        (new,) = set(kept.flatten().nonzero().flatten().tolist()) - set(order)
        order.append(new)
    assert order == [1, 2, 7, 6, 5, 4, 3]


@given(st.floats(0.05, 1.0), st.integers(0, 50))
def test_top_mass_reads_the_fewest_keys_with_that_mass(mass, seed):
    scores = torch.randn(1, 1, 4, 9, generator=torch.Generator().manual_seed(seed)).double()
    kept = TopMass(mass).keep(scores, torch.ones(1, 1, 1, 1, dtype=torch.bool), KeyBudget(9), layer=0)
    for row, marked in zip(scores[0, 0], kept.expand(1, 1, 4, 9)[0, 0], strict=True):
        weights = row.softmax(-1).sort(descending=True).values.tolist()
        fewest = next((n for n in range(1, 9) if sum(weights[:n]) >= mass - 1e-12), 9)
        assert int(marked.sum()) == fewest
        assert row[marked].min() >= row[~marked].max() if fewest < 9 else True


def test_top_mass_obeys_the_budget(scores):
    kept = TopMass(mass=0.99).keep(scores, torch.ones(1, 1, 1, 1, dtype=torch.bool), KeyBudget(2), layer=0)
    assert kept.sum(-1).max() == 2


@pytest.mark.parametrize("make", [lambda: TopMass(0.0), lambda: TopMass(1.5), lambda: SinkRecent(-1)])
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(ValueError, match="must be"):
        make()


def test_a_key_of_merit_minus_infinity_is_never_read():
    @dataclass(frozen=True)
    class EvenKeys(Policy):
        def merit(self, scores: Tensor, layer: int) -> Tensor:  # noqa: ARG002 - the interface's
            odd = torch.arange(scores.shape[-1]) % 2 == 1
            return scores.masked_fill(odd, -torch.inf)

    for keys in (2, 3, 99):
        kept = EvenKeys().keep(
            torch.randn(1, 1, 1, 6), torch.ones(1, 1, 1, 1, dtype=torch.bool), KeyBudget(keys), layer=0
        )
        assert kept.flatten()[1::2].sum() == 0
        assert kept.sum() == min(keys, 3)


def test_a_budget_below_one_key_is_an_error(scores, visible):
    class Nothing(Budget):
        def allowance(self, n_visible: Tensor, layer: int) -> Tensor:  # noqa: ARG002 - the interface's
            return n_visible * 0

    with pytest.raises(ValueError, match=r"at least 1 key .* got 0"):
        TopK().keep(scores, visible, Nothing(), layer=0)


def test_nan_is_an_error_and_not_a_choice(scores, visible):
    scores[1, 2, 3, :] = torch.nan
    visible[1, 0, 3] = True
    with pytest.raises(ValueError, match="NaN"):
        TopK().keep(scores, visible, KeyBudget(2), layer=0)


@pytest.mark.parametrize("wrong", ["1", True, 1.5, None])
def test_settings_of_policies_are_numbers(wrong):
    for make in (RandomK, SinkRecent):
        with pytest.raises(ValueError, match="must be a whole number"):
            make(wrong)
    if wrong != 1.5:
        with pytest.raises(ValueError, match=r"mass must be in \(0, 1\]"):
            TopMass(wrong)
