"""The only top-k: mark the largest entries of each row, exactly, ties to the earlier entry."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_CHUNK = 1 << 18  # entries sorted at a time: 1 MB of float32 stays in a core's cache


class _Cut(NamedTuple):
    """What decides a row, each of shape (..., 1)."""

    last: Tensor  # the smallest value that is kept
    first_out: Tensor  # the largest value that is not; -inf when nothing is left out
    largest: Tensor  # NaN if the row holds one: NaN sorts above every number


def keep_largest(merit: Tensor, limit: Tensor) -> Tensor:
    """Mark the ``limit`` largest entries of each row.

    An entry of -inf is never marked. Of equal entries the earlier are marked first, so that the marked set grows with
    the limit: a smaller limit marks a subset.

    Args:
        merit: Shape (..., key), any floating dtype.
        limit: Integers >= 0 that broadcast to (..., 1).

    Returns:
        Booleans, shape (..., key): exactly min(limit, entries above -inf) are True in each row.

    Raises:
        ValueError: If an entry is NaN.
    """
    merit = merit.detach()
    rows = np.broadcast_shapes(merit.shape[:-1], limit.shape[:-1])
    merit, limit = merit.expand(*rows, merit.shape[-1]), limit.expand(*rows, 1)
    cut = _cut_by_sort(merit, limit) if merit.device.type == "cpu" else _cut_by_topk(merit, limit)
    if bool(cut.largest.isnan().any()):
        raise ValueError("a NaN cannot be ranked.")
    kept = merit >= cut.last.clamp(min=torch.finfo(merit.dtype).min)  # the clamp is what leaves -inf out
    tied = ((cut.last == cut.first_out) & (cut.last > -torch.inf)).squeeze(-1)
    if bool(tied.any()):
        kept[tied] = _earlier_of_equals(merit[tied], cut.last[tied], limit[tied])
    if bool((limit < 1).any()):
        kept &= limit > 0
    return kept


def _earlier_of_equals(merit: Tensor, last: Tensor, limit: Tensor) -> Tensor:
    above, level = merit > last, merit == last
    return above | (level & (level.cumsum(-1) <= limit - above.sum(-1, keepdim=True)))


def _cut_by_topk(merit: Tensor, limit: Tensor) -> _Cut:
    n_keys = merit.shape[-1]
    most = max(1, min(int(limit.max()), n_keys))
    values = merit.topk(min(most + 1, n_keys)).values
    if most == n_keys:  # nothing follows the last key
        values = torch.nn.functional.pad(values, (0, 1), value=-torch.inf)
    kept = limit.clamp(1, most)
    return _Cut(values.gather(-1, kept - 1), values.gather(-1, kept), values[..., :1])


def _cut_by_sort(merit: Tensor, limit: Tensor) -> _Cut:
    # Sorting whole rows with numpy (vectorised: AVX2, AVX-512, NEON) beats torch.topk, kthvalue and sort on a CPU by
    # 3 to 25 times at every k, and gives every row its own limit for free.
    n_rows, n_keys = limit.numel(), merit.shape[-1]
    exact = torch.float64 if merit.dtype == torch.float64 else torch.float32  # numpy has no bfloat16
    flat = merit.reshape(n_rows, n_keys)
    kept = limit.reshape(n_rows, 1).clamp(1, n_keys).numpy()
    picked = np.empty((3, n_rows, 1), dtype=np.float64 if exact == torch.float64 else np.float32)
    step = max(1, _CHUNK // n_keys)
    for start in range(0, n_rows, step):
        part = slice(start, start + step)
        values = np.sort(flat[part].to(exact).numpy(), axis=-1)
        last = n_keys - kept[part]
        picked[0, part] = np.take_along_axis(values, last, -1)
        picked[1, part] = np.where(last > 0, np.take_along_axis(values, np.maximum(last - 1, 0), -1), -np.inf)
        picked[2, part] = values[:, -1:]
    last_kept, first_out, largest = torch.from_numpy(picked).to(merit.dtype).view(3, *limit.shape).unbind()
    return _Cut(last_kept, first_out, largest)
