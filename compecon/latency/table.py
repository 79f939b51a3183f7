"""Seconds by number of units: what a latency-priced training charges for a head or a neuron."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import final

import torch
from torch import Tensor


@final
@dataclass(frozen=True, slots=True)
class LatencyCurve:
    """Time of one part of a layer by the number of units it has.

    Attributes:
        counts: Ascending numbers of units, at least two, each at least 0.
        seconds: Time at each, finite and non-decreasing: a further unit never makes it faster.

    Raises:
        ValueError: If counts or seconds are not as described.

    Example:
        >>> curve = LatencyCurve(counts=(0, 4, 8), seconds=(0.0, 0.002, 0.003))
        >>> curve.at(torch.tensor([2.0, 6.0]))
        tensor([0.0010, 0.0025])
    """

    counts: tuple[int, ...]
    seconds: tuple[float, ...]

    def __post_init__(self) -> None:
        if len(self.counts) != len(self.seconds) or len(self.counts) < 2:
            raise ValueError(
                f"a latency curve needs a time for each count, two at least, got {len(self.counts)} counts and "
                f"{len(self.seconds)} times. Measure it with measure_blocks."
            )
        if any(not isinstance(count, int) or count < 0 for count in self.counts):
            raise ValueError(f"counts must be whole numbers of at least 0, got {self.counts}.")
        if any(after <= before for before, after in pairwise(self.counts)):
            raise ValueError(f"counts must ascend, each once, got {self.counts}. Sort them with their times.")
        if any(not math.isfinite(time) or time < 0 for time in self.seconds) or not self.seconds[-1] > 0:
            raise ValueError(f"times must be finite seconds, the last one above 0, got {self.seconds}. Measure again.")
        if any(after < before for before, after in pairwise(self.seconds)):
            raise ValueError(f"times must not fall as counts rise, got {self.seconds}. Smooth them first.")

    def at(self, count: Tensor) -> Tensor:
        """Seconds at fractional numbers of units: straight lines between what was measured.

        Args:
            count: Any shape; floating. Beyond the ends the last line goes on.

        Returns:
            Same shape, dtype and device, differentiable. At a measured count the slope is the one from below.
        """
        counts, seconds = (torch.tensor(v, dtype=count.dtype, device=count.device) for v in (self.counts, self.seconds))
        after = torch.searchsorted(counts, count.detach().contiguous()).clamp(1, len(self.counts) - 1)
        slope = (seconds[after] - seconds[after - 1]) / (counts[after] - counts[after - 1])
        return seconds[after - 1] + slope * (count - counts[after - 1])


@final
@dataclass(frozen=True, slots=True)
class LatencyTable:
    """Times of a layer's two parts, measured at one workload on one device. It holds nowhere else.

    Attributes:
        heads: Attention by number of heads: its four projections, scores and reads.
        neurons: The FFN by number of neurons: two matrices and the activation between them.
        width: Features of the residual stream.
        d_head: Features of a head.
        batch: Texts at once.
        n_tokens: Length of each.
        threads: Threads that torch ran on.
        device: Where, such as "cpu" or "cuda".

    Raises:
        ValueError: If a size is not a positive whole number.

    Example:
        >>> curve = LatencyCurve(counts=(0, 8), seconds=(0.0, 0.003))
        >>> LatencyTable(curve, curve, width=64, d_head=8, batch=1, n_tokens=128, threads=1, device="cpu").d_head
        8
    """

    heads: LatencyCurve
    neurons: LatencyCurve
    width: int
    d_head: int
    batch: int
    n_tokens: int
    threads: int
    device: str

    def __post_init__(self) -> None:
        sizes = {name: getattr(self, name) for name in ("width", "d_head", "batch", "n_tokens", "threads")}
        if wrong := {name: size for name, size in sizes.items() if not isinstance(size, int) or size < 1}:
            raise ValueError(f"a latency table needs positive whole numbers, got {wrong}.")
