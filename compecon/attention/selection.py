"""The only top-k: mark the largest entries of each row, exactly, ties to the earlier entry."""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Floats: TypeAlias = NDArray[np.floating[Any]]
Counts: TypeAlias = NDArray[np.integer[Any]]
Flags: TypeAlias = NDArray[np.bool_]

NOT_A_NUMBER = (
    "attention scores are not numbers (NaN), so no key can be preferred; "
    "look for NaN or infinity in the model's weights and inputs."
)

CHUNK = 1 << 18  # entries worked on at a time: 1 MB of float32 stays in a core's cache


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
    return _by_sort(merit, limit) if merit.device.type == "cpu" else _by_topk(merit, limit)


def hide_smaller(scores: Tensor, limit: Tensor | int) -> Tensor:
    """Leave ``limit`` scores in each row: those that :func:`keep_largest` marks.

    Args:
        scores: Shape (..., key), any floating dtype, -inf where there is no key. **May be overwritten**.
        limit: At least 1; integers that broadcast with (..., 1).

    Returns:
        The scores; where they are not kept -inf, or so low that a softmax gives exactly 0.

    Raises:
        ValueError: If a score is NaN.
    """
    if not _in_place(scores):
        return torch.where(keep_largest(scores, limit), scores, -torch.inf)
    n_keys = scores.shape[-1]
    flat = scores.view(-1, n_keys)
    room = _room(limit, scores)
    step = max(1, CHUNK // n_keys)
    for start in range(0, len(flat), step):
        rows = slice(start, start + step)
        _lower(flat[rows], room if isinstance(room, int) else room[rows])
    return scores


def hide_others(scores: Tensor, kept: Tensor) -> Tensor:
    """Leave the scores that are marked by ``kept``, booleans broadcastable to them, and -inf elsewhere.

    The scores, of any floating dtype, **may be overwritten**.
    """
    if not _in_place(scores):
        return torch.where(kept, scores, -torch.inf)
    dropped, lowest = (~kept).to(scores.dtype), torch.finfo(scores.dtype).max
    return scores.sub_(dropped, alpha=lowest).sub_(dropped, alpha=lowest)  # see `_lower`; twice, to reach -inf


def _in_place(scores: Tensor) -> bool:
    return scores.device.type == "cpu" and scores.dtype in {torch.float32, torch.float64} and not scores.requires_grad


def sort_descending(values: Tensor) -> Tensor:
    """Each row of ``values``, shape (..., key), from high to low; quick on a CPU."""
    if values.device.type != "cpu":
        return values.sort(dim=-1, descending=True).values
    rising = torch.from_numpy(np.sort(_as_numpy(values), axis=-1))
    return rising.flip(-1).to(values.dtype)


def _earlier_of_equals(merit: Tensor, last: Tensor, limit: Tensor) -> Tensor:
    above, level = merit > last, merit == last
    return above | (level & (level.cumsum(-1) <= limit - above.sum(-1, keepdim=True)))


def _by_topk(merit: Tensor, limit: Tensor | int) -> Tensor:
    n_keys = merit.shape[-1]
    most = min(int(limit.max()) if isinstance(limit, Tensor) else limit, n_keys)
    values = merit.topk(min(most + 1, n_keys)).values
    if bool(values[..., 0].isnan().any()):  # NaN ranks above every number
        raise ValueError(NOT_A_NUMBER)
    if most == n_keys:  # nothing follows the last key
        values = torch.nn.functional.pad(values, (0, 1), value=-torch.inf)
    room = torch.as_tensor(limit, device=merit.device).clamp(max=most).expand(*values.shape[:-1], 1)
    last, first_out = values.gather(-1, room - 1), values.gather(-1, room)
    kept = merit >= last.clamp(min=torch.finfo(merit.dtype).min)  # the clamp is what leaves -inf out
    tied = ((last == first_out) & (last > -torch.inf)).squeeze(-1)
    if bool(tied.any()):
        kept[tied] = _earlier_of_equals(merit[tied], last[tied], room[tied])
    return kept


def _by_sort(merit: Tensor, limit: Tensor | int) -> Tensor:
    # Sorting whole rows with numpy (vectorised: AVX2, AVX-512, NEON) beats torch.topk, kthvalue and sort on a CPU by
    # 3 to 25 times at every limit, and gives every row its own limit for free. All of it is done while the rows are in
    # the cache, and in numpy: on short texts a tensor operation is mostly overhead.
    n_keys = merit.shape[-1]
    flat = _as_numpy(merit.reshape(-1, n_keys))
    room = _room(limit, merit)
    kept = np.empty(flat.shape, dtype=np.bool_)
    step = max(1, CHUNK // n_keys)
    for start in range(0, len(flat), step):
        rows = slice(start, start + step)
        _mark(flat[rows], room if isinstance(room, int) else room[rows], kept[rows])
    return torch.from_numpy(kept).view(merit.shape)


def _room(limit: Tensor | int, merit: Tensor) -> Counts | int:
    """The limit of each row of ``merit``, at most its length; one number if it is the same for all."""
    n_keys = merit.shape[-1]
    if not isinstance(limit, Tensor):
        return min(limit, n_keys)
    room: Counts = limit.expand(*merit.shape[:-1], 1).reshape(-1).clamp(max=n_keys).numpy()
    return room


class _Thresholds(NamedTuple):
    """Where rows of merit are cut."""

    rising: Floats  # the rows, sorted
    last: Floats  # the lowest merit that is kept, by row; -inf if fewer keys are there
    tied: Flags  # rows in which equals of that one do not all find room


def _thresholds(merit: Floats, room: Counts | int) -> _Thresholds:
    rising = np.sort(merit, axis=-1)
    if math.isnan(rising[:, -1].max()):  # NaN sorts above every number
        raise ValueError(NOT_A_NUMBER)
    rows = slice(None) if isinstance(room, int) else np.arange(len(room))
    at = merit.shape[-1] - room
    last = rising[rows, at].copy()  # what is sorted may be overwritten
    return _Thresholds(rising, last, (last == rising[rows, at - 1]) & (at > 0) & (last > -np.inf))


def _mark(merit: Floats, room: Counts | int, kept: Flags) -> None:
    _, last, tied = _thresholds(merit, room)
    np.greater_equal(merit, np.maximum(last, np.finfo(merit.dtype).min)[:, None], out=kept)  # not -inf, ever
    if tied.any():
        kept[tied] = _first_of_equals(merit, last, room, tied).numpy()


def _lower(scores: Tensor, room: Counts | int) -> None:
    merit = scores.numpy()
    rising, last, tied = _thresholds(merit, room)
    # Arithmetic, since a masked fill branches at every entry, and a processor that guesses half of them wrong takes 10
    # times as long. The sorted rows are in the cache and not needed any more.
    dropped = torch.lt(scores, torch.from_numpy(last)[:, None], out=torch.from_numpy(rising))
    if tied.any():
        dropped[torch.from_numpy(tied)] = 1 - _first_of_equals(merit, last, room, tied).to(scores.dtype)
    scores.sub_(dropped, alpha=torch.finfo(scores.dtype).max)


def _first_of_equals(merit: Floats, last: Floats, room: Counts | int, tied: Flags) -> Tensor:
    most = torch.from_numpy(np.broadcast_to(room, len(merit))[tied, None])
    return _earlier_of_equals(torch.from_numpy(merit[tied]), torch.from_numpy(last[tied, None]), most)


def _as_numpy(values: Tensor) -> Floats:
    half = values.dtype in {torch.float16, torch.bfloat16}  # numpy has no bfloat16 and is slow at float16
    return (values.float() if half else values).numpy()
