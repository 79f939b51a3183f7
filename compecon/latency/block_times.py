"""Measuring what a layer's attention and FFN take on this device, by how many heads and neurons they have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import final

import torch
from scipy.optimize import isotonic_regression
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from compecon.latency.clock import in_turns, on_threads
from compecon.latency.table import LatencyCurve, LatencyTable

_NEURON_STEPS = 8
_WARMUP = 5


@final
@dataclass(frozen=True, slots=True)
class BlockShape:
    """Sizes of a dense layer, each at least 1.

    Attributes:
        width: Features of the residual stream.
        d_head: Features of a head.
        heads: Heads.
        neurons: FFN neurons.

    Raises:
        ValueError: If a size is below 1.

    Example:
        >>> BlockShape(width=384, d_head=32, heads=12, neurons=1536).neurons
        1536
    """

    width: int
    d_head: int
    heads: int
    neurons: int

    def __post_init__(self) -> None:
        _check_positive(width=self.width, d_head=self.d_head, heads=self.heads, neurons=self.neurons)


@final
@dataclass(frozen=True, slots=True)
class Workload:
    """What is measured: how many texts of which length, and where.

    Attributes:
        n_tokens: Length of each text in tokens, at least 1.
        batch: Texts at once, at least 1.
        threads: Threads for torch, at least 1; None for as many as it has.
        device: Where, as torch writes it: "cpu", "cuda:0", "mps".

    Raises:
        ValueError: If a number is below 1.

    Example:
        >>> Workload(n_tokens=128, batch=8, threads=1)
        Workload(n_tokens=128, batch=8, threads=1, device='cpu')
    """

    n_tokens: int
    batch: int = 1
    threads: int | None = None
    device: str = "cpu"

    def __post_init__(self) -> None:
        threads = 1 if self.threads is None else self.threads
        _check_positive(n_tokens=self.n_tokens, batch=self.batch, threads=threads)


def measure_blocks(
    shape: BlockShape,
    workload: Workload,
    *,
    heads: Sequence[int] = (),
    neurons: Sequence[int] = (),
    repeats: int = 30,
    limit_s: float = 60.0,
) -> LatencyTable:
    """Time a layer's attention and FFN at several sizes.

    Every size takes its turn in each round. So a busy moment hits all of them, and weights come from memory as they do
    in a model of many layers, not from the cache that a block run over and over would live in. No unit at all is no
    work and takes 0 s by definition: a compacted layer skips it. What is left of the noise is smoothed by the closest
    non-decreasing curve (isotonic regression).

    Args:
        shape: Sizes of the dense layer.
        workload: Length, batch, threads and device.
        heads: Numbers of heads to measure, from 1 to the dense layer's; all of them unless given.
        neurons: Numbers of neurons, from 1 to the dense layer's; eight evenly spaced ones unless given.
        repeats: Rounds to measure, at least 1; a time is the median of its rounds.
        limit_s: Seconds, above 0, after which it stops with the rounds it has, at least two.

    Returns:
        Seconds of attention by its heads and of the FFN by its neurons, at this workload on this device.

    Raises:
        ValueError: If a number of units is not between 1 and the dense layer's, or one of the others out of range.

    Example:
        >>> shape, work = BlockShape(width=32, d_head=8, heads=4, neurons=64), Workload(n_tokens=16, threads=1)
        >>> table = measure_blocks(shape, work, heads=[2, 4], neurons=[64], repeats=2)
        >>> table.heads.counts, table.neurons.counts, table.heads.seconds[0]
        ((0, 2, 4), (0, 64), 0.0)
    """
    head_counts = _counts(heads or range(1, shape.heads + 1), shape.heads, "heads")
    even = [round(shape.neurons * (i + 1) / _NEURON_STEPS) for i in range(_NEURON_STEPS)]
    neuron_counts = _counts(neurons or [n for n in even if n], shape.neurons, "neurons")
    with on_threads(workload.threads) as used, torch.inference_mode():
        x = _input(shape, workload)
        calls = _calls(shape, head_counts, neuron_counts, x)
        times = [median(samples) for samples in in_turns(calls, repeats=repeats, warmup=_WARMUP, limit_s=limit_s)]
    return LatencyTable(
        heads=_smoothed(head_counts, times[: len(head_counts)]),
        neurons=_smoothed(neuron_counts, times[len(head_counts) :]),
        width=shape.width,
        d_head=shape.d_head,
        batch=workload.batch,
        n_tokens=workload.n_tokens,
        threads=used,
        device=workload.device,
    )


def _check_positive(**sizes: int) -> None:
    if wrong := {name: size for name, size in sizes.items() if size < 1}:
        raise ValueError(f"sizes must be at least 1, got {wrong}.")


def _counts(asked: Sequence[int], most: int, what: str) -> list[int]:
    counts = sorted(set(asked))
    if not counts or counts[0] < 1 or counts[-1] > most:
        raise ValueError(f"{what} must be numbers from 1 to the dense layer's {most}, got {list(asked)}.")
    return counts


def _input(shape: BlockShape, workload: Workload) -> Tensor:
    size = (workload.batch, workload.n_tokens, shape.width)
    return torch.linspace(-1.0, 1.0, math.prod(size), device=workload.device).view(size)  # zeros cost a GPU less


def _calls(shape: BlockShape, heads: Sequence[int], neurons: Sequence[int], x: Tensor) -> list[Callable[[], object]]:
    with torch.random.fork_rng(devices=[]):  # initial weights are drawn from the global generator
        blocks: list[nn.Module] = [_Attention(shape.width, shape.d_head, count) for count in heads]
        blocks += [_FeedForward(shape.width, count) for count in neurons]
    return [partial(block.to(x.device).eval(), x) for block in blocks]


def _smoothed(counts: Sequence[int], seconds: Sequence[float]) -> LatencyCurve:
    smooth = isotonic_regression(seconds).x.tolist()
    return LatencyCurve((0, *counts), (0.0, *smooth))


class _Attention(nn.Module):
    def __init__(self, width: int, d_head: int, n_heads: int) -> None:
        super().__init__()
        self.d_head = d_head
        self.query, self.key, self.value = (nn.Linear(width, n_heads * d_head) for _ in range(3))
        self.out = nn.Linear(n_heads * d_head, width)

    def forward(self, x: Tensor) -> Tensor:
        parts = (project(x) for project in (self.query, self.key, self.value))
        q, k, v = (part.unflatten(-1, (-1, self.d_head)).transpose(1, 2) for part in parts)
        mixed = scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)
        return self.out(mixed)  # type: ignore[no-any-return]


class _FeedForward(nn.Module):
    def __init__(self, width: int, n_neurons: int) -> None:
        super().__init__()
        self.into, self.out = nn.Linear(width, n_neurons), nn.Linear(n_neurons, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(gelu(self.into(x)))  # type: ignore[no-any-return]
