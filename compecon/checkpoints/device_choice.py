"""Which device to compute on."""

from __future__ import annotations

import torch

from compecon.errors import CheckpointError


def pick_device(name: str) -> torch.device:
    """Turn a choice into a device that is there.

    Args:
        name: ``"auto"`` (CUDA, then Apple's MPS, then CPU), or a device such as ``"cpu"`` or ``"cuda:1"``.

    Raises:
        CheckpointError: If this machine has no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if _has_mps() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise CheckpointError(f"{name!r} is no device; use auto, cpu, cuda or mps.") from error
    there = {"cpu": True, "cuda": (device.index or 0) < torch.cuda.device_count(), "mps": _has_mps()}
    if not there.get(device.type, False):
        raise CheckpointError(f"This machine has no device {name!r}. Use auto, which takes the best there is.")
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()
