"""What a compacted model has kept of each layer, as its config tells it.

``"compact": {"heads": [[0, 3], ...], "neurons": [96, ...], "one_position": true}``, the last one only where it holds.

Read without torch, and as strictly as any file of unknown origin. A config without the entry has kept everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self, final

COMPACT = "compact-"  # begins the model type of a compacted model; the rest is the family it was made of
NEURONS = ("intermediate_size", "hidden_dim", "n_inner")  # a config's names for the neurons of a dense layer


@final
@dataclass(frozen=True, slots=True)
class CompactShape:
    """The heads and FFN neurons that are left in each layer.

    Attributes:
        heads: Indices of the heads, in the model before anything was removed, each once, in their order here; a tuple a
            layer.
        neurons: Number of neurons of each layer.
        one_position: Whether the last layer serves only the position that the head reads, in classes whose head reads
            one (`compecon.compression.read_position`).
    """

    heads: tuple[tuple[int, ...], ...]
    neurons: tuple[int, ...]
    one_position: bool = False

    @classmethod
    def of(cls, config: Any) -> Self:
        """Read a transformers config; that of a dense model has kept everything.

        Raises:
            ValueError: If the entry is not what the config's other sizes allow.
        """
        return cls._of(getattr(config, "compact", None) if str(config.model_type).startswith(COMPACT) else None, config)

    @classmethod
    def dense(cls, config: Any) -> Self:
        """What the model had before anything was removed."""
        return cls._of(None, config)

    @classmethod
    def _of(cls, written: object, config: Any) -> Self:
        given = (getattr(config, name, None) for name in NEURONS)
        return cls.read(
            written,
            n_layers=config.num_hidden_layers,
            n_heads=config.num_attention_heads,
            n_neurons=next((n for n in given if n is not None), 4 * config.hidden_size),  # GPT-2's usual four times
        )

    @property
    def n_heads(self) -> int:
        """Heads of all layers together."""
        return sum(map(len, self.heads))

    @property
    def n_neurons(self) -> int:
        """Neurons of all layers together."""
        return sum(self.neurons)

    @classmethod
    def read(cls, written: object, *, n_layers: int, n_heads: int, n_neurons: int) -> Self:
        """Read the entry itself.

        Args:
            written: The entry; None for everything.
            n_layers: Layers of the model.
            n_heads: Heads a layer before anything was removed.
            n_neurons: Neurons a layer before anything was removed.

        Raises:
            ValueError: If the entry is malformed, or keeps what was never there.
        """
        if written is None:
            return cls((tuple(range(n_heads)),) * n_layers, (n_neurons,) * n_layers)
        if not isinstance(written, Mapping) or set(written) - {"one_position"} != {"heads", "neurons"}:
            raise ValueError('compact must be an object of "heads" and "neurons", and perhaps "one_position", alone.')
        if type(one := written.get("one_position", False)) is not bool:
            raise ValueError("compact must say of one_position whether it is true or false.")
        heads, neurons = (_a_layer_each(written[kind], kind, n_layers) for kind in ("heads", "neurons"))
        for layer, (indices, count) in enumerate(zip(heads, neurons, strict=True)):
            _check_heads(indices, layer, n_heads)
            if type(count) is not int or not 0 <= count <= n_neurons:
                raise ValueError(
                    f"compact keeps a wrong number of neurons in layer {layer}: expected 0 to {n_neurons}."
                )
        return cls(tuple(map(tuple, heads)), tuple(neurons), one)

    def first(self, counts: Sequence[tuple[int, int]]) -> Self:
        """What is left with the first (heads, neurons) of each layer, at most as many as there are."""
        heads = tuple(indices[:number] for indices, (number, _) in zip(self.heads, counts, strict=True))
        return replace(self, heads=heads, neurons=tuple(number for _, number in counts))

    def written(self) -> dict[str, Any]:
        """The entry that :meth:`read` reads."""
        entry: dict[str, Any] = {"heads": [list(indices) for indices in self.heads], "neurons": list(self.neurons)}
        return entry | {"one_position": True} if self.one_position else entry


def _a_layer_each(entries: object, kind: str, n_layers: int) -> list[Any]:
    if not isinstance(entries, list | tuple) or len(entries) != n_layers:
        got = f"{len(entries)} entries" if isinstance(entries, list | tuple) else f"a {type(entries).__name__}"
        raise ValueError(f"compact must list {kind} for each of {n_layers} layers, got {got}.")
    return list(entries)


def _check_heads(indices: object, layer: int, n_heads: int) -> None:
    if not isinstance(indices, list | tuple) or not all(type(i) is int and 0 <= i < n_heads for i in indices):
        raise ValueError(f"compact must list the heads of layer {layer} by whole numbers from 0 to {n_heads - 1}.")
    if len(set(indices)) < len(indices):
        raise ValueError(f"compact must list the heads of layer {layer} once each.")
