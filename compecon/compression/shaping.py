"""Making the layers of a freshly built model as small as those of a compacted one, whatever its weights are.

A layer without heads or without neurons still adds the bias of its output matrix, and its norm and its residual
connection stay. So a unit's absence is the value 0 at the input of that matrix, to the last one.
"""

from __future__ import annotations

from typing import Any, final

from torch import Tensor, nn
from typing_extensions import override

from compecon.attention.attention_modules import NoAttention
from compecon.compression.families import Family, Layer, family_of, layers_of, n_inputs
from compecon.compression.shape import CompactShape

_HEAD_COUNTS = ("num_attention_heads", "n_heads", "num_heads")
_HEAD_WIDTHS = ("all_head_size", "split_size")


def shape_layers(model: nn.Module, kept: CompactShape) -> None:
    """Shrink the layers of a dense model in place, on any device; which weights are left is arbitrary."""
    family = family_of(model)
    for layer, heads, neurons in zip(layers_of(model), kept.heads, kept.neurons, strict=True):
        _shape_heads(family, layer, len(heads))
        _set_outputs(layer.neurons_in, neurons)
        _set_inputs(layer.block, family.neurons_out, neurons)


def projection_copies(layer: Layer) -> int:
    """How many of query, key and value each projection holds, one after the other."""
    return 3 // len(layer.projections) if layer.projections else 0


def steps_after(family: Family) -> tuple[str, ...]:
    """What the attention itself applies to what its heads have mixed, if it has it."""
    inside = f"{family.attention}."
    return (family.heads_out.removeprefix(inside), "resid_dropout") if family.heads_out.startswith(inside) else ()


def output_dim(matrix: nn.Module) -> int:
    """The dimension of a weight along which a linear layer's outputs lie; `Conv1D` has it the other way round."""
    return 0 if isinstance(matrix, nn.Linear) else 1


@final
class BiasAlone(nn.Linear):
    """The output matrix of units that are all gone; its weight is empty.

    A matrix product over no features is left to no backend: `Conv1D` fails on it, and so do some runtimes.
    """

    def __init__(self, weight: Tensor, bias: nn.Parameter) -> None:
        nn.Module.__init__(self)  # that of Linear would draw random numbers, and warn that there are none to draw
        self.in_features, self.out_features = 0, len(bias)
        self.weight = nn.Parameter(weight.detach().new_empty(len(bias), 0))
        self.bias = bias

    @override
    def forward(self, input: Tensor) -> Tensor:
        # A copy: what is a mere view of a parameter says that it needs a gradient even where none are computed.
        return self.bias.expand(*input.shape[:-1], -1).clone()


@final
class NoHeads(NoAttention):
    """The attention of a layer whose heads are all gone: zero features, and what came after them.

    In a model that generates, the layer still remembers how many tokens it has seen: transformers asks the first layer
    for the length of them all.
    """

    def __init__(self, attention: nn.Module, *after: str) -> None:
        super().__init__()
        self.is_causal = getattr(attention, "is_causal", False)
        self.layer_idx = getattr(attention, "layer_idx", None)
        for name in after:
            self.add_module(name, attention.get_submodule(name))

    @override
    def forward(self, hidden_states: Tensor, *_: Any, past_key_values: Any = None, **__: Any) -> tuple[Tensor, None]:
        if past_key_values is not None:
            seen = hidden_states[..., :1].unsqueeze(1)  # (batch, one head, token, one feature), never read
            cache = getattr(past_key_values, "self_attention_cache", past_key_values)
            cache.update(seen, seen, self.layer_idx)
        mixed = hidden_states[..., :0]
        for step in self.children():
            mixed = step(mixed)
        return mixed, None


def _shape_heads(family: Family, layer: Layer, n_heads: int) -> None:
    width = n_heads * layer.d_head
    _set_inputs(layer.block, family.heads_out, width)
    if not n_heads:
        after = [name for name in steps_after(family) if hasattr(layer.attention, name)]
        layer.block.set_submodule(family.attention, NoHeads(layer.attention, *after))
        return
    for projection in layer.projections:
        _set_outputs(projection, projection_copies(layer) * width)
    for name in (*_HEAD_COUNTS, *_HEAD_WIDTHS):
        if hasattr(layer.attention, name):
            setattr(layer.attention, name, n_heads if name in _HEAD_COUNTS else width)


def _set_outputs(matrix: Any, width: int) -> None:
    matrix.weight = nn.Parameter(matrix.weight.detach().narrow(output_dim(matrix), 0, width).clone())
    matrix.bias = nn.Parameter(matrix.bias.detach()[:width].clone())
    _say(matrix, ("out_features", "nf"), width)


def _set_inputs(block: nn.Module, name: str, width: int) -> None:
    matrix: Any = block.get_submodule(name)
    if not width:
        block.set_submodule(name, BiasAlone(matrix.weight, matrix.bias))
    elif width < n_inputs(matrix):
        matrix.weight = nn.Parameter(matrix.weight.detach().narrow(1 - output_dim(matrix), 0, width).clone())
        _say(matrix, ("in_features", "nx"), width)


def _say(matrix: nn.Module, names: tuple[str, str], width: int) -> None:
    for name in names:
        if hasattr(matrix, name):
            setattr(matrix, name, width)
