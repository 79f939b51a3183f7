"""`compecon stop`: ask runs to save and stop; the second time, end them at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.home import RunIds, SweepId, found, open_runs
from compecon.errors import RunError

if TYPE_CHECKING:
    from compecon.runs.run_record import RunRecord
    from compecon.runs.store import RunStore

_All = Annotated[bool, typer.Option("--all", help="Every unfinished run.")]


def stop(run_ids: RunIds = None, sweep: SweepId = "", all_runs: _All = False) -> None:
    """Ask runs to save a checkpoint and stop; those that were asked before are ended at once."""
    if sum((bool(run_ids), bool(sweep), all_runs)) != 1:
        raise typer.BadParameter("give names of runs, --sweep, or --all.")
    store = open_runs()
    records = _asked_for(store, run_ids or (), sweep)
    failed = []
    for record in records:
        try:
            _stop(store, record)
        except RunError as error:  # the others are stopped all the same
            failed.append(str(error))
    if all(record.state.is_finished for record in records):
        typer.echo("There is nothing to stop.", err=True)
    if failed:
        raise RunError(" ".join(failed))


def _asked_for(store: RunStore, names: Sequence[str], sweep: str) -> list[RunRecord]:
    """The runs to stop, the last one first, so that none takes the turn of one that ends."""
    from compecon.runs.sweeps.sweep import runs_of

    if names:
        return [found(store, name) for name in names]
    if sweep:
        return [store.get(run_id) for run_id in reversed(runs_of(store, sweep))]
    return [record for record in store.list() if not record.state.is_finished]


def _stop(store: RunStore, record: RunRecord) -> None:
    from compecon.runs.executors.choice import executor_of
    from compecon.runs.run_record import RunState

    record.require_known()
    if record.state.is_finished:
        typer.echo(f"{record.run_id} is {record.state.lower()} already", err=True)
        return
    executor_of(record, store).stop(record.run_id)
    typer.echo(
        f"{record.run_id}: {'stopped at once' if record.state is RunState.STOPPING else 'asked to save and stop'}"
    )
