"""The pre-flight report of a checkpoint, as lines for a screen."""

from __future__ import annotations

from compecon.checkpoints.catalog import CheckpointEntry
from compecon.checkpoints.gate.preflight import Preflight
from compecon.views.checked_values import few


def report_lines(entry: CheckpointEntry) -> tuple[str, ...]:
    """What is known before loading, a fact per line."""
    if entry.preflight is None:
        return (f"cannot be opened: {entry.problem}",)
    p = entry.preflight
    return (
        f"architecture: {p.architecture} ({p.model_type})",
        f"task: {entry.task or p.kind}" + (f", labels {few(p.labels)}" if p.labels else ""),
        f"size: {p.layers} layers × {p.heads} heads, width {p.hidden_size}, {p.parameters / 1e6:.1f} M parameters",
        *_removed(p),
        f"memory to load: about {p.memory_bytes / 1e6:.0f} MB; on disk {p.disk_bytes / 1e6:.1f} MB ({p.dtype})",
        f"longest text: {p.max_positions or 'no limit stated'} tokens",
        f"licence: {p.licence or 'not stated'}",
        f"from: {entry.origin} · {entry.path.name}",
        *(f"can: {ability}" for ability in p.abilities),
        *(f"note: {limit}" for limit in p.limits),
        *((f"limitations: {entry.limits}",) if entry.limits else ()),
    )


def _removed(preflight: Preflight) -> tuple[str, ...]:
    """How many heads a compacted model has left; nothing for a dense one."""
    kept = preflight.heads_kept
    if kept is None:
        return ()
    bare = [str(layer) for layer, heads in enumerate(kept) if not heads]
    without = f"; none in layer{'s' if len(bare) > 1 else ''} {', '.join(bare)}" if bare else ""
    return (f"compacted: {sum(map(len, kept))} of {preflight.layers * preflight.heads} heads left{without}",)
