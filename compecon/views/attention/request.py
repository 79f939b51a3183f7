"""Whether a request can be computed at all, before anything is loaded."""

from __future__ import annotations

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.kinds import SEVERAL_STACKS
from compecon.views.attention.example_texts import BUNDLED_FOR, examples, examples_for

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
    return _pair_problem(entry, pair)


def _pair_problem(entry: CheckpointEntry, pair: str) -> str | None:
    if pair and entry.preflight is not None and entry.preflight.kind == "causal-lm":
        return "This checkpoint continues a single text and takes no pairs. Clear the second text."
    if not pair.strip() and compares_texts(entry):
        return f"{entry.name} compares two texts, and the second one is missing. Type it, or choose an example."
    return None


def text_for(entry: CheckpointEntry | None, text: str, pair: str) -> tuple[str, str]:
    """A text and its pair for a checkpoint: these, but for a bundled single text where two are compared its example."""
    if entry is None or pair or not compares_texts(entry) or not any(e.text == text and not e.pair for e in examples()):
        return text, pair
    first = examples_for(entry.name, entry.task)[0]
    return first.text, first.pair


def compares_texts(entry: CheckpointEntry) -> bool:
    """Whether a checkpoint was trained on pairs of texts: its answer for a single one would mean nothing."""
    from compecon.tasks.task_registry import TASKS  # noqa: PLC0415 - the registry is slow, and a list of runs needs none

    names = {entry.task, *(task for task, bundled in BUNDLED_FOR.items() if bundled == entry.task)}
    return entry.trained_on_pairs or any(TASKS[name].is_pair for name in names & TASKS.keys())
