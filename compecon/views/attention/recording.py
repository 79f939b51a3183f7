"""Recording the bundled examples: what the page shows before a model is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.locate import bundled_names
from compecon.compression.elastic.sizes_offered import sizes_offered
from compecon.views.attention.attention_stream import AttentionRequest, attention_stream
from compecon.views.attention.example_texts import CHILDREN, Example, examples
from compecon.views.attention.model_sizes import at_size
from compecon.views.attention.traces import TraceKey, forget_traces, read_index, recorded_sizes, write_trace

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
        The files; the first example of an elastic checkpoint is recorded at every size that the page offers. Recordings
        of examples that no longer exist are removed, and so are large ones (long texts) except the first of a
        checkpoint: the page computes those when needed.

    Raises:
        CheckpointError: If a checkpoint cannot be loaded.
    """
    files, wanted = [], set()
    for name in bundled_names():
        own = _texts_of(name)
        wanted |= {_key(name, example).name for example in own}
        if only not in (None, name) or not own:
            wanted |= {
                each for example in own for each in recorded_sizes(_key(name, example).name, read_index(out)).values()
            }
            continue
        checkpoint = load_checkpoint(name, "cpu")
        for example in own:
            for size in _sizes(checkpoint) if example == own[0] else (1.0,):
                key = replace(_key(name, example), size=size)
                file, n_tokens = _write(key, checkpoint, out)
                too_large = file.stat().st_size > _LARGEST_BYTES and example != own[0]
                report(
                    f"{file.name}  {n_tokens} tokens  {file.stat().st_size / 1e6:.2f} MB"
                    f"{', too large to keep' if too_large else ''}"
                )
                if too_large:
                    wanted.discard(key.name)
                else:
                    wanted.add(key.name)
                    files.append(file)
    forget_traces(wanted, out)
    return tuple(files)


def _write(key: TraceKey, checkpoint: Checkpoint, out: Path | None) -> tuple[Path, int]:
    encoded = checkpoint.encode(key.text, key.pair or None)
    size = None if key.size == 1 else key.size
    stream = attention_stream(checkpoint, encoded, AttentionRequest(size=size))
    return write_trace(key, stream, at_size(checkpoint, size).digest, out), len(encoded.tokens)


def _sizes(checkpoint: Checkpoint) -> tuple[float, ...]:
    return (1.0,) if checkpoint.elastic is None else sizes_offered(checkpoint.elastic.prices)


def _key(name: str, example: Example) -> TraceKey:
    return TraceKey(name, example.text, example.pair)


def _texts_of(checkpoint: str) -> list[Example]:
    """Its own examples; for an elastic checkpoint, the first example of its parent."""
    parent = CHILDREN.get(checkpoint)
    own = [example for example in examples() if example.checkpoint == (parent or checkpoint)]
    return own[:1] if parent else own
