"""The only top-k: mark the largest entries of each row, exactly, ties to the earlier entry."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_CHUNK = 1 << 18  # entries sorted at a time: 1 MB of float32 stays in a core's cache


class _Cut(NamedTuple):
    """What decides a row; tensors of shape (..., 1)."""

    last: Tensor  # the smallest value that is kept
    tied: Tensor | None  # True where a value that is left out equals it; None: nowhere


def keep_largest(merit: Tensor, limit: Tensor | int) -> Tensor:
    """Mark the ``limit`` largest entries of each row.

    An entry of -inf is never marked. Of equal entries the earlier are marked first, so that the marked set grows with
    the limit: a smaller limit marks a subset.

    Args:
        merit: Shape (..., key), any floating dtype.
        limit: At least 1; integers that broadcast with (..., 1).

    Returns:
        Booleans of the broadcast shape: exactly min(limit, entries above -inf) are True in each row.

    Raises:
        ValueError: If an entry is NaN.
    """
    merit = merit.detach()
    if isinstance(limit, Tensor):
        rows = np.broadcast_shapes(merit.shape[:-1], limit.shape[:-1])
        merit, limit = merit.expand(*rows, merit.shape[-1]), limit.expand(*rows, 1)
    cut = _cut_by_sort(merit, limit) if merit.device.type == "cpu" else _cut_by_topk(merit, limit)
    kept = merit >= cut.last
    if cut.tied is not None:
        tied = cut.tied.squeeze(-1)
        room = limit[tied] if isinstance(limit, Tensor) else limit
        kept[tied] = _earlier_of_equals(merit[tied], cut.last[tied], room)
    return kept


def sort_descending(values: Tensor) -> Tensor:
    """Each row of ``values``, shape (..., key), from high to low; quick on a CPU."""
    if values.device.type != "cpu":
        return values.sort(dim=-1, descending=True).values
    rising = torch.from_numpy(np.sort(_as_numpy(values), axis=-1))
    return rising.flip(-1).to(values.dtype)


def _earlier_of_equals(merit: Tensor, last: Tensor, limit: Tensor | int) -> Tensor:
    above, level = merit > last, merit == last
    return above | (level & (level.cumsum(-1) <= limit - above.sum(-1, keepdim=True)))


def _cut_by_topk(merit: Tensor, limit: Tensor | int) -> _Cut:
    n_keys = merit.shape[-1]
    most = min(int(limit.max()) if isinstance(limit, Tensor) else limit, n_keys)
    values = merit.topk(min(most + 1, n_keys)).values
    if most == n_keys:  # nothing follows the last key
        values = torch.nn.functional.pad(values, (0, 1), value=-torch.inf)
    kept = limit.clamp(max=most) if isinstance(limit, Tensor) else values.new_full((1,), most, dtype=torch.long)
    kept = kept.expand(*values.shape[:-1], 1)
    last, first_out = values.gather(-1, kept - 1), values.gather(-1, kept)
    if bool(values[..., 0].isnan().any()):  # NaN ranks above every number
        raise ValueError(NOT_A_NUMBER)
    tied = (last == first_out) & (last > -torch.inf)
    return _Cut(last.clamp(min=_lowest(merit.dtype)), tied if bool(tied.any()) else None)


def _cut_by_sort(merit: Tensor, limit: Tensor | int) -> _Cut:
    # Sorting whole rows with numpy (vectorised: AVX2, AVX-512, NEON) beats torch.topk, kthvalue and sort on a CPU by
    # 3 to 25 times at every limit, and gives every row its own limit for free. The few numbers that come out stay in
    # numpy as long as they can: on short texts a tensor operation is all overhead.
    n_keys = merit.shape[-1]
    flat = merit.reshape(-1, n_keys)
    kept = np.minimum(limit.reshape(-1, 1).numpy() if isinstance(limit, Tensor) else limit, n_keys)
    step = max(1, _CHUNK // n_keys)
    parts = [
        _pick(np.sort(_as_numpy(flat[start : start + step]), axis=-1), kept if kept.ndim == 0 else kept[start:][:step])
        for start in range(0, len(flat), step)
    ]
    last, first_out = (np.concatenate(part) for part in zip(*parts, strict=True)) if len(parts) > 1 else parts[0]
    tied = last == first_out
    if tied.any():
        tied &= last > -np.inf
    shape = (*merit.shape[:-1], 1)
    threshold = torch.from_numpy(np.maximum(last, _lowest(merit.dtype))).to(merit.dtype).view(shape)
    return _Cut(threshold, torch.from_numpy(tied).view(shape) if tied.any() else None)


def _pick(rising: np.ndarray, kept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of sorted rows: the last value that is kept and the first that is left out (-inf if none is)."""
    if math.isnan(rising[:, -1].max()):  # NaN sorts above every number
        raise ValueError(NOT_A_NUMBER)
    at = rising.shape[-1] - kept
    if kept.ndim == 0:
        return rising[:, at].copy(), rising[:, at - 1].copy() if at else np.full_like(rising[:, 0], -np.inf)
    first_out = np.take_along_axis(rising, np.maximum(at - 1, 0), -1)
    return np.take_along_axis(rising, at, -1)[:, 0], np.where(at > 0, first_out, -np.inf)[:, 0]


def _as_numpy(values: Tensor) -> np.ndarray:
    half = values.dtype in {torch.float16, torch.bfloat16}  # numpy has no bfloat16 and is slow at float16
    return (values.float() if half else values).numpy()


def _lowest(dtype: torch.dtype) -> float:
    """The lowest finite number: a threshold there leaves out -inf and nothing else."""
    return torch.finfo(dtype).min


NOT_A_NUMBER = (
    "attention scores are not numbers (NaN), so no key can be preferred; "
    "look for NaN or infinity in the model's weights and inputs."
)
