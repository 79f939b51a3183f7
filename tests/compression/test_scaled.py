from __future__ import annotations

from itertools import count

import pytest
import torch
from torch import Tensor, nn

from compecon.compression.families import layers_of, unit_counts
from compecon.compression.scaled import scaled
from compecon.compression.units import Units


def ones(model: nn.Module) -> Units:
    return Units.full(unit_counts(model), 1.0)


def logits(model: nn.Module, batch: dict[str, Tensor]) -> Tensor:
    return model(**batch).logits


def uneven(model: nn.Module) -> Units:
    return ones(model).map(lambda part: torch.linspace(0.1, 1.5, len(part)))


def folded(model: nn.Module, values: Units) -> None:
    """The definition: scaling a feature is scaling the column that reads it."""
    for layer, heads, neurons in zip(layers_of(model), values.heads, values.neurons, strict=True):
        columns = heads.repeat_interleave(layer.d_head), neurons
        for matrix, scale in zip((layer.heads_out, layer.neurons_out), columns, strict=True):
            matrix.weight.data *= scale if isinstance(matrix, nn.Linear) else scale[:, None]


def test_scaling_units_is_scaling_the_columns_that_read_them(model, batch):
    values = uneven(model)
    with scaled(model, values):
        got = logits(model, batch)
    folded(model, values)
    torch.testing.assert_close(got, logits(model, batch), atol=1e-5, rtol=1e-5)


def test_a_scale_of_one_changes_nothing_and_nothing_stays_behind(model, batch):
    dense = logits(model, batch)
    with scaled(model, ones(model)):
        torch.testing.assert_close(logits(model, batch), dense)
    with scaled(model, uneven(model)):
        pass
    assert torch.equal(logits(model, batch), dense)


def test_nested_contexts_multiply(model, batch):
    values = uneven(model)
    with scaled(model, values), scaled(model, values):
        nested = logits(model, batch)
    with scaled(model, values.map(torch.square)):
        torch.testing.assert_close(nested, logits(model, batch), atol=1e-5, rtol=1e-5)


def test_an_error_within_takes_the_hooks_away(model, batch):
    dense = logits(model, batch)
    with pytest.raises(RuntimeError, match="stop"), scaled(model, uneven(model)):
        raise RuntimeError("stop")
    assert torch.equal(logits(model, batch), dense)


def test_a_callable_is_asked_once_a_forward_pass_of_the_model_or_its_base(model, batch):
    asked = count()

    def draw() -> Units:
        next(asked)
        return ones(model)

    with scaled(model, draw):
        model(**batch)
        model.base_model(**batch)
    assert next(asked) == 2


def test_values_that_do_not_fit_are_refused(model, batch):
    wrong = Units.full([(3, 5)], 1.0)
    with pytest.raises(ValueError, match=r"one entry per unit.*got \[\(3, 5\)\]"), scaled(model, wrong):
        pass
    with pytest.raises(ValueError, match="one entry per unit"), scaled(model, lambda: wrong):
        model(**batch)


def test_values_follow_the_activations_dtype_under_autocast(model, batch):
    values = uneven(model).map(lambda part: part.double().requires_grad_())
    seen = []
    layers_of(model)[0].heads_out.register_forward_pre_hook(lambda _module, args: seen.append(args[0].dtype))
    with torch.autocast("cpu", torch.bfloat16), scaled(model, values):
        logits(model, batch).float().sum().backward()
    layers_of(model)[0].heads_out.register_forward_pre_hook(lambda _module, args: seen.append(args[0].dtype))
    assert seen == [torch.bfloat16]
    assert all(part.grad is not None and part.grad.dtype == torch.float64 for part in (*values.heads, *values.neurons))


@pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing_enable` is deprecated:FutureWarning"
)  # its new name is younger than our oldest version
@pytest.mark.parametrize("reentrant", [False, True])
def test_recomputed_passes_see_the_draw_of_their_own_forward_pass(model, batch, reentrant):
    def gradients() -> Tensor:
        scales = [0.3 * uneven(model).joined(), uneven(model).joined()]
        scales = [scale.requires_grad_() for scale in scales]
        draws = iter(scales)
        with scaled(model, lambda: ones(model).split(next(draws))):
            first, second = logits(model, batch), logits(model, batch)  # the second draw comes before any backward pass
            (first * second.detach()).sum().backward()
            second.sum().backward()
        return torch.stack([scale.grad for scale in scales])

    expected = gradients()
    model.train()  # transformers recomputes only while training; the models have no dropout
    model.gradient_checkpointing_enable({"use_reentrant": reentrant})
    if reentrant:
        model.enable_input_require_grads()
    torch.testing.assert_close(gradients(), expected, atol=1e-5, rtol=1e-4)
