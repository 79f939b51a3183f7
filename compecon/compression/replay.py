"""Run a model on calibration batches one layer at a time, from hidden states that the caller holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Self, final

import torch
from torch import Tensor, nn

from compecon.compression.families import Layer, base_of, family_of, layers_of
from compecon.compression.importance.base import Batch, Loss

Values = tuple[Tensor, Tensor]  # a scale for each head of a layer, and for each neuron


@final
@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """A layer that can be run by itself. Its units are of two kinds: 0, heads, and 1, neurons.

    Attributes:
        block: The whole layer.
        layer: Its matrices.
        norm_first: As in `Family`.
        last: Whether no layer comes after it.
    """

    block: nn.Module
    layer: Layer
    norm_first: bool
    last: bool

    @property
    def matrices(self) -> tuple[Any, Any]:
        """The output matrix of each kind."""
        return self.layer.heads_out, self.layer.neurons_out

    @property
    def widths(self) -> tuple[int, int]:
        """Features a unit of each kind."""
        return self.layer.d_head, 1


@final
@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """A batch on its way through the layers.

    Attributes:
        hidden: What the next layer reads, shape (example, token, feature).
        tokens: Which tokens are no padding, shape (example, token).
        read: Which tokens of the last layer the loss depends on, shape (example, token).
        call: Runs a block on hidden states, with the mask and whatever else the model hands to its layers.
    """

    hidden: Tensor
    tokens: Tensor
    read: Tensor
    call: Callable[[nn.Module, Tensor], Tensor]

    def after(self, hidden: Tensor) -> Self:
        """The same batch, one layer further."""
        return replace(self, hidden=hidden)


@final
@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """What one layer did to a stream.

    Attributes:
        features: What the output matrix of each kind read, scaled, shape (example, token, feature).
        residual: What its output was added to.
        output: The hidden states that leave the layer.
    """

    features: tuple[Tensor, Tensor]
    residual: tuple[Tensor, Tensor]
    output: Tensor


def stages_of(model: nn.Module) -> tuple[Stage, ...]:
    """The layers of a model, from the input on; arguments and errors as for `layers_of`."""
    family = family_of(model)
    blocks = list(attrgetter(family.layers)(base_of(model)))
    pairs = zip(blocks, layers_of(model), strict=True)
    return tuple(Stage(block, layer, family.norm_first, last=block is blocks[-1]) for block, layer in pairs)


def stream_of(model: nn.Module, batch: Batch, loss: Loss) -> Stream:
    """The batch where it enters the first layer. The loss is computed once, to see which tokens it depends on."""
    blocks = [stage.block for stage in stages_of(model)]
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


def run(stage: Stage, stream: Stream, values: Values) -> Passage:
    """Run one layer with its heads and neurons scaled by these values."""
    layer = stage.layer
    seen: dict[str, Tensor] = {}

    def scale(name: str, scales: Tensor) -> Callable[[nn.Module, Any], Any]:
        def hook(_module: nn.Module, args: Any) -> Any:
            seen[name] = args[0] * scales.to(args[0])
            return (seen[name], *args[1:])

        return hook

    def hooks() -> Iterator[Any]:
        heads, neurons = values
        yield layer.heads_out.register_forward_pre_hook(scale("heads", heads.repeat_interleave(layer.d_head)))
        yield layer.neurons_in.register_forward_pre_hook(lambda _, args: seen.update(read=args[0]))
        yield layer.neurons_out.register_forward_pre_hook(scale("neurons", neurons))
        yield layer.neurons_out.register_forward_hook(lambda _, __, output: seen.update(written=output))

    with ExitStack() as stack:
        for handle in hooks():
            stack.callback(handle.remove)
        output = stream.call(stage.block, stream.hidden)
    between = output - seen["written"] if stage.norm_first else seen["read"]
    return Passage((seen["heads"], seen["neurons"]), (stream.hidden, between), output)


def _tokens(batch: Batch, hidden: Tensor) -> Tensor:
    mask = batch.get("attention_mask")
    if mask is None or mask.shape != hidden.shape[:2]:
        return torch.ones(hidden.shape[:2], dtype=torch.bool, device=hidden.device)
    return mask.bool()


def _without_cache(value: Any) -> Any:
    """A cache of keys would grow with every run of a layer."""
    return None if hasattr(value, "get_seq_length") else value
