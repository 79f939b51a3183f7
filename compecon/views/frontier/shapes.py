"""What a checkpoint's files say of its size: weights, heads and neurons that remain, its digest. Read without torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from compecon.checkpoints.checkpoint_fingerprint import digest_of_folder
from compecon.checkpoints.gate.config_check import read_kept, read_sizes
from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.locate import bundled_root
from compecon.compression.shape import NEURONS
from compecon.errors import CompeconError
from compecon.paths import file_stamp
from compecon.views.frontier.frontier_points import ModelSize

UNKNOWN = ModelSize()


def size_of(folder: Path) -> ModelSize:
    """Sizes of a checkpoint, read again only after its config has changed; `UNKNOWN` if it is damaged or gone."""
    return _size(folder, file_stamp(folder / "config.json"))


def digest_of(folder: Path) -> str:
    """Digest of everything that is loaded from a checkpoint; "" if it is damaged or gone."""
    try:
        return digest_of_folder(folder, trusted_root(folder))
    except (CompeconError, OSError):
        return ""


def trusted_root(folder: Path) -> Path | None:
    """The folder of the bundled checkpoints, which may share files, if this is one of them."""
    return bundled_root() if folder.parent == bundled_root() else None


@lru_cache(maxsize=4096)
def _size(folder: Path, _changed: tuple[int, int]) -> ModelSize:
    try:
        found = survey(folder, trusted_root=trusted_root(folder))
        sizes = read_sizes(found.config)
        kept = read_kept(found.config, sizes)
    except CompeconError:
        return UNKNOWN
    parameters, is_causal = found.preflight.parameters, found.preflight.kind == "causal-lm"
    if kept is not None:
        return ModelSize(parameters, tuple(map(len, kept.heads)), kept.neurons, is_causal)
    stated = next((found.config[key] for key in NEURONS if type(found.config.get(key)) is int), None)
    neurons = () if stated is None else (stated,) * sizes.layers
    return ModelSize(parameters, (sizes.heads,) * sizes.layers, neurons, is_causal)
