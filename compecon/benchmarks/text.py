"""Tables as plain text for a terminal."""

from __future__ import annotations

import textwrap

from compecon.benchmarks.figures import Figure, Table, quantile

_HEAD = ("", "median", "p95", "n", "goal", "met")
_WIDTH = 110


def table_text(table: Table) -> str:
    """A table, its notes below; every line at most about 110 characters wide."""
    rows = [_HEAD, *(_cells(figure) for figure in table.figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = [table.title]
    for figure, row in zip((None, *table.figures), rows, strict=True):
        if figure is not None and figure.instead:
            lines.append(f"  {row[0]:<{widths[0]}}  {figure.instead}")
        else:
            numbers = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:4], widths[1:4], strict=True))
            lines.append(f"  {row[0]:<{widths[0]}}  {numbers}  {row[4]:<{widths[4]}}  {row[5]}".rstrip())
    notes = [textwrap.fill(f"· {note}", _WIDTH, initial_indent="  ", subsequent_indent="    ") for note in table.notes]
    return "\n".join([*lines, *notes])


def _cells(figure: Figure) -> tuple[str, ...]:
    if figure.instead:
        return (figure.label, "", "", "", "", "")
    goal = figure.goal
    return (
        figure.label,
        amount(quantile(figure.values, "median"), figure.unit),
        amount(quantile(figure.values, "p95"), figure.unit),
        str(len(figure.values)),
        "" if goal is None else f"{goal.statistic} ≤ {amount(goal.at_most, figure.unit)}",
        {True: "yes", False: "NO", None: ""}[figure.is_met()],
    )


def amount(value: float, unit: str) -> str:
    """A number with three figures that matter, and its unit.

    Examples:
        >>> amount(1.2345, "s"), amount(0.0, ""), amount(16.7, "ms"), amount(1234.0, "kB"), amount(float("nan"), "ms")
        ('1.23 s', '0', '16.7 ms', '1234 kB', '-')
    """
    if value != value:
        return "-"
    if value == int(value) and abs(value) < 1e9:
        digits = 0
    else:
        digits = 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0
    return f"{value:.{digits}f} {unit}".rstrip()
