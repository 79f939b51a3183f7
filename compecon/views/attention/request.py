"""Whether a request can be computed at all: said at once, before anything is loaded."""

from __future__ import annotations

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.kinds import SEVERAL_STACKS

MAX_CHARACTERS = 100_000


def problem_with(entry: CheckpointEntry | None, text: str, pair: str) -> str | None:
    """One sentence on why this cannot be computed, or None.

    Args:
        entry: The chosen checkpoint, None if it is gone.
        text: First text.
        pair: Second text, or "".
    """
    if entry is None:
        return "There is no checkpoint to open. Start compecon with --checkpoints DIR, or reinstall it with its assets."
    if refusal := _refusal(entry):
        return refusal
    if not text.strip():
        return "The text is empty. Type a sentence or choose an example."
    if (n := len(text) + len(pair)) > MAX_CHARACTERS:
        return f"The text has {n:,} characters; the limit is {MAX_CHARACTERS:,}. Shorten it."
    if pair and entry.preflight is not None and entry.preflight.kind == "causal-lm":
        return "This checkpoint continues a single text and takes no pairs. Clear the second text."
    return None


def _refusal(entry: CheckpointEntry) -> str:
    """Why this checkpoint is not shown, whatever the text; "" if it is."""
    if entry.preflight is not None and entry.preflight.several_stacks:
        return f"{entry.name} cannot be shown here. {SEVERAL_STACKS}"
    return entry.problem
