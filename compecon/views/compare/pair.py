"""Which two checkpoints can be compared on a text, which two come first, and what to know of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.views.attention.example_texts import FIRST_PAIR
from compecon.views.attention.request import problem_with


def first_pair(entries: Mapping[str, CheckpointEntry]) -> tuple[str, str]:
    """The pair to begin with: the bundled sentiment model and its child, else the first that go together.

    Names in the catalog; the second is "" if there is no second checkpoint, both are if there is none.
    """
    if all(name in entries for name in FIRST_PAIR):
        return FIRST_PAIR
    a = next((name for name, entry in entries.items() if not entry.problem), next(iter(entries), ""))
    return a, partner(a, entries)


def partner(a: str, entries: Mapping[str, CheckpointEntry]) -> str:
    """Another checkpoint to compare one with: of the same task and kind if there is one; "" if there is no other."""
    others = [name for name, entry in entries.items() if name != a and not entry.problem]
    return min(others, key=lambda name: (_distance(entries.get(a), entries[name]), name not in FIRST_PAIR), default="")


def parent_of(params: Mapping[str, Any]) -> str:
    """Name of the checkpoint that a run with these settings began with; "" if they do not name one."""
    return next((value for name in ("base", "checkpoint") if isinstance(value := params.get(name), str)), "")


def _distance(a: CheckpointEntry | None, b: CheckpointEntry) -> int:
    if a is None or a.preflight is None or b.preflight is None:
        return 2
    return (a.task != b.task) + (a.preflight.kind != b.preflight.kind)


def pair_problem(a: CheckpointEntry | None, b: CheckpointEntry | None, text: str, pair: str) -> str | None:
    """Why two checkpoints, None if gone, cannot be compared on this text or pair of texts; None if they can."""
    if a is None or b is None:
        have = "no checkpoint" if a is None and b is None else "one checkpoint"
        return f"Comparing needs two checkpoints, and there is {have}. Start compecon with --checkpoints DIR."
    if a.path == b.path and not _is_elastic(a):
        return "A and B are the same checkpoint: every difference would be 0. Choose another B."
    for side, entry in (("A", a), ("B", b)):
        if problem := problem_with(entry, text, pair):
            return f"{side}, {entry.title}: {problem}" if entry.problem or pair else problem
    return None


def _is_elastic(entry: CheckpointEntry) -> bool:
    return entry.preflight is not None and entry.preflight.elastic


def pair_notes(a: CheckpointEntry, b: CheckpointEntry) -> tuple[str, ...]:
    """What to know before reading differences off a pair: a sentence each, the gravest first."""
    if a.preflight is None or b.preflight is None:
        return ()
    one, other = a.preflight, b.preflight
    notes = []
    if a.path == b.path:
        notes.append("A and B are the same checkpoint: at the same size every difference is 0. Move one compute bar.")
    if (a.task or one.kind) != (b.task or other.kind):
        said = f"A was made for {a.task or one.kind}, B for {b.task or other.kind}"
        notes.append(f"{said}: their attention can be compared, their answers cannot.")
    if one.layers != other.layers:
        notes.append(
            f"A has {one.layers} layers, B {other.layers}: layers are paired by relative depth, not by number."
        )
    if one.heads != other.heads:
        notes.append(
            f"A has {one.heads} heads per layer, B {other.heads}: heads are paired by number, but head numbers have no "
            "common meaning in models trained separately."
        )
    return tuple(notes)
