"""How a command finds runs, and how it prints what others have written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.files.durable import plain
from compecon.views.checked_values import few

if TYPE_CHECKING:
    from pathlib import Path

    from compecon.runs.run_record import RunRecord
    from compecon.runs.store import RunStore

RunId = Annotated[str, typer.Argument(metavar="ID", help="Name of a run, or a unique prefix.")]
RunIds = Annotated[list[str] | None, typer.Argument(metavar="ID...", help="Names of runs, or unique prefixes.")]
SweepId = Annotated[str, typer.Option("--sweep", metavar="ID", help="Only runs of this sweep.")]


def open_runs() -> RunStore:
    """The runs of this user, or of the folder that COMPECON_HOME names."""
    from compecon.runs.executors.choice import open_store
    from compecon.runs.home import Home

    return open_store(Home.default())


def measurements() -> Path:
    """Where measurements of checkpoints are stored."""
    from compecon.runs.home import Home

    return Home.default().measurements


def found(store: RunStore, name: str) -> RunRecord:
    """The run of that name, or the only one whose name begins so."""
    from compecon.errors import RunError

    named = [entry.name for entry in store.home.runs.glob("*") if name and entry.name.startswith(name)]
    if name in named or len(named) == 1:
        return store.get(name if name in named else named[0])
    if named:
        raise RunError(f"{name} is the beginning of {len(named)} runs: {few(named, 5)}. Give more of the name.")
    raise RunError(f"There is no run {clean(name)[:60]} in {store.home.runs}. `compecon runs` lists all runs.")


def clean(text: str) -> str:
    """Untrusted text on one line, without control characters."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table with aligned columns; the last column may have any width."""
    cells = [tuple(heads), *(tuple(map(clean, row)) for row in rows)]
    widths = [max(len(row[n]) for row in cells) for n in range(len(heads) - 1)]
    return [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
        for row in cells
    ]


def print_json(value: Any) -> None:
    """JSON on stdout; a number that is not finite becomes null."""
    typer.echo(json.dumps(plain(value), indent=1, allow_nan=False, ensure_ascii=False))


def recent_steps(record: RunRecord) -> list[dict[str, Any]]:
    """The last steps of the stage that a run is in."""
    from compecon.files.durable import tail, whole_lines
    from compecon.runs.folder import METRICS
    from compecon.runs.metrics_file import object_of

    lines = whole_lines(tail(record.folder / METRICS).encode()).splitlines()
    values = filter(None, map(object_of, lines))
    return [value for value in values if value.get("stage") == record.status.stage and "event" not in value]
