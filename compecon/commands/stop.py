"""`compecon stop` and `compecon resume`: runs that save and end, and that continue from their last checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.home import RunIds, SweepId, clean, found, open_runs
from compecon.errors import RunError

if TYPE_CHECKING:
    from compecon.runs.run_record import RunRecord
    from compecon.runs.store import RunStore

_AllOpen = Annotated[bool, typer.Option("--all", help="Every unfinished run.")]
_AllLost = Annotated[bool, typer.Option("--all", help="Every lost run, for example after a restart of the machine.")]
_Anyway = Annotated[
    bool,
    typer.Option(
        "--anyway", help="Also a run that its cluster does not know, once it has made no progress for a while."
    ),
]


def stop(run_ids: RunIds = None, sweep: SweepId = "", all_runs: _AllOpen = False) -> None:
    """Ask runs to save a checkpoint and stop; those that were asked before are ended at once."""
    _require_one_choice(run_ids, sweep, all_runs)
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


def _require_one_choice(run_ids: Sequence[str] | None, sweep: str, all_runs: bool) -> None:
    if sum((bool(run_ids), bool(sweep), all_runs)) != 1:
        raise typer.BadParameter("give names of runs, --sweep, or --all.")


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


def resume(run_ids: RunIds = None, sweep: SweepId = "", all_runs: _AllLost = False, anyway: _Anyway = False) -> None:
    """Continue runs that were stopped, failed or lost, from their last complete checkpoint.

    --all skips a run whose last two attempts made no progress; give its name to start it anyway.
    """
    _require_one_choice(run_ids, sweep, all_runs)
    if anyway and not run_ids:
        raise typer.BadParameter("needs names of runs: check each first.", param_hint="--anyway")
    store = open_runs()
    if sweep:
        started, failed = _start_sweep(store, sweep), list[str]()
    else:
        names = [found(store, name).run_id for name in run_ids] if run_ids else _lost(store)
        started, failed = _start(store, names, anyway)
    for run_id in started:
        typer.echo(f"{run_id}: started")
    if failed:
        raise RunError(" ".join(failed))
    if not started:
        typer.echo("There is nothing to resume.", err=True)


def _start_sweep(store: RunStore, sweep_id: str) -> tuple[str, ...]:
    from compecon.runs.executors.choice import executor_for
    from compecon.runs.sweeps.sweep import Sweep, left_out, resume_sweep

    executor = executor_for(Sweep.read(store.home, sweep_id).executor, store)
    waiting = left_out(store, sweep_id)
    started = resume_sweep(executor, store.home, sweep_id)
    for record in waiting:
        if record.run_id not in started:
            typer.echo(_not_now(record), err=True)
    return started


def _not_now(record: RunRecord) -> str:
    """Why a run is not started, and what to do."""
    from compecon.runs.run_record import RunState

    if record.state is RunState.STOPPING:
        return f"{record.run_id} is still saving its checkpoint. Run the same command once it has stopped."
    if record.state is RunState.NEWER:
        return f"{record.run_id} was skipped: {clean(record.reason)}"
    return f"{record.run_id} is {record.state.lower()} already"


def _lost(store: RunStore) -> list[str]:
    from compecon.runs.resuming import worth_resuming

    lost, idle = worth_resuming(store)
    for record in idle:
        typer.echo(
            f"{record.run_id} ({clean(record.title)}) was skipped: its last two attempts made no progress. "
            f"See `compecon runs log {record.run_id}`; `compecon resume {record.run_id}` starts it again.",
            err=True,
        )
    return [record.run_id for record in lost]


def _start(store: RunStore, names: list[str], anyway: bool) -> tuple[tuple[str, ...], list[str]]:
    """Start each; one that cannot be started does not stop the others."""
    from compecon.runs.executors.choice import executor_of

    started, failed = [], []
    for run_id in names:
        record = store.get(run_id)
        try:
            executor = executor_of(record, store)
            if not record.state.is_finished and executor.lives(record) is not None:
                typer.echo(_not_now(record), err=True)
                continue
            executor.start_anyway(run_id) if anyway else executor.start(run_id)
            started.append(run_id)
        except RunError as error:
            failed.append(str(error))
    return tuple(started), failed
