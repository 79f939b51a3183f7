"""What a ``config.json`` says, and what it may not say: remote code, other kernels, sizes that no machine has.

Read without transformers, so that a folder can be judged in a millisecond and before any of its content acts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from compecon.compression.shape import COMPACT, NEURONS, CompactShape
from compecon.errors import CheckpointError, UnsupportedModelError

# Largest number accepted where a key's name says that something is built that many times. The generous ones only stop
# what would exhaust memory before the weights are looked at; the weights' own shapes decide after that.
_LIMITS = (
    (re.compile(r"layers?$|^n_layer|depth|blocks$"), 512),
    (re.compile(r"heads?$|groups$|kernels?$"), 4096),
    (re.compile(r"experts|num_labels|type_vocab_size"), 100_000),
    (re.compile(r"size$|dim$|_embd$|^d_|^dim|_inner$|channels"), 10_000_000),
    (re.compile(r"positions$|position_embeddings$|_ctx$|seq_len"), 20_000_000),
)
_EPSILON = re.compile(r"norm_eps$|norm_epsilon$|^eps$")
_CODE = ("auto_map", "custom_pipelines")
_IMPLEMENTATION = re.compile(r"_?(attn|experts)_implementation(_\w+)?")
_REDIRECTS = ("kernel_config", "fusion_config", "transformers_weights", "custom_generate")
_NAMES = {
    "layers": ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "encoder_layers"),
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads", "encoder_attention_heads"),
    "hidden_size": ("hidden_size", "n_embd", "dim", "d_model"),
    "vocabulary": ("vocab_size",),
}
# Tensors that older versions of transformers stored beside the weights: masks, positions, frequencies.
BUFFERS = re.compile(r"position_ids$|(^|\.)(attn|attention)\.(masked_)?bias$|inv_freq$")
# What models store as integers or booleans on purpose: those masks and positions, counters, tables of positions.
WHOLE = re.compile(rf"{BUFFERS.pattern}|_ids$|_index$|num_batches_tracked$|\.tid2eid$")
_TOKENS = ("pad_token_id", "decoder_start_token_id")
_POSITIONS = ("max_position_embeddings", "n_positions", "max_seq_len", "n_ctx")
# These count positions from pad_token_id + 1, so the first rows of the position table are never a token's.
_OFFSET_POSITIONS = frozenset({
    "roberta", "roberta-prelayernorm", "xlm-roberta", "xlm-roberta-xl", "camembert", "xmod", "data2vec-text", "ibert",
    "luke", "esm",
})  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """Sizes of the model that a config describes."""

    layers: int  # number of layers of the (first) stack
    heads: int  # attention heads a layer
    hidden_size: int  # width of the residual stream
    vocabulary: int  # rows of the embedding table
    max_positions: int | None  # longest input in tokens; ``None`` where positions are relative and no length is stated


def check_config(config: Mapping[str, Any]) -> None:
    """Refuse a config that asks for code, for kernels from elsewhere, or for sizes out of proportion.

    Raises:
        CheckpointError: Naming the key and its value.
        UnsupportedModelError: If the weights are quantised.
    """
    check_code(config, "config.json")
    for key in _TOKENS:
        _check_token(key, config)
    for key, value in _entries(config):
        _check_size(key, value)
        if _EPSILON.search(key):
            _check_epsilon(key, value)
        if key == "quantization_config" and value:
            raise UnsupportedModelError(
                "The weights are quantised; attention under a budget is computed on plain ones. "
                "Use the checkpoint in float32, float16 or bfloat16."
            )


def check_code(content: Mapping[str, Any], file: str) -> None:
    """Refuse a JSON file, called `file` in messages, that asks for code at any depth."""
    for key, value in _entries(content):
        if key in _CODE and value:
            raise CheckpointError(
                f"{file} asks for code of its own ({key}); compecon never runs a checkpoint's code. "
                "Use a model that transformers itself implements."
            )
        if key in _REDIRECTS and value:
            raise CheckpointError(f"{file} redirects loading through {key!r}, which is not followed. Remove the key.")
        if _IMPLEMENTATION.fullmatch(key):
            _check_implementation(key, value, file)


def without_implementations(value: Any) -> Any:
    """A copy of a config without its choice of attention kernels, at any depth."""
    if isinstance(value, Mapping):
        return {
            key: without_implementations(item) for key, item in value.items() if not _IMPLEMENTATION.fullmatch(str(key))
        }
    return [without_implementations(item) for item in value] if isinstance(value, list) else value


def _entries(value: object) -> Iterator[tuple[str, Any]]:
    """Every key and value of nested objects and lists."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key), item
            yield from _entries(item)
    elif isinstance(value, list):
        for item in value:
            yield from _entries(item)


