"""A smaller model that computes what a model computes with some of its heads and neurons switched off."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from compecon.compression.architectures import compact_class
from compecon.compression.families import Layer, base_of, layers_of
from compecon.compression.read_position import position_read
from compecon.compression.shape import CompactShape
from compecon.compression.shaping import output_dim, projection_copies
from compecon.compression.units import Units

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@torch.no_grad()
def compact(model: PreTrainedModel, values: Units) -> PreTrainedModel:
    """Remove the units whose value is 0 and fold the other values into the weights.

    A value scales what a unit sends on, after the nonlinearity: it goes into the matrix that reads the unit. The result
    computes what ``scaled(model, values)`` computes, up to rounding, with fewer multiply-adds. A classifier whose head
    reads one position computes its last layer there alone (`compecon.compression.last_layer`).

    Args:
        model: BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA, DistilBERT or GPT-2; bare, a sequence classifier or a
            language model; dense or compacted before. It is left alone.
        values: One finite value per unit of ``model``, such as gates in [0, 1], or kept (True) or not.

    Returns:
        A `Compact...` model of the same family without the given one's hooks, on the same device, with the same dtype,
        mode and frozen weights. ``config.compact`` says what is left, heads by their index in the dense model.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known, or there is no compact class for it.
        ValueError: If there is not one finite value per unit.

    Examples:
        >>> from compecon import compact, load_checkpoint
        >>> from compecon.compression import Units
        >>> model = load_checkpoint("sentiment").model
        >>> keep = Units.full([(12, 1536)] * 3, 1.0)  # three layers of 12 heads and 1,536 neurons
        >>> keep.heads[0][:9] = 0  # without the first nine heads of the first layer
        >>> compact(model, keep).config.compact["heads"][0]
        [9, 10, 11]
    """
    layers = layers_of(model)
    values.require_counts([(layer.n_heads, layer.n_neurons) for layer in layers])
    if not bool(values.joined().isfinite().all()):
        raise ValueError("values must be finite, got NaN or an infinity.")
    state = model.state_dict() | _sliced(model, layers, values)
    small = empty_model(model, _kept(model, values))
    small.load_state_dict(
        {name: _own(state[name], like) for name, like in small.state_dict().items()}, strict=True, assign=True
    )
    small.tie_weights()
    take_over(model, small)
    return small


def kept_heads(model: PreTrainedModel) -> tuple[tuple[int, ...], ...]:
    """Indices of the heads of each layer in the dense model; all of them if this is the dense model."""
    return CompactShape.of(model.config).heads


def _sliced(model: nn.Module, layers: tuple[Layer, ...], values: Units) -> dict[str, Tensor]:
    """The weights that lose rows or columns, by their names in the model."""
    names = {module: name for name, module in model.named_modules()}
    state: dict[str, Tensor] = {}
    for layer, heads, neurons in zip(layers, values.heads, values.neurons, strict=True):
        by_feature, n_copies = heads.repeat_interleave(layer.d_head), projection_copies(layer)
        for projection in layer.projections:
            state |= _with_outputs(names[projection], projection, by_feature.repeat(n_copies))
        state |= _with_inputs(names[layer.heads_out], layer.heads_out, by_feature)
        state |= _with_outputs(names[layer.neurons_in], layer.neurons_in, neurons)
        state |= _with_inputs(names[layer.neurons_out], layer.neurons_out, neurons)
    return state


def _with_outputs(name: str, matrix: Any, values: Tensor) -> dict[str, Tensor]:
    left = values.to(matrix.weight.device).nonzero().flatten()
    weight = matrix.weight.index_select(output_dim(matrix), left)
    return {f"{name}.weight": weight, f"{name}.bias": matrix.bias[left]}


def _with_inputs(name: str, matrix: Any, values: Tensor) -> dict[str, Tensor]:
    values = values.to(matrix.weight.device)
    left, reads = values.nonzero().flatten(), 1 - output_dim(matrix)
    scale = values[left].double().unsqueeze(1 - reads)
    weight = matrix.weight.index_select(reads, left)
    return {f"{name}.weight": (weight.double() * scale).to(weight.dtype)}


def empty_model(model: PreTrainedModel, kept: CompactShape) -> PreTrainedModel:
    """The compact model that keeps so much of a model, without weights; no random generator moves."""
    kind = compact_class(type(model))
    given = {key: value for key, value in model.config.to_dict().items() if key != "model_type"}
    config: Any = kind.config_class(**copy.deepcopy(given) | {"compact": kept.written()})  # type: ignore[misc]
    config.architectures, config.name_or_path = [kind.__name__], model.config.name_or_path
    with torch.device("meta"):
        small: PreTrainedModel = kind._from_config(  # type: ignore[no-untyped-call]
            config, dtype=model.dtype, attn_implementation=model.config._attn_implementation
        )
    if getattr(base_of(model), "pooler", small) is None:
        base_of(small).pooler = None
    return small


def _kept(model: PreTrainedModel, values: Units) -> CompactShape:
    heads = (
        tuple(index for index, value in zip(indices, layer.tolist(), strict=True) if value)
        for indices, layer in zip(kept_heads(model), values.heads, strict=True)
    )
    n_neurons = tuple(number for _, number in values.counts())
    return CompactShape(tuple(heads), n_neurons, one_position=position_read(model) is not None)


def _own(value: Tensor, like: Tensor) -> Tensor:
    return value.detach().clone().reshape(like.shape) if value.numel() == 0 else value.detach().clone()


def take_over(model: PreTrainedModel, small: PreTrainedModel) -> None:
    """Give a smaller model all that is neither a weight nor an entry of the config."""
    buffers = dict(model.named_buffers())
    for name, _ in list(small.named_buffers()):
        parent, _, own = name.rpartition(".")
        setattr(small.get_submodule(parent), own, buffers[name].clone())
    learns = {name: weight.requires_grad for name, weight in model.named_parameters()}
    for name, weight in small.named_parameters():
        weight.requires_grad_(learns[name])
    if getattr(model, "generation_config", None) is not None:
        small.generation_config = copy.deepcopy(model.generation_config)
    small.train(model.training)
