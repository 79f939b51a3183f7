"""Gini and entropy of what each query gives, a number a text and head: what statistics of many rows are made of.

The definitions are those of `compecon.stats.inequality` and of the row view of
`compecon.views.attention.head_statistics` over all tokens. Here they are computed for whole batches from one sort, so
that statistics cost a small part of the forward pass they are of.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from compecon.attention.recorded import LayerAttention


def row_inequality(attention: LayerAttention, real: Tensor, most_keys: int | None = None) -> Tensor:
    """Mean Gini and entropy over the queries of each text, for each head.

    Args:
        attention: One layer of a batch; not attached to a graph.
        real: Tokens that are not padding, bool, shape (row, token).
        most_keys: The key budget that the attention was computed under; None for none. It is not looked up, only used
            to leave out places that can hold nothing.

    Returns:
        Shape (2, row, head), float64: Gini in [0, 1), and entropy in nats. A query that reads nothing does not enter
        the mean; a text of such queries alone gives NaN.
    """
    places = _ascending(attention.weights)  # what is not visible holds 0 and comes first
    if most_keys is not None:
        places = places[..., -min(most_keys, places.shape[-1]) :].contiguous()
    n_units = attention.visible.sum(dim=-1)
    ranks = torch.arange(places.shape[-1] - 1, -1, -1, device=places.device, dtype=places.dtype)
    total = places.sum(dim=-1)
    held = total.clamp_min(torch.finfo(total.dtype).tiny)
    gini = (1.0 - (places * (2.0 * ranks + 1.0)).sum(dim=-1) / (n_units.clamp_min(1) * held)).clamp_min(0.0)
    nats = _minus_log_sum(places) / held + held.log()
    counted = real[:, None, :] & (total > 0)
    n_queries = counted.sum(dim=-1).double()
    means = [statistic.where(counted, 0.0).sum(dim=-1, dtype=torch.float64) / n_queries for statistic in (gini, nats)]
    return torch.stack(means)


def _ascending(weights: Tensor) -> Tensor:
    if weights.device.type != "cpu":
        return weights.sort(dim=-1).values
    return torch.from_numpy(np.sort(weights.numpy(), axis=-1))  # vectorised, many times as quick as torch's sort


def _minus_log_sum(places: Tensor) -> Tensor:
    """- sum p log p, with 0 log 0 = 0."""
    logs = places.clamp_min(torch.finfo(places.dtype).tiny).log_()
    return 0.0 - logs.mul_(places).sum(dim=-1)
