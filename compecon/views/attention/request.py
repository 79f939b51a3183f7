"""Whether a request can be computed at all, before anything is loaded."""

from __future__ import annotations

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.kinds import SEVERAL_STACKS

MAX_CHARACTERS = 100_000


def problem_with(entry: CheckpointEntry | None, text: str, pair: str) -> str | None:
    """Why a text, or a pair, cannot be computed with the chosen checkpoint (None: it is gone); None if it can."""
    if entry is None:
        return "There is no checkpoint to open. Start compecon with --checkpoints DIR, or reinstall it with its assets."
    has_several = entry.preflight is not None and entry.preflight.several_stacks
    if refusal := f"{entry.name} cannot be shown here. {SEVERAL_STACKS}" if has_several else entry.problem:
        return refusal
    if not text.strip():
        return "The text is empty. Type a sentence or choose an example."
    if (n := len(text) + len(pair)) > MAX_CHARACTERS:
        return f"The text has {n:,} characters; the limit is {MAX_CHARACTERS:,}. Shorten it."
    if pair and entry.preflight is not None and entry.preflight.kind == "causal-lm":
        return "This checkpoint continues a single text and takes no pairs. Clear the second text."
    return None
