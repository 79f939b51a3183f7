"""Recording the bundled examples: what the page opens on before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import bundled_names
from compecon.views.attention import attention_stream
from compecon.views.examples import examples
from compecon.views.traces import TraceKey, forget_traces, write_trace


def record_examples(
    out: Path | None = None, *, only: str | None = None, report: Callable[[str], None] = lambda _line: None
) -> tuple[Path, ...]:
    """Run every bundled example through its checkpoint and store the streams.

    Args:
        out: Folder for the recordings; the bundled one if None.
        only: Only the examples of this checkpoint.
        report: Is told of each file, a line at a time.

    Returns:
        The files. Recordings that no example asks for any more are removed.

    Raises:
        CheckpointError: If a checkpoint cannot be loaded.
    """
    files = []
    for name in bundled_names():
        if only not in (None, name):
            continue
        checkpoint = load_checkpoint(name, "cpu")
        for example in (e for e in examples() if e.checkpoint == name):
            encoded = checkpoint.encode(example.text, example.pair or None)
            key = TraceKey(name, example.text, example.pair)
            files.append(write_trace(key, attention_stream(checkpoint, encoded), checkpoint.digest, out))
            report(f"{files[-1].name}  {len(encoded.tokens)} tokens  {files[-1].stat().st_size / 1e6:.2f} MB")
    forget_traces({TraceKey(e.checkpoint, e.text, e.pair).name for e in examples()}, out)
    return tuple(files)
