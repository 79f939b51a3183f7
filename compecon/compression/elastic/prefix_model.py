"""A smaller model on the weights of a larger one: the first heads and the first neurons of each layer, not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import Tensor

from compecon.compression.compact_model import empty_model, take_over
from compecon.compression.elastic.price_list import Counts
from compecon.compression.families import layers_of
from compecon.compression.shape import CompactShape
from compecon.compression.shaping import output_dim, projection_copies

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def prefix_model(model: PreTrainedModel, counts: Counts) -> PreTrainedModel:
    """The `Compact...` model of the first heads and neurons of each layer, with parameters that are views.

    Only where query, key and value lie in one matrix, as in GPT-2, that one is copied, and follows no later change.

    Args:
        model: A `Compact...` model.
        counts: Heads and neurons to keep of each layer; at most what there is.

    Returns:
        A model of its own class in the same mode; its parameters learn nothing.
    """
    small = unbound_prefix_model(model, counts)
    views = {name: weight.detach() for name, weight in prefix_weights(model, small).items()}
    small.load_state_dict(views | dict(small.named_buffers()), strict=False, assign=True)
    small.tie_weights()
    small.requires_grad_(False)
    return small


def unbound_prefix_model(model: PreTrainedModel, counts: Counts) -> PreTrainedModel:
    """As `prefix_model`, without weights: for `bind`."""
    small = empty_model(model, CompactShape.of(model.config).first(counts))
    take_over(model, small)
    return small


def bind(small: PreTrainedModel, model: PreTrainedModel) -> None:
    """Give a model from `unbound_prefix_model` the present weights of the larger one, through which gradients flow.

    They reach the parameters of `model`, as zeros where the small one has no part. Call it anew for each backward pass.
    """
    weights = prefix_weights(model, small)
    for path, module in small.named_modules():
        for name, part in module._parameters.items():
            if part is not None:
                module._parameters[name] = weights[f"{path}.{name}".lstrip(".")]


def prefix_weights(model: PreTrainedModel, small: PreTrainedModel) -> dict[str, Tensor]:
    """The weights of a smaller model as parts of those of the larger one, by name, tied ones under each of theirs."""
    weights: dict[str, Any] = dict(model.named_parameters(remove_duplicate=False))
    there = dict(small.named_parameters(remove_duplicate=False))
    names = {module: name for name, module in model.named_modules()}
    for layer, less in zip(layers_of(model), layers_of(small), strict=True):
        width = less.n_heads * layer.d_head
        for projection in layer.projections if less.n_heads else ():
            _set(weights, names[projection], _outputs(projection, width, projection_copies(layer)))
        _set(weights, names[layer.heads_out], _inputs(layer.heads_out, width))
        _set(weights, names[layer.neurons_in], _outputs(layer.neurons_in, less.n_neurons, 1))
        _set(weights, names[layer.neurons_out], _inputs(layer.neurons_out, less.n_neurons))
    return {
        name: weights[name].reshape(like.shape) if not like.numel() else weights[name] for name, like in there.items()
    }


def _set(weights: dict[str, Any], name: str, parts: dict[str, Tensor]) -> None:
    weights.update({f"{name}.{kind}": part for kind, part in parts.items()})


def _outputs(matrix: Any, width: int, copies: int) -> dict[str, Tensor]:
    """The first outputs of each of the matrices that lie side by side."""
    dim = output_dim(matrix)
    if copies == 1:
        return {"weight": matrix.weight.narrow(dim, 0, width), "bias": matrix.bias[:width]}
    weight = matrix.weight.unflatten(dim, (copies, -1)).narrow(dim + 1, 0, width).flatten(dim, dim + 1)
    return {"weight": weight, "bias": matrix.bias.unflatten(0, (copies, -1))[:, :width].flatten()}


def _inputs(matrix: Any, width: int) -> dict[str, Tensor]:
    return {"weight": matrix.weight.narrow(1 - output_dim(matrix), 0, width)}
