"""Which keys a mask of floats hides, judged by what it does to the model's own softmax.

Models write "hidden" as -inf, as the lowest number of a dtype, or as a number that is merely low: -1e9, -1e4, or -100,
which Swin sums with a bias of positions. A bias alone (ALiBi, T5's and Swin's positions) hides nothing, however little
weight it leaves a key.
"""

from __future__ import annotations

import torch
from torch import Tensor

_LEAST_HIDING = 64.0  # Swin hides with -100 and adds biases of positions; what hides stays this far below the rest
_MOST_OF_A_BIAS = 32.0


def visible_keys(mask: Tensor, scores: Tensor) -> Tensor:
    """Mark the keys that queries see through a mask that is added to their scores.

    In a row, a key is hidden if

    - its mask value is at most half of the lowest number of the mask's dtype, so -inf too; or
    - its mask value lies below a drop (sorted, the values of the row leave a gap of 64 or more between neighbours), and
      its weight vanishes: such keys together weigh no more than one rounding error (machine epsilon) of the model's
      softmax, which is computed in float32, or in float64 for models in float64.

    So a mask that lowers all keys of a row alike hides none, as in the model; neither does a bias that falls in small
    steps (ALiBi), nor a penalty that the scores make up for.

    Args:
        mask: Floats, broadcastable to the shape of ``scores``.
        scores: Attention logits without the mask, shape (batch, head, query, key).

    Returns:
        Booleans, True where visible; of the mask's shape if that decides, else of the shape of ``scores``.

    Raises:
        ValueError: If the mask does not hold floats, or if a drop of more than 32 and less than 64 makes weights
            vanish: too much for a bias of positions, too little for a mask.
    """
    if not mask.is_floating_point():
        raise ValueError(f"a mask holds booleans or floats that are added to scores, got {mask.dtype}; convert it.")
    mask = mask.detach()
    visible = ~(mask <= torch.finfo(mask.dtype).min / 2)  # NaN hides nothing: it has to come out
    size, floor = _first_drop(mask, visible)
    below = visible & (mask < floor)
    if not bool(below.any()):
        return visible
    vanished = below & _vanishes(scores.detach() + mask.masked_fill(~visible, 0), visible, below)
    undecided = vanished & (size < _LEAST_HIDING)
    if bool(undecided.any()):
        drop = float(size.expand_as(vanished)[undecided].max())
        raise ValueError(
            f"the mask lowers some scores by {drop:.0f}: too much for a bias of positions, too little to be sure that "
            "it hides keys; pass booleans, or -inf where a key is hidden."
        )
    return visible & ~vanished


def _first_drop(mask: Tensor, visible: Tensor) -> tuple[Tensor, Tensor]:
    """Size of each row's first drop in what it adds, and the lowest value above it (-inf if there is none)."""
    exact = torch.promote_types(mask.dtype, torch.float32)
    falling = mask.to(exact).masked_fill(~visible, -torch.inf).sort(-1, descending=True).values
    steps = falling[..., :-1] - falling[..., 1:]
    drops = (steps > _MOST_OF_A_BIAS) & (falling[..., 1:] > -torch.inf)
    if mask.shape[-1] == 1:  # no neighbour
        nothing = mask.new_zeros(*mask.shape[:-1], 1, dtype=exact)
        return nothing, nothing - torch.inf
    first = drops.to(torch.uint8).argmax(-1, keepdim=True)
    found = drops.any(-1, keepdim=True)
    size, floor = steps.gather(-1, first), falling.gather(-1, first)
    return size.masked_fill(~found, 0), floor.masked_fill(~found, -torch.inf)


def _vanishes(logits: Tensor, visible: Tensor, below: Tensor) -> Tensor:
    """Whether all keys below a drop that weigh as little as this one or less weigh nothing together."""
    exact = torch.promote_types(logits.dtype, torch.float32)
    weights = torch.where(visible, logits, -torch.inf).softmax(-1, dtype=exact)
    low = torch.where(below, weights, 0)
    rising, order = low.sort(-1)
    together = torch.empty_like(low).scatter_(-1, order, rising.cumsum(-1))
    return together <= torch.finfo(exact).eps
