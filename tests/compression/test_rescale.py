from __future__ import annotations

from operator import attrgetter

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compecon.compression.families import base_of, family_of, layers_of, unit_counts
from compecon.compression.rescale import rescale
from compecon.compression.scaled import scaled
from compecon.compression.units import Units

Batch = dict[str, Tensor]
STATES = {  # modules that read the sum of a block's input and output; None: it leaves the layer
    "bert": ("attention.output.LayerNorm", "output.LayerNorm"),
    "distilbert": ("sa_layer_norm", "output_layer_norm"),
    "gpt2": ("ln_2", None),
}


def loss(model: nn.Module, batch: Batch) -> Tensor:
    logits = model(**batch).logits.flatten(1)
    return functional.cross_entropy(logits, torch.arange(len(logits)) % 2)


def states(model: nn.Module, batch: Batch, values: Units) -> list[Tensor]:
    """Hidden states after the heads and after the neurons of each layer, of the whole model with scaled units."""
    seen: list[Tensor] = []
    handles = []
    for layer in attrgetter(family_of(model).layers)(base_of(model)):
        for name in STATES[model.config.model_type]:
            if name is None:
                handles.append(layer.register_forward_hook(lambda _module, _args, output: seen.append(output)))
            else:
                part = layer.get_submodule(name)
                handles.append(part.register_forward_pre_hook(lambda _module, args: seen.append(args[0])))
    with torch.no_grad(), scaled(model, values):
        model(**batch)
    for handle in handles:
        handle.remove()
    return seen


def blocks(values: Units) -> list[Tensor]:
    """In the order in which they are run."""
    return [part for pair in zip(values.heads, values.neurons, strict=True) for part in pair]


def units(parts: list[Tensor]) -> Units:
    return Units(tuple(parts[::2]), tuple(parts[1::2]))


def counted(model: nn.Module, batch: Batch, block: int) -> Tensor:
    """No padding; and of the last layer, only the first token where the classifier reads no other."""
    mask = batch["attention_mask"].bool().clone()
    if block >= 2 * len(layers_of(model)) - 2 and model.config.model_type != "gpt2":
        mask[:, 1:] = False
    return mask


def expected(model: nn.Module, batches: list[Batch], found: Units, keep: Units, block: int) -> np.ndarray:
    """The scales of one block by numpy, from a matrix with one column a kept unit, given those of earlier blocks."""
    before, after = blocks(found)[:block], blocks(keep)[block + 1 :]
    stays = blocks(keep)[block].nonzero().flatten().tolist()
    ones = keep.map(torch.ones_like)

    def rows(one: Tensor) -> np.ndarray:
        values = units([*before, one, *after])
        parts = [states(model, batch, values)[block][counted(model, batch, block)] for batch in batches]
        return torch.cat(parts).flatten().numpy()

    nothing = torch.zeros_like(blocks(keep)[block])
    alone = [nothing.index_fill(0, torch.tensor([unit]), 1.0) for unit in stays]
    dense = [states(model, batch, ones)[block][counted(model, batch, block)] for batch in batches]
    columns = np.stack([rows(one) - rows(nothing) for one in alone], 1)
    return np.linalg.lstsq(columns, torch.cat(dense).flatten().numpy() - rows(nothing), rcond=None)[0]


@pytest.fixture
def batches(batch: Batch) -> list[Batch]:
    return [batch, {name: part[:2].flip(0) for name, part in batch.items()}]


def half(model: nn.Module) -> Units:
    """Every other unit, in double precision as the models here."""
    counts = unit_counts(model)
    return Units.full(counts, 1.0).map(lambda part: (torch.arange(len(part)) % 2).double())


def test_scales_are_the_least_squares_of_each_block_given_the_earlier_ones(model, batches):
    model, keep = model.double(), half(model)
    found = rescale(model, keep, batches, loss, ridge=1e-12)
    assert torch.equal(found.joined() != 0, keep.joined() != 0)
    for block, values in enumerate(blocks(found)):
        if not torch.equal(values, blocks(keep)[block]):
            want = expected(model, batches, found, keep, block)
            np.testing.assert_allclose(values[values != 0].numpy(), want, rtol=1e-4, atol=1e-5)
    assert sum(not torch.equal(*pair) for pair in zip(blocks(found), blocks(keep), strict=True)) >= 3


def test_a_model_that_keeps_everything_needs_no_scales(model, batches):
    everything = half(model).map(torch.ones_like)
    found = rescale(model, everything, batches, loss)
    torch.testing.assert_close(found.joined(), everything.joined(), atol=1e-3, rtol=0)


def test_who_is_their_own_teacher_needs_no_scales(model, batches):
    keep = half(model)
    found = rescale(model, keep, batches, loss, teacher=keep)
    torch.testing.assert_close(found.joined(), keep.joined(), atol=1e-4, rtol=0)


def test_a_ridge_pulls_the_scales_to_one(model, batches):
    distances = [
        float((rescale(model, half(model), batches, loss, ridge=ridge).joined() - half(model).joined()).square().sum())
        for ridge in (1e-2, 1.0, 1e6)
    ]
    assert distances[0] > distances[1] > distances[2]
    assert distances[2] < 1e-6


def test_a_block_whose_scales_would_be_huge_is_left_as_it_is(model, batches):
    keep = half(model)
    model.double()
    weak = layers_of(model)[0].neurons_out
    kept = slice(1, None, 2)
    columns = weak.weight.data.T if isinstance(weak, nn.Linear) else weak.weight.data
    columns[kept] *= 1e-3  # what is left of the block can only follow by a thousandfold scale
    found = rescale(model, keep, batches, loss, ridge=1e-12)
    assert torch.equal(found.neurons[0], keep.neurons[0])
    assert not torch.equal(found.joined(), keep.joined())  # other blocks are scaled


def test_layers_that_lose_a_whole_kind_are_passed_over(model, batches):
    keep = half(model)
    keep = Units((torch.zeros_like(keep.heads[0]), keep.heads[1]), (keep.neurons[0], torch.zeros_like(keep.neurons[1])))
    found = rescale(model, keep, batches, loss)
    assert torch.equal(found.joined() != 0, keep.joined() != 0)
    assert bool(found.joined().isfinite().all())


def test_the_model_is_left_as_it_was_and_no_batch_is_refused(model, batches):
    model.train()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    rescale(model, half(model), batches, loss)
    assert model.training
    assert torch.is_grad_enabled()
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    with pytest.raises(ValueError, match="got none"):
        rescale(model, half(model), [], loss)
