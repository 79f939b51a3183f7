"""Costs of what flows through a dense model. They change its behaviour; none of them removes work by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, final

import torch
from torch import Tensor, nn

from compecon.attention.hooks import recorded_attention
from compecon.compression.families import Layer, layers_of
from compecon.incentives.cost import ComputeCost, Read
from compecon.incentives.gates import Gates
from compecon.stats.inequality import effective_number

NAME = "compecon_start"  # of the submodule that a model gains while a relative cost is read


class _AttentionCost(ComputeCost):
    """A mean over real queries of something about the weights with which they read."""

    removes_work = False

    @contextmanager
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:  # noqa: ARG002 - gates don't matter
        """See `ComputeCost`."""
        with recorded_attention(model) as seen:
            handle = model.register_forward_pre_hook(lambda *_: seen.clear())

            def read(mask: Tensor | None) -> Tensor:
                per_layer = [_over_queries(self._per_query(one.weights, one.visible), mask) for one in seen]
                return torch.stack(per_layer).mean()

            try:
                yield read
            finally:
                handle.remove()

    @abstractmethod
    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:
        """(batch, head, query, key) weights and what is visible -> (batch, head, query)."""


@final
class EffectiveKeys(_AttentionCost):
    """Effective number of keys a query reads, exp(entropy), as a share of those it sees: from 1/n to 1.

    Its gradient sharpens attention. Dense kernels do the same work whatever the weights are, so it saves no FLOPs.
    """

    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:
        shown = visible.expand_as(weights)
        idle = ~shown.any(-1, keepdim=True)  # padding to the left of a causal model sees nothing; it is left out later
        shown = shown | idle
        return effective_number(weights.masked_fill(idle, 1), shown) / shown.sum(-1)


@final
class AttentionL1(_AttentionCost):
    """L1 norm of attention weights after the softmax, the paper's first term: always 1, with a gradient of 0.

    Kept for parity, to show that it does nothing: each row is a distribution, so its L1 norm is 1 whatever is learnt.
    """

    def _per_query(self, weights: Tensor, visible: Tensor) -> Tensor:  # noqa: ARG002 - hidden keys weigh 0
        return weights.abs().sum(-1)


class _RelativeCost(ComputeCost):
    """A sum over layers as a share of what it was at the first forward pass, so that it starts at 1.

    What it was is kept in a submodule of the model meanwhile, so that a resumed training goes on with it.
    """

    removes_work = False

    @contextmanager
    def metered(self, model: nn.Module, gates: Gates | None) -> Iterator[Read]:  # noqa: ARG002 - gates don't matter
        """See `ComputeCost`."""
        layers, start = layers_of(model), _Start()
        if hasattr(model, NAME):
            raise ValueError("a cost of the model is being read already. Leave the other block first.")
        seen: dict[int, Tensor] = {}

        def read(mask: Tensor | None) -> Tensor:
            share = start.relative(torch.stack([self._of_layer(layers[i], seen[i], mask) for i in sorted(seen)]).sum())
            return share - (share - share.clamp(max=1)).detach()  # at most 1 to read, and still a slope above

        with ExitStack() as stack:
            stack.callback(delattr, model, NAME)
            model.add_module(NAME, start)
            for i, layer in enumerate(layers):
                stack.callback(self._watch(layer, partial(seen.__setitem__, i)).remove)
            yield read

    @abstractmethod
    def _watch(self, layer: Layer, keep: Callable[[Tensor], object]) -> Any:
        """Hook a layer so that `keep` gets what the cost needs; returns the hook's handle."""

    @abstractmethod
    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        """Cost of a layer, not yet relative to anything."""


@final
class _Start(nn.Module):
    """The first value of a cost, not known (NaN) until it is read."""

    value: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("value", torch.tensor(torch.nan))

    def relative(self, total: Tensor) -> Tensor:
        first = total.detach().float().clamp_min(torch.finfo(torch.float32).tiny)
        start = torch.where(self.value.isnan(), first, self.value)
        self.value.copy_(start)
        return total / start


