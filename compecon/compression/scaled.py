"""Multiply what heads and neurons send on, for as long as a context lasts: gates, probes and masks are all this."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, final

from torch import Tensor, nn

from compecon.compression.families import Layer, base_of, layers_of, unit_counts
from compecon.compression.units import Units

Scales = Sequence[tuple[Tensor, Tensor]]  # heads and neurons of each layer; broadcasts against (batch, token, unit)


@contextmanager
def scaled(model: nn.Module, values: Units | Callable[[], Units]) -> Iterator[None]:
    """Multiply each unit of a model by a value, within the context.

    The values, or what a callable gives once at the start of each forward pass, are read in the activations' dtype and
    on their device, and gradients reach them. Contexts nest: their values multiply. A pass that is recomputed in the
    backward pass (gradient checkpointing) sees the values it saw the first time, provided that the backward pass runs
    within the context too.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If there is not exactly one value per unit; from a callable, when the model is run.
    """
    counts = unit_counts(model)

    def draw() -> Scales:
        drawn = values() if callable(values) else values
        drawn.require_counts(counts)
        return tuple(zip(drawn.heads, drawn.neurons, strict=True))

    if isinstance(values, Units):
        draw()  # so that a mismatch is an error here
    with scaled_by(model, draw):
        yield


@contextmanager
def scaled_by(model: nn.Module, draw: Callable[[], Scales]) -> Iterator[None]:
    """As :func:`scaled`, for scales that may differ between examples or tokens; nothing is checked.

    `draw` gives heads' and neurons' scales of each layer, each of shape (unit,) or (batch or 1, token or 1, unit).
    """
    state = _Running(draw)
    with ExitStack() as hooks:
        base = base_of(model)
        hooks.callback(base.register_forward_pre_hook(state.begin).remove)
        hooks.callback(base.register_forward_hook(state.end).remove)
        for index, layer in enumerate(layers_of(model)):
            for matrix, hook in state.hooks(index, layer):
                hooks.callback(matrix.register_forward_pre_hook(hook).remove)
        yield


@final
class _Running:
    """The scales of the forward pass that is running or being recomputed."""

    def __init__(self, draw: Callable[[], Scales]) -> None:
        self._draw = draw
        self._scales: Scales = ()

    def begin(self, _module: nn.Module, _args: Any) -> None:
        self._scales = self._draw()

    def end(self, _module: nn.Module, _args: Any, output: Any) -> None:
        """Have the backward pass of this forward pass begin by bringing its scales back: others may have come since."""
        scales = self._scales

        def bring_back(_gradient: Tensor) -> None:
            self._scales = scales

        for tensor in _tensors(output):
            if tensor.requires_grad:
                tensor.register_hook(bring_back)  # type: ignore[no-untyped-call]

    def hooks(self, index: int, layer: Layer) -> Iterator[tuple[nn.Module, Callable[[nn.Module, Any], Any]]]:
        """The matrices through which a layer's units leave, each with what scales its input."""

        def scale_heads(_module: nn.Module, args: Any) -> Any:
            head_by_head = args[0].unflatten(-1, (layer.n_heads, layer.d_head))
            scale = self._scales[index][0].to(args[0]).unsqueeze(-1)
            return ((head_by_head * scale).flatten(-2), *args[1:])

        def scale_neurons(_module: nn.Module, args: Any) -> Any:
            return (args[0] * self._scales[index][1].to(args[0]), *args[1:])

        yield layer.heads_out, scale_heads
        yield layer.neurons_out, scale_neurons


def _tensors(output: Any) -> Iterator[Tensor]:
    if isinstance(output, Tensor):
        yield output
    elif isinstance(output, Mapping | list | tuple):
        for part in output.values() if isinstance(output, Mapping) else output:
            yield from _tensors(part)
