"""How much faster a smaller model is, with the uncertainty of that number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import final

import numpy as np
import torch

from compecon.latency.clock import Call, device_of, in_turns, on_threads

_RESAMPLES = 2000
_LEVEL = 0.95


@final
@dataclass(frozen=True, slots=True)
class LatencyRatio:
    """Time of one forward pass of two models, measured in turns.

    Attributes:
        dense_seconds: Median.
        compact_seconds: Median.
        ratio: Compact by dense, of the medians; below 1 the compact model is quicker.
        low: Lower end of the ratio's 95% bootstrap interval over rounds.
        high: Its upper end. An interval that holds 1 does not tell the two apart.
        repeats: Rounds measured, which may be fewer than requested if time ran out.
        threads: Threads that torch ran on.
        device: Where, such as "cpu" or "cuda:0".
    """

    dense_seconds: float
    compact_seconds: float
    ratio: float
    low: float
    high: float
    repeats: int
    threads: int
    device: str


def compare_latency(
    dense: Call,
    compact: Call,
    *,
    repeats: int = 100,
    warmup: int = 20,
    threads: int | None = None,
    limit_s: float = 60.0,
) -> LatencyRatio:
    """Time two models against each other, A B B A, in inference mode.

    Both should run the same batch on the same attention backend, in evaluation mode. Other programs slow both sides of
    a round alike, so the ratio holds on a busy machine where the seconds do not; its interval is taken over rounds.

    Args:
        dense: One forward pass; its result tells the device.
        compact: The same with the smaller model.
        repeats: Rounds to measure, at least 1.
        warmup: Rounds before that, not measured, at least 0: the first passes allocate, and choose kernels.
        threads: Threads for torch meanwhile, at least 1; None for as many as it has.
        limit_s: Seconds, above 0, after which it stops with the rounds it has, at least two.

    Returns:
        Both medians in seconds and their ratio with its interval.

    Raises:
        ValueError: If the two ran on different devices, or a number is out of range.

    Example:
        >>> from time import sleep
        >>> found = compare_latency(lambda: sleep(0.003), lambda: sleep(0.001), repeats=4, warmup=1)
        >>> found.ratio < 1, found.repeats, found.device
        (True, 4, 'cpu')
    """
    if threads is not None and threads < 1:
        raise ValueError(f"threads must be at least 1, got {threads}.")
    with on_threads(threads) as used, torch.inference_mode():
        device = _common_device(dense, compact)
        times = in_turns([dense, compact], repeats=repeats, warmup=warmup, limit_s=limit_s)
    dense_s, compact_s = map(median, times)
    low, high = _interval(*times)
    return LatencyRatio(dense_s, compact_s, compact_s / dense_s, low, high, len(times[0]), used, device)


def _common_device(dense: Call, compact: Call) -> str:
    places = [str(device_of(call()) or "cpu") for call in (dense, compact)]
    if len(set(places)) > 1:
        raise ValueError(f"dense ran on {places[0]} and compact on {places[1]}. Move both to one device.")
    return places[0]


def _interval(dense: Sequence[float], compact: Sequence[float]) -> tuple[float, float]:
    """Percentile bootstrap of the ratio of medians; the two times of a round stay together."""
    pairs = np.asarray([dense, compact])
    picks = np.random.default_rng(0).integers(len(dense), size=(_RESAMPLES, len(dense)))
    medians = np.median(pairs[:, picks], axis=-1)
    low, high = np.quantile(medians[1] / medians[0], [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2]).tolist()
    return low, high
