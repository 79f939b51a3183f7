"""How long the model of a run takes, against the dense one; shapes alone decide that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from compecon.compression.compact_model import compact
from compecon.compression.units import Units, unit_macs
from compecon.flops import forward_macs
from compecon.latency import LatencyRatio, compare_latency
from compecon.studies.experiment_run import ExperimentRun

_TIMED = ((8, 64), (1, 32))  # batch × tokens
_SECONDS = 10.0  # for each


@dataclass(frozen=True)
class Measured:
    """Time of one run's model against the dense one."""

    run: str  # name of the record
    macs_ratio: float  # MACs of the whole forward pass against the dense model's, at the length that was timed
    batch: int  # texts at a time
    n_tokens: int  # length of each
    latency: LatencyRatio

    @property
    def line(self) -> str:
        """As a row of a table in Markdown: run, texts × tokens, MACs, time."""
        time = f"{self.latency.ratio:.2f} [{self.latency.low:.2f}, {self.latency.high:.2f}]"
        return f"| {self.run} | {self.batch} × {self.n_tokens} | {self.macs_ratio:.3f} | {time} |"


def timed(dense: Any, run: ExperimentRun) -> tuple[Measured, ...]:
    """A model with as many heads and neurons in each layer as that of a run, at each of the shapes that are timed.

    Args:
        dense: The model without anything removed, in evaluation mode.
        run: The record.
    """
    smaller = compact(dense, _first_units(dense, run))
    return tuple(_timed(run.name, dense, smaller, batch, n_tokens) for batch, n_tokens in _TIMED)


def _first_units(model: Any, run: ExperimentRun) -> Units:
    def of(kind: tuple[torch.Tensor, ...], counts: Sequence[int]) -> tuple[torch.Tensor, ...]:
        return tuple((torch.arange(len(part)) < n).float() for part, n in zip(kind, counts, strict=True))

    everything = unit_macs(model, 1)
    return Units(of(everything.heads, run.heads), of(everything.neurons, run.neurons))


def _timed(name: str, dense: Any, smaller: Any, batch: int, n_tokens: int) -> Measured:
    ids = torch.randint(5, dense.config.vocab_size, (batch, n_tokens), generator=torch.Generator().manual_seed(0))
    latency = compare_latency(lambda: dense(input_ids=ids), lambda: smaller(input_ids=ids), limit_s=_SECONDS)
    ratio = forward_macs(smaller, n_tokens) / forward_macs(dense, n_tokens)
    return Measured(name, ratio, batch, n_tokens, latency)
