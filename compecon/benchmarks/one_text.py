"""One text in a fresh process: what its stream adds to the memory of a loaded model, and how long it takes.

``python -m compecon.benchmarks.one_text '{"family": "bert", "layers": 6, ...}'`` prints one JSON object.
"""

from __future__ import annotations

import ctypes
import gc
import json
import resource
import statistics
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import final

import psutil
import torch

from compecon import children
from compecon.benchmarks.made_models import BUNDLED, bert_config, random_encoder
from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.scratch import small_gpt2
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.budget_grid import budget_grid, peak_bytes, scope_for
from compecon.views.attention.frames import encode

_ROUNDS = 5


@final
@dataclass(frozen=True)
class Shape:
    """A model of random weights, or a bundled checkpoint, and a text for it."""

    family: str  # "bert", "gpt2", or the name of a bundled checkpoint
    tokens: int
    layers: int = 0  # sizes of a model of random weights
    heads: int = 0
    hidden: int = 0
    threads: int = 1

    def __str__(self) -> str:
        size = f" {self.layers} × {self.heads} × {self.hidden}" if self.layers else ""
        return f"{self.family}{size}, n = {self.tokens}"


@final
@dataclass(frozen=True)
class Found:
    """What one text took."""

    dense_s: float  # CPU time of a plain forward pass, median
    first_s: float  # CPU time until full budget is encoded
    wanted_s: float  # CPU time from there to the frame of the budget that was asked for first
    grid_s: float  # CPU time from the beginning to the last frame of the grid
    added_bytes: int  # most that was in memory beyond the idle loaded model
    expected_bytes: int  # what the guard says before
    peak_bytes: int  # of the process


def in_a_child(shape: Shape) -> Found:
    """Measure in a process of its own."""
    variables = children.environment({"OMP_NUM_THREADS": str(shape.threads)})
    printed = children.output("-m", "compecon.benchmarks.one_text", json.dumps(asdict(shape)), variables=variables)
    return Found(**json.loads(printed))


def measured(shape: Shape) -> Found:
    """Measure here; memory is right in a fresh process only."""
    torch.set_num_threads(shape.threads)
    checkpoint = _checkpoint(shape)
    layers, heads = checkpoint.preflight.layers, checkpoint.preflight.heads
    config = checkpoint.model.config
    vocabulary = config.vocab_size if checkpoint.kind in ("causal-lm", "masked-lm") else 0
    for _ in attention_stream(checkpoint, _text(checkpoint, 8)):
        pass
    text = _text(checkpoint, shape.tokens)
    gc.collect()
    _trim()
    idle = psutil.Process().memory_info().rss
    _forget_peak()
    started = time.process_time()
    grid = budget_grid(shape.tokens)
    request = AttentionRequest(scope=scope_for(shape.tokens, layers, heads), first=grid[len(grid) // 2])
    parts, marks = [], []
    for message in attention_stream(checkpoint, text, request):
        parts.append(encode(message))
        if message.kind == "frame" and message.fields["k"] in grid:
            marks.append(time.process_time() - started)
    peak = _peak()
    return Found(
        dense_s=_dense_s(checkpoint, text),
        first_s=marks[0],
        wanted_s=marks[1] - marks[0],
        grid_s=marks[len(grid) - 1],
        added_bytes=peak - idle,
        expected_bytes=peak_bytes(shape.tokens, layers, heads, hidden=config.hidden_size, vocabulary=vocabulary),
        peak_bytes=peak,
    )


def _checkpoint(shape: Shape) -> Checkpoint:
    if not shape.layers:
        return load_checkpoint(shape.family, "cpu")
    given = load_checkpoint("causal" if shape.family == "gpt2" else BUNDLED, "cpu")
    sizes = replace(given.preflight, layers=shape.layers, heads=shape.heads)
    if shape.family == "gpt2":
        given.tokenizer.model_max_length = shape.tokens
        head_width = shape.hidden // shape.heads
        model = small_gpt2(given.tokenizer, width=shape.hidden, layers=shape.layers, head_width=head_width)
        return replace(given, model=model, preflight=sizes)
    config = bert_config(layers=shape.layers, hidden=shape.hidden, heads=shape.heads, d_ff=4 * shape.hidden)
    return replace(given, model=random_encoder(config), kind="encoder", labels=(), preflight=sizes)


def _text(checkpoint: Checkpoint, n: int) -> Encoded:
    """Random tokens between two special ones."""
    ids = torch.randint(5, checkpoint.model.config.vocab_size, (1, n), generator=torch.Generator().manual_seed(n))
    special = (True, *(False,) * (n - 2), True)
    return Encoded({"input_ids": ids, "attention_mask": torch.ones_like(ids)}, ("x",) * n, (False,) * n, special)


@torch.inference_mode()
def _dense_s(checkpoint: Checkpoint, text: Encoded) -> float:
    took = []
    for _ in range(_ROUNDS):
        started = time.process_time()
        checkpoint.model(**text.batch)
        took.append(time.process_time() - started)
    return statistics.median(took)


def _trim() -> None:
    """Give back what the allocator keeps of freed memory, or a text would seem to take less."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)


def _forget_peak() -> None:
    """Where the system lets us: loading a model may have taken more than a text will."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _peak() -> int:
    """Most that this process held, in bytes."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(measured(Shape(**json.loads(sys.argv[1]))))))
