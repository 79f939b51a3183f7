"""A stopwatch that waits for the device, and measures what is compared in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor

Call = Callable[[], object]


def in_turns(sides: Sequence[Call], *, repeats: int, warmup: int, limit_s: float) -> list[list[float]]:
    """Call every side once a round, there and back: A B B A, so that neither drift nor a busy moment has a favourite.

    Args:
        sides: What is compared.
        repeats: Rounds that count.
        warmup: Rounds before them that do not; one at least.
        limit_s: Seconds after which no further pair of rounds is begun; the first pair is always measured.

    Returns:
        Seconds of each side, in the order of the rounds: the i-th samples of all sides belong together.
    """
    if repeats < 1 or warmup < 0:
        raise ValueError(f"repeats must be at least 1 and warmup at least 0, got {repeats} and {warmup}.")
    if not limit_s > 0:
        raise ValueError(f"limit_s must be positive seconds, got {limit_s}.")
    deadline = time.perf_counter() + limit_s
    for _ in _rounds(max(1, warmup), deadline, at_least=1):
        for call in sides:
            call()
    found: list[list[float]] = [[] for _ in sides]
    for turn in _rounds(repeats, deadline, at_least=2):
        for i in range(len(sides)) if turn % 2 == 0 else reversed(range(len(sides))):
            found[i].append(_seconds(sides[i]))
    return found


def device_of(result: object) -> torch.device | None:
    """Device of the first tensor in a result: a tensor, or any nesting of mappings and sequences."""
    if isinstance(result, Tensor):
        return result.device
    if isinstance(result, Mapping):
        result = tuple(result.values())
    if isinstance(result, (tuple, list)):
        return next((device for part in result if (device := device_of(part)) is not None), None)
    return None


@contextmanager
def on_threads(count: int | None) -> Iterator[int]:
    """Run torch on this many threads, then on as many as before; None changes nothing. Yields the number."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def _rounds(most: int, deadline: float, *, at_least: int) -> Iterator[int]:
    """Numbers of rounds until time runs out; between there and back it does not."""
    for turn in range(most):
        if turn >= at_least and turn % 2 == 0 and time.perf_counter() > deadline:
            return
        yield turn


def _seconds(call: Call) -> float:
    _wait()  # what an earlier call left on the device is not this one's time
    started = time.perf_counter()
    call()
    _wait()
    return time.perf_counter() - started


def _wait() -> None:
    """Calls on an accelerator come back before they are done."""
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.synchronize()
    elif torch.backends.mps.is_available():
        torch.mps.synchronize()
