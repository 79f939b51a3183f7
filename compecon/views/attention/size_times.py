"""How long a text takes at each size of an elastic checkpoint, measured on this machine, as messages for the page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch

from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.latency.clock import in_turns
from compecon.latency.timing import Timing
from compecon.views.attention.frames import Message
from compecon.views.attention.model_sizes import WHOLE, at_size

ROUNDS = (5, 16)  # of each size: a first look at all of them, then as many more
PASSES = 6  # of a message at least: a round of both models to warm up, and two that count
_LIMIT_S = 0.5  # of a message, as far as its rounds are more than two


def size_times(
    checkpoint: Checkpoint, encoded: Encoded, *, wanted: Callable[[], bool] = lambda: True
) -> Iterator[Message]:
    """Forward passes of one text at each size offered and with all units, in turns: A B B A, as `in_turns` has it.

    These are plain forward passes, without a budget of keys and without records. A classifier whose head reads one
    position computes its last layer there alone; the MACs of the opening message are of all positions.

    Yields:
        ``latency`` messages: the size, milliseconds of it and of the whole (median and quartiles), rounds so far.
        All sizes from the largest to the smallest, then again with the rounds of both times.

    Raises:
        CheckpointError: If the checkpoint has a single size.
    """
    whole = checkpoint.at(WHOLE)
    assert checkpoint.elastic is not None  # noqa: S101 - for the type checker: `at` refuses
    found: dict[float, tuple[list[float], list[float]]] = {}
    for rounds in ROUNDS:
        for size in sizes_offered(checkpoint.elastic.prices):
            if not wanted():
                return
            sides = [partial(each.model, **encoded.batch) for each in (whole, at_size(checkpoint, size))]
            with torch.inference_mode():
                times = in_turns(sides, repeats=rounds, warmup=1, limit_s=_LIMIT_S)
            all_so_far = found.setdefault(size, ([], []))
            for samples, new in zip(all_so_far, times, strict=True):
                samples.extend(new)
            about = {"size": size, "rounds": len(all_so_far[0]), "n_tokens": len(encoded.tokens)}
            yield Message("latency", about | _measured(checkpoint, *map(Timing.of, all_so_far)))


def _measured(checkpoint: Checkpoint, whole: Timing, own: Timing) -> dict[str, Any]:
    return {
        "ms": _ms(own.median),
        "low": _ms(own.low),
        "high": _ms(own.high),
        "whole_ms": _ms(whole.median),
        "whole_low": _ms(whole.low),
        "whole_high": _ms(whole.high),
        "threads": torch.get_num_threads(),
        "device": str(checkpoint.device),
    }


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
