"""What a checkpoint's files say of its size: weights, heads and neurons that remain, its digest. Read without torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import final

from compecon.checkpoints.checkpoint_fingerprint import digest_of_folder
from compecon.checkpoints.gate.config_check import read_kept, read_sizes
from compecon.checkpoints.gate.intake import survey
from compecon.compression.shape import NEURONS
from compecon.errors import CompeconError
from compecon.paths import file_stamp


@final
@dataclass(frozen=True)
class ModelSize:
    """Sizes of a checkpoint.

    Attributes:
        parameters: Stored weights.
        heads: Heads left, a layer.
        neurons: FFN neurons left, a layer; () if unknown.
        is_causal: Whether a query sees only what is before it.
    """

    parameters: int
    heads: tuple[int, ...]
    neurons: tuple[int, ...]
    is_causal: bool


def size_of(folder: Path, trusted_root: Path | None = None) -> ModelSize | None:
    """Sizes of a checkpoint, read again only after its config has changed; None if it is damaged."""
    return _size(folder, trusted_root, file_stamp(folder / "config.json"))


def digest_of(folder: Path, trusted_root: Path | None = None) -> str:
    """Digest of everything that is loaded from a checkpoint; "" if it is damaged or gone."""
    try:
        return digest_of_folder(folder, trusted_root)
    except (CompeconError, OSError):
        return ""


def attention_reads(heads: tuple[int, ...], n_tokens: int, keys: int | None = None, *, is_causal: bool = False) -> int:
    """Keys that all queries of one text read, summed over all heads.

    Args:
        heads: Heads left, a layer.
        n_tokens: Length of the text.
        keys: Keys a query may read; None for all it sees.
        is_causal: Whether a query sees only itself and what is before it.
    """
    most = n_tokens if keys is None else min(keys, n_tokens)
    pairs = most * n_tokens - (most * (most - 1) // 2 if is_causal else 0)
    return sum(heads) * pairs


@lru_cache(maxsize=4096)
def _size(folder: Path, trusted_root: Path | None, _changed: tuple[int, int]) -> ModelSize | None:
    try:
        found = survey(folder, trusted_root=trusted_root)
        sizes = read_sizes(found.config)
        kept = read_kept(found.config, sizes)
    except CompeconError:
        return None
    is_causal = found.preflight.kind == "causal-lm"
    if kept is not None:
        return ModelSize(found.preflight.parameters, tuple(map(len, kept.heads)), kept.neurons, is_causal)
    given = next((found.config[key] for key in NEURONS if type(found.config.get(key)) is int), None)
    neurons = () if given is None else (given,) * sizes.layers
    return ModelSize(found.preflight.parameters, (sizes.heads,) * sizes.layers, neurons, is_causal)