@final
class ScoreL1(_RelativeCost):
    """Mean absolute attention score before the softmax, the other reading of the paper's first term.

    Kept for parity, to show that it does the opposite of what is claimed: scores go to 0, attention becomes uniform.
    """

    def _watch(self, layer: Layer, keep: Callable[[Tensor], object]) -> Any:
        seen: list[Tensor] = []
        names = layer.projections

        def note(_module: nn.Module, _inputs: object, output: Tensor) -> None:
            seen.append(output)
            if len(seen) == len(names):
                parts = torch.cat(seen, -1).chunk(3, -1)
                seen.clear()
                keep(torch.cat(parts[:2], -1))

        return _Handles([module.register_forward_hook(note) for module in names])

    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        query, key = (half.reshape(*half.shape[:2], -1, layer.d_head).transpose(1, 2) for half in seen.chunk(2, -1))
        scores: Tensor = (query @ key.transpose(-1, -2)).abs() * layer.d_head**-0.5
        ones = scores.new_ones(scores.shape[0], 1, *scores.shape[-2:])
        real = ones if mask is None else ones * mask[:, None, :, None] * mask[:, None, None, :]
        if getattr(layer.attention, "is_causal", False):
            real = real.tril()
        mean: Tensor = (scores * real).sum() / (real.sum() * scores.shape[1])
        return mean


@final
class FfnL1(_RelativeCost):
    """Mean absolute FFN activation, the paper's second term, as a share of that at the start.

    With GELU nothing becomes exactly zero; and dividing the first matrix by a constant makes it as small as one likes
    without changing the model once the second is multiplied by it.
    """

    def _watch(self, layer: Layer, keep: Callable[[Tensor], object]) -> Any:
        return layer.neurons_out.register_forward_pre_hook(lambda _, inputs: _nothing(keep(inputs[0])))

    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:  # noqa: ARG002 - weights don't matter
        return _over_tokens(seen.abs(), mask).mean()


@final
class GroupLasso(_RelativeCost):
    """Sum over heads and neurons of the size of what each adds to the residual stream, as a share of that at the start.

    Size: root mean square over tokens of what enters the unit's output matrix, times the norm of its slice of that
    matrix. Scaling one against the other changes nothing, and a unit that goes to 0 does so for all tokens, so that it
    can be removed; but none reaches 0 exactly, so removal needs a threshold.
    """

    def _watch(self, layer: Layer, keep: Callable[[Tensor], object]) -> Any:
        parts: list[Tensor] = []

        def note(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            parts.append(inputs[0])
            if len(parts) == 2:  # heads, then neurons: a layer computes them in this order
                keep(torch.cat(parts, -1))
                parts.clear()

        modules = (layer.heads_out, layer.neurons_out)
        return _Handles([module.register_forward_pre_hook(note) for module in modules])

    def _of_layer(self, layer: Layer, seen: Tensor, mask: Tensor | None) -> Tensor:
        n_mixed = seen.shape[-1] - layer.n_neurons
        mixed, active = seen[..., :n_mixed], seen[..., n_mixed:]
        energy = _over_tokens(mixed.float().square(), mask) * _energy_out(layer.heads_out)
        heads = energy.reshape(-1, layer.d_head).sum(-1)
        neurons = _over_tokens(active.float().square(), mask) * _energy_out(layer.neurons_out)
        return (torch.cat([heads, neurons]) + 1e-12).sqrt().sum()


class _Handles:
    def __init__(self, handles: list[Any]) -> None:
        self.handles = handles

    def remove(self) -> None:
        for handle in self.handles:
            handle.remove()


def _nothing(_: object) -> None:
    """What a hook that changes nothing gives back."""


def _energy_out(matrix: nn.Module) -> Tensor:
    """Squared norm of what each input feature of a matrix is multiplied by."""
    weight: Any = matrix.weight
    squared: Tensor = weight.float().square()
    return squared.sum(0 if isinstance(matrix, nn.Linear) else 1)


def _over_tokens(values: Tensor, mask: Tensor | None) -> Tensor:
    """(batch, token, feature) -> mean over real tokens, shape (feature,)."""
    if mask is None:
        return values.flatten(0, 1).mean(0)
    return (values * mask.unsqueeze(-1)).sum((0, 1)) / mask.sum()


def _over_queries(values: Tensor, mask: Tensor | None) -> Tensor:
    """(batch, head, query) -> mean over real queries and heads, a scalar."""
    real = torch.ones_like(values[:, :1]) if mask is None else mask.unsqueeze(1)
    return (values * real).sum() / (real.sum() * values.shape[1])
