"""What one text adds to the memory of a loaded model, and how well the guard before it knows."""

from __future__ import annotations

from collections.abc import Sequence

from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.one_text import Shape, in_a_child
from compecon.benchmarks.sessions import sessions_table
from compecon.errors import CompeconError

_SHAPES = (
    Shape("bert", 128, layers=4, heads=4, hidden=64),
    Shape("bert", 448, layers=6, heads=12, hidden=384),
    Shape("bert", 300, layers=12, heads=12, hidden=768),
    Shape("bert", 512, layers=2, heads=2, hidden=32),
    Shape("gpt2", 256, layers=16, heads=16, hidden=256),
)
_BUNDLED = (Shape("sentiment", 512), Shape("entailment", 512), Shape("similarity", 512))
_OFF_BY, _BUNDLED_MB = 25.0, 1200.0  # %, and of resident memory
_MB = 1e6


def measure(settings: Settings) -> list[Table]:
    """Five shapes of random weights, the longest text on bundled checkpoints, and 300 texts in 20 sessions."""
    one = memory_table(_SHAPES[: settings.pick(5, 1)], _BUNDLED[: settings.pick(3, 1)])
    try:
        many = sessions_table(settings.pick(20, 4), settings.pick(15, 5), settings.pick(8, 2))
    except CompeconError as error:
        many = Table("memory: many sessions", (Figure("not measured", "", (), instead=str(error)),))
    return [one, many]


def memory_table(shapes: Sequence[Shape], bundled: Sequence[Shape]) -> Table:
    """Run the whole stream of a text in a fresh process for each shape."""
    figures: list[Figure] = []
    for shape in shapes:
        found = in_a_child(shape)
        off = 100 * abs(found.expected_bytes / found.added_bytes - 1)
        figures.append(Figure(f"{shape}: added", "MB", (found.added_bytes / _MB,)))
        figures.append(Figure("  the guard says", "MB", (found.expected_bytes / _MB,)))
        figures.append(Figure("  which is off by", "%", (off,), Goal("max", _OFF_BY)))
    for shape in bundled:
        peak = in_a_child(shape).peak_bytes / _MB
        figures.append(Figure(f"{shape}: process at its peak", "MB", (peak,), Goal("max", _BUNDLED_MB)))
    notes = (
        "Added: most resident memory during one text's stream, whose bytes are kept as the page's server keeps them, "
        "beyond that of the idle loaded model.",
        "Layers × heads × width. A BERT encoder; GPT-2 with its language model's head; one thread.",
    )
    return Table("memory: one text beside a loaded model", tuple(figures), notes)
