"""Following a run from a terminal, by its files; Ctrl-C leaves it running."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import typer

from compecon.commands.home import clean, recent_steps

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor
    from compecon.runs.run_record import RunRecord
    from compecon.runs.store import RunStore

_EVERY_S = 0.5
_QUIET_S = 15.0
_LINES = 10  # of a stage, where there is no terminal to draw on


def follow(store: RunStore, run_id: str) -> int:
    """Print progress on stderr until a run has ended, then its result; the exit code is 0, 1, or 130 if stopped."""
    from compecon.runs.run_record import RunState

    told = ""
    try:
        while not (record := store.get(run_id)).state.is_finished:
            told = _tell(record, told)
            time.sleep(_EVERY_S)
    except KeyboardInterrupt:
        typer.echo(f"\n{run_id} continues. `compecon runs watch {run_id}` watches it again.", err=True)
        return 130
    if sys.stderr.isatty():
        typer.echo("\r\x1b[K", nl=False, err=True)
    ended = clean(record.reason or str(record.status.results.get("sentence", "")))
    if record.state is RunState.SUCCEEDED:
        typer.echo(f"{run_id} succeeded. {ended}".rstrip())
        if record.checkpoint:
            typer.echo(str(record.checkpoint))
        return 0
    again = (
        ""
        if "compecon resume" in ended or not record.state.can_resume
        else f" Continue with `compecon resume {run_id}`."
    )
    typer.echo(f"{run_id} {record.state.lower()}: {ended}{again}", err=True)
    return 130 if record.state is RunState.CANCELLED else 1


def follow_search(executor: Executor, store: RunStore, sweep_id: str) -> int:
    """Propose points as runs end, until all have ended; the exit code is 0 if all succeeded, else 1 or 130."""
    from compecon.runs.sweeps.search import advance
    from compecon.runs.sweeps.sweep_table import sweep_record

    told = ""
    try:
        while advance(executor, store.home, sweep_id):
            states = ", ".join(f"{n} {state.lower()}" for state, n in sweep_record(store, sweep_id).counts.items())
            if states != told:
                typer.echo(states, err=True)
                told = states
            time.sleep(2 * _EVERY_S)
    except KeyboardInterrupt:
        typer.echo(f"\nSubmitted runs continue. The same command proposes the rest of {sweep_id}.", err=True)
        return 130
    counts = sweep_record(store, sweep_id).counts
    typer.echo(f"Finished. See `compecon sweep show {sweep_id}`.", err=True)
    return 0 if set(counts) == {"SUCCEEDED"} else 1


def _tell(record: RunRecord, told: str) -> str:
    """Redraw the line on a terminal; elsewhere print one for every tenth of a stage."""
    if sys.stderr.isatty():
        typer.echo(f"\r\x1b[K{_line(record)}", nl=False, err=True)
        return told
    status = record.status
    tenth = status.step * _LINES // status.total if status.total else 0
    quiet = 0 if status.step else int(status.seconds // _QUIET_S)  # before the first step, a line now and then
    here = f"{record.state} {record.is_stalled} {record.reason} {status.stage} {tenth} {quiet}"
    if here != told:
        typer.echo(_line(record), err=True)
    return here


def _line(record: RunRecord) -> str:
    from compecon.views.runs.pace import crowding, elapsed, silence, step_durations
    from compecon.views.runs.run_rows import left_of, reason_of, stage_of

    steps = recent_steps(record)
    left = left_of(record, step_durations(steps))
    loss = steps[-1].get("task") if steps and record.status.step else None
    parts = [record.state.lower(), stage_of(record), elapsed(record), reason_of(record)]
    parts += [f"loss {loss:.3f}" if isinstance(loss, int | float) else "", f"{left} left in this stage" if left else ""]
    parts += [silence(record, time.time()), crowding(record)]
    return clean(", ".join(part for part in parts if part))
