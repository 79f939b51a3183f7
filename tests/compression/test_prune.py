from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import BertConfig, BertForTokenClassification

from compecon.compression.compact_model import compact
from compecon.compression.importance import IMPORTANCES
from compecon.compression.importance.fisher import Fisher
from compecon.compression.importance.magnitude import Magnitude
from compecon.compression.importance.taylor import Taylor
from compecon.compression.prune_model import prune
from compecon.compression.scaled import scaled
from compecon.compression.select import fixed_share, knapsack, select
from compecon.compression.units import Units, share_of_macs, unit_macs
from compecon.errors import UnsupportedModelError

Batch = dict[str, Tensor]


def loss(model: nn.Module, batch: Batch) -> Tensor:
    logits = model(**batch).logits.flatten(1)
    return functional.cross_entropy(logits, torch.arange(len(logits)) % 2)


@pytest.mark.parametrize("method", IMPORTANCES)
def test_every_method_meets_every_target(model, batch, method):
    macs = unit_macs(model, 7)
    a_head_a_layer = float(sum(part[0] for part in macs.heads) / macs.total())
    for target in (0.1, 0.5, 0.9):
        values = prune(model, method, target, n_tokens=7, batches=[batch], loss=loss)
        assert target - a_head_a_layer < share_of_macs(values, macs) <= target
        assert values.joined().dtype == torch.float64
        with torch.no_grad(), scaled(model, values):
            assert bool(model(**batch).logits.isfinite().all())


@pytest.mark.parametrize("method", IMPORTANCES)
def test_the_whole_budget_changes_nothing(model, batch, method):
    values = prune(model, method, 1.0, n_tokens=7, batches=[batch], loss=loss)
    torch.testing.assert_close(values.joined(), torch.ones_like(values.joined()), atol=1e-2, rtol=0)


def test_names_stand_for_their_importance_and_rule(model, batch):
    macs = unit_macs(model, 7)
    for method, importance in (("magnitude", Magnitude()), ("taylor", Taylor())):
        values = prune(model, method, 0.5, n_tokens=7, batches=iter([batch]), loss=loss)
        keep = select(importance.score(model, [batch], loss), macs, 0.5, rule=fixed_share)
        assert torch.equal(values.joined(), keep.joined().double())
    keep = select(Fisher().score(model, [batch], loss), macs, 0.5, rule=knapsack)
    assert prune(model, "fisher", 0.5, n_tokens=7, batches=iter([batch]), loss=loss).counts() == keep.counts()


def test_the_seed_matters_to_random_alone(model, batch):
    def joined(method: str, seed: int) -> list[float]:
        return prune(model, method, 0.5, n_tokens=7, batches=[batch], loss=loss, seed=seed).joined().tolist()

    assert joined("random", 1) == joined("random", 1) != joined("random", 2)
    assert joined("fisher", 1) == joined("fisher", 2)


def test_wrong_requests_are_refused_before_anything_is_computed(model, batch):
    def never(_model: nn.Module, _batch: Batch) -> Tensor:
        raise AssertionError

    with pytest.raises(ValueError, match="one of random, magnitude, uniform, taylor, fisher, got 'kwon'"):
        prune(model, "kwon", 0.5, n_tokens=7, batches=[batch], loss=never)
    for target in (0.0, 1.5):
        with pytest.raises(ValueError, match=f"got {target}"):
            prune(model, "fisher", target, n_tokens=7, batches=[batch], loss=never)
    with pytest.raises(ValueError, match="n_tokens must be at least 1"):
        prune(model, "fisher", 0.5, n_tokens=0, batches=[batch], loss=never)


@pytest.mark.parametrize("method", ["taylor", "fisher"])
def test_methods_that_need_batches_say_so(model, method):
    with pytest.raises(ValueError, match="got none"):
        prune(model, method, 0.5, n_tokens=7, batches=[], loss=loss)


@pytest.mark.parametrize("method", IMPORTANCES)
def test_a_compacted_model_is_pruned_by_a_share_of_what_it_has_left(model, batch, method):
    keep = prune(model, "random", 0.6, n_tokens=7, batches=[], loss=loss)
    headless = Units((keep.heads[0], torch.zeros_like(keep.heads[1])), keep.neurons)
    small = compact(model, headless)
    values = prune(small, method, 0.5, n_tokens=7, batches=[batch], loss=loss)
    assert share_of_macs(values, unit_macs(small, 7)) <= 0.5
    with torch.no_grad(), scaled(small, values):
        expected = small(**batch).logits
    with torch.no_grad():
        torch.testing.assert_close(compact(small, values)(**batch).logits, expected, atol=1e-5, rtol=1e-4)


def test_scales_are_used_only_where_they_lower_the_calibration_loss(model, batch):
    def calibration_loss(values: Units) -> float:
        with torch.no_grad(), scaled(model, values):
            return float(loss(model, batch))

    values = prune(model, "fisher", 0.5, n_tokens=7, batches=[batch], loss=loss)
    assert calibration_loss(values) <= calibration_loss(values.map(lambda part: (part != 0).double()))


@pytest.mark.parametrize("method", IMPORTANCES)
def test_what_could_not_be_compacted_is_not_pruned(method):
    """Before any of the minutes that the gradients take."""

    def loss(*_: object) -> None:
        pytest.fail("computed a loss")

    config = BertConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=8, vocab_size=20)
    model = BertForTokenClassification(config)
    with pytest.raises(UnsupportedModelError, match="cannot be compacted"):
        prune(model, method, 0.5, n_tokens=8, batches=[{"input_ids": torch.ones(1, 4, dtype=torch.long)}], loss=loss)
