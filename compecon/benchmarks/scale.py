"""What a text costs on a model of real size, without the server and the page."""

from __future__ import annotations

from collections.abc import Callable

from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.one_text import Found, Shape, in_a_child

_BASE = Shape("bert", 300, layers=12, heads=12, hidden=768)
_SMALL = Shape("bert", 448, layers=6, heads=12, hidden=384)
_FIRST_S, _WANTED, _GRID_S = 1.0, 2.0, 25.0


def measure(settings: Settings) -> list[Table]:
    """BERT-base and MiniLM shapes of random weights, each in a fresh process."""
    rounds = settings.pick(3, 1)
    return [scale_table(_BASE, rounds, goals=True), scale_table(_SMALL, rounds)]


def scale_table(shape: Shape, rounds: int, *, goals: bool = False) -> Table:
    """Time the stream of one text `rounds` times."""
    found = [in_a_child(shape) for _ in range(rounds)]

    def figure(label: str, unit: str, value: Callable[[Found], float], at_most: float | None = None) -> Figure:
        goal = Goal("median", at_most) if goals and at_most is not None else None
        return Figure(label, unit, tuple(map(value, found)), goal)

    figures = (
        figure("one dense pass", "ms", lambda one: 1000 * one.dense_s),
        figure("opening and full budget", "s", lambda one: one.first_s, _FIRST_S),
        figure(
            "then the budget that was asked for, in dense passes", "×", lambda one: one.wanted_s / one.dense_s, _WANTED
        ),
        figure("every budget of the grid", "s", lambda one: one.grid_s, _GRID_S),
    )
    notes = ("CPU time of one thread: forward pass, statistics, matrices and bytes. Layers × heads × width.",)
    return Table(f"scale: {shape}", figures, notes)
