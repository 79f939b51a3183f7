"""Recording the bundled examples: what the page shows before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import bundled_names
from compecon.views.attention.attention_stream import attention_stream
from compecon.views.attention.example_texts import FIRST_PAIR, Example, examples
from compecon.views.attention.traces import TraceKey, forget_traces, write_trace

_LARGEST_BYTES = 600_000


def record_examples(
    out: Path | None = None, *, only: str | None = None, report: Callable[[str], None] = lambda _line: None
) -> tuple[Path, ...]:
    """Run every bundled example through its checkpoint and store the streams.

    Args:
        out: Folder for the recordings; the bundled one if None.
        only: Only the examples of this checkpoint.
        report: Called with a line for each file.

    Returns:
        The files. Recordings of examples that no longer exist are removed, and so are large ones (long texts) except
        the first of a checkpoint: the page computes those when needed.

    Raises:
        CheckpointError: If a checkpoint cannot be loaded.
    """
    files, large = [], set()
    for name in bundled_names():
        own = _texts_of(name)
        if only not in (None, name) or not own:
            continue
        checkpoint = load_checkpoint(name, "cpu")
        for example in own:
            encoded = checkpoint.encode(example.text, example.pair or None)
            key = TraceKey(name, example.text, example.pair)
            file = write_trace(key, attention_stream(checkpoint, encoded), checkpoint.digest, out)
            too_large = file.stat().st_size > _LARGEST_BYTES and example != own[0]
            report(
                f"{file.name}  {len(encoded.tokens)} tokens  {file.stat().st_size / 1e6:.2f} MB"
                f"{', too large to keep' if too_large else ''}"
            )
            if too_large:
                large.add(key.name)
            else:
                files.append(file)
    wanted = {TraceKey(name, e.text, e.pair).name for name in bundled_names() for e in _texts_of(name)}
    forget_traces(wanted - large, out)
    return tuple(files)


def _texts_of(checkpoint: str) -> list[Example]:
    """Its own examples; for the child of the pair that Compare opens with, the first example of its parent."""
    dense, child = FIRST_PAIR
    own = [example for example in examples() if example.checkpoint == (dense if checkpoint == child else checkpoint)]
    return own[:1] if checkpoint == child else own
