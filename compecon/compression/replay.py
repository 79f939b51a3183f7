"""Run a model on calibration batches one layer at a time, from hidden states that the caller holds.

The units of a layer are of two kinds: 0, heads, and 1, neurons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, final

import torch
from torch import Tensor, nn

from compecon.compression.families import Layer, layers_of
from compecon.compression.importance.base import Batch, Loss

Values = tuple[Tensor, Tensor]  # a scale for each head of a layer, and for each neuron


@final
@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A batch on its way through the layers; tensors begin with (example, token)."""

    hidden: Tensor  # what the next layer reads, shape (example, token, feature)
    tokens: Tensor  # which tokens are not padding
    read: Tensor  # which tokens of the last layer the loss depends on
    # Runs a block on hidden states, with the mask and whatever else the model passes to its layers
    call: Callable[[nn.Module, Tensor], Tensor]


def stream_of(model: nn.Module, batch: Batch, loss: Loss) -> Stream:
    """The batch where it enters the first layer. The loss is computed once, to see which tokens it depends on."""
    blocks = [layer.block for layer in layers_of(model)]
    entered: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    left: list[Tensor] = []

    def enter(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        entered.append((args, kwargs))

    def leave(_module: nn.Module, _args: Any, output: Tensor) -> Tensor:
        left.append(output.detach().requires_grad_())
        torch.set_grad_enabled(True)  # from here on; the layers before need no graph
        return left[0]

    with ExitStack() as stack, torch.no_grad():
        stack.callback(blocks[0].register_forward_pre_hook(enter, with_kwargs=True).remove)
        stack.callback(blocks[-1].register_forward_hook(leave).remove)
        (gradient,) = torch.autograd.grad(loss(model, batch), left)
    (hidden, *args), kwargs = entered[0]
    arguments = [_without_cache(value) for value in args], {name: _without_cache(kwargs[name]) for name in kwargs}

    def call(block: nn.Module, hidden: Tensor) -> Tensor:
        output: Tensor = block(hidden, *arguments[0], **arguments[1])
        return output

    tokens = _tokens(batch, hidden)
    return Stream(hidden.detach(), tokens, tokens & (gradient != 0).any(-1), call)


def run(layer: Layer, stream: Stream, values: Values) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Run one layer with its units scaled: what leaves it, and the hidden states after its heads and its neurons.

    Each of these states is the sum of a block's input and output, before a norm that is applied to it.
    """
    with _watched(layer, stream, values) as seen:
        output = stream.call(layer.block, stream.hidden)
    return output, (seen.residual(0) + seen.written[0], seen.residual(1) + seen.written[1])


def approach(layer: Layer, stream: Stream, values: Values, kind: int) -> tuple[Tensor, Tensor]:
    """What the output matrix of a kind reads, scaled, and what its output is to be added to; the rest is not run."""
    with _watched(layer, stream, values, stop=kind) as seen:
        stream.call(layer.block, stream.hidden)
    return seen.features[kind], seen.residual(kind)


@final
class _Reached(Exception):  # noqa: N818 - not an error
    """The layer has been run as far as it was wanted."""


@final
@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What passed the matrices of a layer, by kind; `read` by the first FFN matrix."""

    layer: Layer
    hidden: Tensor
    features: dict[int, Tensor] = field(default_factory=dict)
    written: dict[int, Tensor] = field(default_factory=dict)
    read: list[Tensor] = field(default_factory=list)

    def residual(self, kind: int) -> Tensor:
        """What the output of a kind is added to."""
        if kind == 0:
            return self.hidden
        return self.hidden + self.written[0] if self.layer.norm_first else self.read[0]


@contextmanager
def _watched(layer: Layer, stream: Stream, values: Values, stop: int | None = None) -> Iterator[_Seen]:
    """Scale the units within the context, and leave it where the output matrix of kind ``stop`` would be run."""
    seen = _Seen(layer, stream.hidden)

    def scale(kind: int) -> Callable[[nn.Module, Any], Any]:
        def hook(_module: nn.Module, args: Any) -> Any:
            scales = values[kind].to(args[0]).repeat_interleave(layer.widths[kind])
            seen.features[kind] = args[0] * scales
            if kind == stop:
                raise _Reached
            return (seen.features[kind], *args[1:])

        return hook

    def write(kind: int) -> Callable[[nn.Module, Any, Tensor], None]:
        return lambda _module, _args, output: seen.written.__setitem__(kind, output)

    with ExitStack() as stack, suppress(_Reached):
        for kind, matrix in enumerate(layer.matrices):
            stack.callback(matrix.register_forward_pre_hook(scale(kind)).remove)
            stack.callback(matrix.register_forward_hook(write(kind)).remove)
        first = layer.neurons_in
        stack.callback(first.register_forward_pre_hook(lambda _, args: seen.read.append(args[0])).remove)
        yield seen


def _tokens(batch: Batch, hidden: Tensor) -> Tensor:
    mask = batch.get("attention_mask")
    if mask is None or mask.shape != hidden.shape[:2]:
        return torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    return mask.bool()


def _without_cache(value: Any) -> Any:
    """A cache of keys would grow with every run of a layer."""
    return None if hasattr(value, "get_seq_length") else value