def _check_implementation(key: str, value: object, file: str) -> None:
    for text in (value, *(item for _, item in _entries(value))):
        if isinstance(text, str) and "/" in text:
            raise CheckpointError(
                f"{file} asks for the attention kernel {text!r} ({key}), which would be foreign code. Remove the key."
            )


def _check_token(key: str, config: Mapping[str, Any]) -> None:
    """Refuse the id of a token that the model looks up and does not have; -1 means none."""
    value, size = config.get(key), config.get("vocab_size")
    if value is None or (type(value) is int and value == -1):
        return
    if type(value) is not int or value < 0:
        raise CheckpointError(f"config.json has {key} = {value!r}, where the number of a token was expected.")
    if type(size) is int and value >= size:
        raise CheckpointError(
            f"config.json has {key} = {value}, and its {size:,} tokens (vocab_size) are numbered from 0 to {size - 1}. "
            "Set it to the tokenizer's, or save the model again after resizing its embeddings."
        )


def _check_epsilon(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise CheckpointError(
            f"config.json says {key} = {value!r}; what a normalization adds to the variance is between 0 and 1, "
            "usually 1e-12 to 1e-5. Correct it."
        )


def _check_size(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    for pattern, limit in _LIMITS:
        if pattern.search(key):
            if not value <= limit:  # also refuses NaN
                raise CheckpointError(f"config.json has {key} = {value}, more than the {limit:,} accepted.")
            return


def read_sizes(config: Mapping[str, Any]) -> Sizes:
    """Read the sizes under whatever names the architecture gives them; CheckpointError if one is missing or wrong."""
    found = {name: positive(config, keys) for name, keys in _NAMES.items()}
    if found["hidden_size"] % found["heads"] and "head_dim" not in config and "d_kv" not in config:
        raise CheckpointError(
            f"config.json has a hidden size of {found['hidden_size']}, which {found['heads']} heads cannot share."
        )
    return Sizes(**found, max_positions=_max_positions(config))


def read_kept(config: Mapping[str, Any], sizes: Sizes) -> CompactShape | None:
    """What a compacted model has kept of each layer; None for a dense one."""
    if not str(config.get("model_type")).startswith(COMPACT):
        return None
    named = any(config.get(key) is not None for key in NEURONS)
    n_neurons = positive(config, NEURONS) if named else 4 * sizes.hidden_size
    try:
        return CompactShape.read(config.get("compact"), n_layers=sizes.layers, n_heads=sizes.heads, n_neurons=n_neurons)
    except ValueError as error:
        raise CheckpointError(f"config.json does not say what was kept: {error} Save the checkpoint again.") from error


def positive(config: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    """The positive whole number under the first of these keys that the config has; CheckpointError without one."""
    present = [key for key in keys if config.get(key) is not None]
    if not present:
        raise CheckpointError(f"config.json has no {keys[0]}. Use a text model saved by transformers.")
    value = config[present[0]]
    if type(value) is not int or value < 1:
        raise CheckpointError(f"config.json has {present[0]} = {value!r}, where a positive whole number was expected.")
    return value


def _max_positions(config: Mapping[str, Any]) -> int | None:
    for key in _POSITIONS:
        value = config.get(key)
        if type(value) is int and value > 0:
            skipped = 0
            if str(config.get("model_type")).removeprefix(COMPACT) in _OFFSET_POSITIONS:
                padding = config.get("pad_token_id")
                skipped = (padding if type(padding) is int else 1) + 1
            return max(value - skipped, 1)
    return None
