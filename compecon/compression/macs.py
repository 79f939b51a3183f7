"""What each head and neuron costs, in multiply-adds of one forward pass over one text."""

from __future__ import annotations

import torch
from torch import nn

from compecon.compression.families import layers_of, n_inputs
from compecon.compression.units import Units


def unit_macs(model: nn.Module, n_tokens: int) -> Units:
    """MACs of each unit at a length: what removing it saves, counted as `compecon.flops.macs` counts (2 FLOPs each).

    A head costs its four projections and its n² scores and reads; a neuron its row of one FFN matrix and its column of
    the other. Norms, biases and activations are no matrix products. Everything else (embeddings, the output head) is
    not shared among units, so the sum over all units is what a target of "0.45 of the MACs" is a share of.

    Args:
        model: As for `layers_of`.
        n_tokens: Length of the text.

    Returns:
        float64; exact up to 2**53.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If there is no token.
    """
    if n_tokens < 1:
        raise ValueError(f"n_tokens must be at least 1, got {n_tokens}.")
    heads, neurons = [], []
    for layer in layers_of(model):
        width = n_inputs(layer.neurons_in)
        head = 4 * n_tokens * width * layer.d_head + 2 * n_tokens**2 * layer.d_head
        heads.append(torch.full((layer.n_heads,), head, dtype=torch.float64))
        neurons.append(torch.full((layer.n_neurons,), 2 * n_tokens * width, dtype=torch.float64))
    return Units(tuple(heads), tuple(neurons))


def share_of_macs(keep: Units, macs: Units) -> float:
    """Share of the MACs of all units that the kept ones cost, in [0, 1].

    Args:
        keep: True, or anything but 0, for a unit that stays.
        macs: MACs of each unit, from `unit_macs` of the model before anything was removed.
    """
    kept = keep.map(lambda stays, cost: (stays != 0).to(cost) * cost, macs)
    return float(kept.total() / macs.total())
