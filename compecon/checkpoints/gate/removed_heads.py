"""Heads that transformers 4 removed: its `prune_heads` wrote ``pruned_heads`` into the config, which newer ones ignore.

Such a checkpoint has smaller matrices than its other sizes say. The families that compecon compacts are opened as the
compact shape that they are; for others the error names the cause.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compecon.checkpoints.gate.config_check import positive
from compecon.compression.shape import COMPACT, NEURONS, CompactShape
from compecon.errors import CheckpointError, UnsupportedModelError

_KEY = "pruned_heads"
_FAMILIES = {
    "bert": "Bert", "roberta": "Roberta", "xlm-roberta": "XLMRoberta", "camembert": "Camembert",
    "electra": "Electra", "distilbert": "DistilBert", "gpt2": "GPT2",
}  # fmt: skip
_LAYERS = ("num_hidden_layers", "n_layers", "n_layer")
_HEADS = ("num_attention_heads", "n_heads", "n_head")
_WIDTHS = ("hidden_size", "dim", "n_embd")


def with_compact_shape(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A config with ``pruned_heads`` as that of a compacted model; any other is returned unchanged.

    Raises:
        CheckpointError: If the entry names heads that the other sizes do not allow.
        UnsupportedModelError: If models of this family cannot be compacted.
    """
    pruned = config.get(_KEY)
    if not pruned:
        return config
    model_type = config.get("model_type")
    if model_type not in _FAMILIES:
        raise UnsupportedModelError(
            f"config.json says that heads were removed ({_KEY}), and {model_type} with fewer heads cannot be opened. "
            f"Use the model before its heads were removed, or one of {', '.join(_FAMILIES)}."
        )
    layers, heads, width = (positive(config, names) for names in (_LAYERS, _HEADS, _WIDTHS))
    neurons = next((config[name] for name in NEURONS if config.get(name) is not None), 4 * width)
    gone = _gone(pruned, layers, heads)
    kept = tuple(tuple(head for head in range(heads) if head not in gone.get(layer, ())) for layer in range(layers))
    named = config.get("architectures")
    return {
        **{name: value for name, value in config.items() if name != _KEY},
        "model_type": f"{COMPACT}{model_type}",
        "architectures": [f"Compact{name}" for name in named] if isinstance(named, list) else named,
        "compact": CompactShape(kept, (neurons,) * layers).written(),
    }


def _gone(pruned: object, layers: int, heads: int) -> dict[int, set[int]]:
    """Removed heads of each layer that lost some."""
    wrong = CheckpointError(
        f"config.json has {_KEY} = {str(pruned)[:100]!r}; expected the removed heads of each layer, such as "
        f'{{"0": [1, 3]}}, with layers below {layers} and heads below {heads}. Save the checkpoint again.'
    )
    if not isinstance(pruned, Mapping):
        raise wrong
    found: dict[int, set[int]] = {}
    for layer, indices in pruned.items():
        named = str(layer)
        if not (named.isascii() and named.isdigit() and int(named) < layers) or not isinstance(indices, list):
            raise wrong
        if not all(type(head) is int and 0 <= head < heads for head in indices):
            raise wrong
        found[int(named)] = set(indices)
    return found
