from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from compecon.compression.families import layers_of, unit_counts
from compecon.compression.importance.fisher import Fisher
from compecon.compression.importance.gradients import all_gate_gradients, gate_gradients
from compecon.compression.importance.magnitude import Magnitude
from compecon.compression.importance.random_units import RandomUnits
from compecon.compression.importance.taylor import Taylor
from compecon.compression.scaled import scaled
from compecon.compression.units import Units


def loss(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    """Mean over examples, whatever the output's shape."""
    logits = model(**batch).logits.flatten(1)
    return functional.cross_entropy(logits, torch.arange(len(logits)) % 2)


@pytest.fixture
def batches(batch: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    return [batch, {name: part[:2].flip(0) for name, part in batch.items()}]


def single(batches: list[dict[str, Tensor]], model: nn.Module) -> list[Units]:
    """Gate gradients of each example, one example and one backward pass at a time."""
    found = []
    for batch in batches:
        for row in range(len(batch["input_ids"])):
            ones = Units.full(unit_counts(model), 1.0)
            ones = ones.map(lambda part: part.requires_grad_())
            with scaled(model, ones):
                logits = model(**{name: part[row : row + 1] for name, part in batch.items()}).logits.flatten(1)
                functional.cross_entropy(logits, torch.tensor([row % 2])).backward()
            found.append(ones.map(lambda part: part.grad.double()))
    return found


def assert_close(got: Units, expected: Units, tolerance: float = 1e-4) -> None:
    scale = float(expected.joined().abs().max())
    torch.testing.assert_close(got.joined(), expected.joined(), atol=tolerance * scale, rtol=tolerance)


def test_fisher_is_the_sum_of_each_examples_squared_gradient(model, batches):
    expected = [gradient.joined().square() for gradient in single(batches, model)]
    got = Fisher().score(model, batches, loss)
    assert_close(got, got.split(sum(expected)))


def test_taylor_is_the_mean_absolute_gradient_with_heads_normalised_by_layer(model, batches):
    mean = torch.stack([gradient.joined().abs() for gradient in single(batches, model)]).mean(0)
    got = Taylor().score(model, batches, loss)
    expected = got.split(mean)
    assert_close(got, Units(tuple(heads / heads.norm() for heads in expected.heads), expected.neurons))
    assert all(float(heads.norm()) == pytest.approx(1) for heads in got.heads)


def test_gate_gradients_are_finite_differences_of_the_loss(model, batch):
    model, size = model.double(), 1e-5
    gradients = next(gate_gradients(model, [batch], loss))
    ones = Units.full(unit_counts(model), 1.0)
    for unit in (0, 5, 9, 40):  # heads of both layers and neurons
        around = []
        for step in (-size, size):
            gates = ones.joined().double()
            gates[unit] += step
            with torch.no_grad(), scaled(model, ones.split(gates)):
                around.append(float(loss(model, batch)))
        slope = (around[1] - around[0]) / (2 * size)
        got = gradients.reduced(lambda rows: rows.mean(0)).joined()[unit]
        assert float(got) == pytest.approx(slope, rel=1e-3, abs=1e-6)


def test_rows_that_stand_for_many_examples_have_the_same_fisher_information(model, batches):
    many = [batch for _ in range(12) for batch in batches]
    total = all_gate_gradients(model, many, loss)
    rows = list(gate_gradients(model, many, loss))
    for kind in ("heads", "neurons"):
        for layer, matrix in enumerate(getattr(total, kind)):
            assert len(matrix) <= 2 * matrix.shape[1]
            examples = torch.cat([getattr(part, kind)[layer] for part in rows])
            torch.testing.assert_close(
                matrix.T @ matrix, examples.T @ examples, rtol=1e-3, atol=1e-4 * float(examples.square().sum())
            )


def test_scoring_leaves_mode_weights_and_gradients_alone(model, batches):
    model.train()
    part = next(module for module in model.modules() if isinstance(module, nn.Dropout))
    part.eval()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    Fisher().score(model, batches, loss)
    assert model.training
    assert not part.training
    assert all(parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_frozen_weights_are_scored_all_the_same(model, batches):
    expected = Fisher().score(model, batches, loss)
    assert_close(Fisher().score(model.requires_grad_(False), batches, loss), expected)


@pytest.mark.parametrize("method", [Taylor(), Fisher()])
def test_no_batch_and_no_finite_gradient_are_refused(model, batch, method):
    with pytest.raises(ValueError, match="got none"):
        method.score(model, [], loss)
    broken = iter([1.0, float("inf")])
    with pytest.raises(ValueError, match="batch 2 is not finite"):
        method.score(model, [batch, batch], lambda model, batch: next(broken) * loss(model, batch))


def test_magnitude_is_blind_to_the_size_of_a_matrix_and_sees_that_of_a_unit(model):
    before = Magnitude().score(model, [], loss)
    for layer in layers_of(model)[1:]:
        for scale, matrix in enumerate((*layer.projections, layer.heads_out, layer.neurons_in, layer.neurons_out), 2):
            matrix.weight.data *= 2**scale  # exact
    assert_close(Magnitude().score(model, [], loss), before, 1e-9)
    folded = layers_of(model)[0]
    columns = slice(None), slice(2 * folded.d_head, 3 * folded.d_head)
    folded.heads_out.weight.data[columns if isinstance(folded.heads_out, nn.Linear) else columns[::-1]] *= 100
    after = Magnitude().score(model, [], loss)
    assert int(after.heads[0].argmax()) == 2
    assert_close(Units(after.heads[1:], after.neurons[1:]), Units(before.heads[1:], before.neurons[1:]), 1e-9)


def test_magnitude_is_the_norm_of_the_slices_over_their_typical_norm(model):
    layer = layers_of(model)[1]
    rows = [
        (matrix.weight if isinstance(matrix, nn.Linear) else matrix.weight.T).detach() for matrix in layer.projections
    ]
    out = layer.heads_out.weight.detach()
    out = out if isinstance(layer.heads_out, nn.Linear) else out.T
    matrices = [*torch.cat(rows).double().split(32), out.T.double()]  # query, key, value, output: head by head
    norms = torch.tensor([[float(part.norm()) for part in matrix.split(layer.d_head)] for matrix in matrices])
    expected = (norms / norms.square().mean(1, keepdim=True).sqrt()).square().mean(0).sqrt()
    torch.testing.assert_close(Magnitude().score(model, [], loss).heads[1].float(), expected)


def test_random_values_depend_on_the_seed_alone(model):
    first, again, other = (RandomUnits(seed).score(model, [], loss).joined() for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert bool(((first >= 0) & (first < 1)).all())
