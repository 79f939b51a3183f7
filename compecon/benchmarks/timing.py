"""Timing in turns: what is compared is measured alternately, so that a busy moment affects every side."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch


def seconds_of(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def interleaved(sides: Mapping[str, Callable[[], object]], *, rounds: int, warm_up: int = 2) -> dict[str, list[float]]:
    """Milliseconds of every side, called once per round; the i-th samples of two sides belong together.

    Args:
        sides: Functions by name.
        rounds: Samples of each.
        warm_up: Rounds before that, not counted.
    """
    found: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(warm_up + rounds):
        for name, call in sides.items():
            took = 1000 * seconds_of(call)
            if turn >= warm_up:
                found[name].append(took)
    return found


def ratios(times: list[float], base: list[float]) -> tuple[float, ...]:
    """Each sample divided by its neighbour of the same round."""
    return tuple(a / b for a, b in zip(times, base, strict=True))


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch on one thread, as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
