"""`compecon runs`: background runs, and what can be done with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.home import RunId, RunIds, SweepId, clean, found, open_runs, print_json, recent_steps, table
from compecon.commands.options import Json
from compecon.errors import RunError

if TYPE_CHECKING:
    from compecon.runs.run_record import RunRecord

app = typer.Typer(help="List, inspect, watch, change and delete background runs.")
_State = Annotated[str, typer.Option(help="Only runs in this state, such as running, lost or succeeded.")]
_Set = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A setting to change; repeatable.")]


@app.callback(invoke_without_command=True)
def runs(context: typer.Context, state: _State = "", sweep: SweepId = "", json: Json = False) -> None:
    """List runs, newest first; with a command, do something with one."""
    if context.invoked_subcommand is not None:
        return
    from compecon.runs.run_record import RunState

    wanted = state.upper()
    if wanted and wanted not in list(RunState):
        raise typer.BadParameter(f"--state must be one of {', '.join(RunState).lower()}, got {state!r}.")
    store = open_runs()
    records = [each for each in store.list() if wanted in ("", each.state) and sweep in ("", each.spec.sweep)]
    if json:
        print_json([_summary(record) for record in records])
    elif records:
        for line in table(("ID", "STATE", "TITLE", "PROGRESS", "LEFT", "WHY"), map(_row, records)):
            typer.echo(line)
    else:
        typer.echo(f"There are no {'such ' if state or sweep else ''}runs in {store.home.runs}.", err=True)


@app.command()
def show(run_id: RunId, json: Json = False) -> None:
    """Show a run: settings, state, results."""
    from compecon.views.runs.results import expectations_of, facts_of

    record = found(open_runs(), run_id)
    if json:
        print_json({**_summary(record), "spec": record.spec.as_json(), "status": record.status.as_json()})
        return
    _, state, title, progress, left, why = _row(record, whole=True)
    lines = [("run", record.run_id), ("title", title), ("state", state), ("why", why), ("progress", progress)]
    lines += [("time left", left), ("attempt", str(record.status.attempt)), ("device", record.status.device)]
    lines += [("sweep", record.spec.sweep), ("changed from", record.spec.parent_run), ("files", str(record.folder))]
    lines += [("checkpoint", str(record.checkpoint or "")), ("command", _command(record))]
    lines += [(fact.name, fact.value) for fact in facts_of(record.status.results)]
    expectations = expectations_of(record.status.results)
    lines += [(each.name, f"{each.was}, expected {each.expected}") for each in expectations]
    width = max(len(name) for name, value in lines if value)
    for name, value in lines:
        if value:
            typer.echo(f"{name:{width}}  {clean(value)}")


@app.command()
def watch(run_id: RunId) -> None:
    """Watch a run to its end; Ctrl-C leaves it running. Exit code 0 if it succeeded, 130 if it was stopped, else 1."""
    from compecon.commands.watching import follow

    store = open_runs()
    raise typer.Exit(follow(store, found(store, run_id).run_id))


@app.command()
def log(
    run_id: RunId, number: Annotated[int, typer.Option("-n", "--lines", min=1, help="Number of lines.")] = 40
) -> None:
    """Print the end of a run's log."""
    from compecon.files.durable import tail
    from compecon.runs.folder import LOG

    lines = tail(found(open_runs(), run_id).folder / LOG).splitlines()
    for line in lines[-number:]:
        typer.echo(clean(line))


@app.command()
def delete(run_ids: RunIds) -> None:
    """Move finished runs to the trash."""
    store = open_runs()
    for name in run_ids or ():
        typer.echo(f"{found(store, name).run_id} is now {store.delete(found(store, name).run_id)}")


@app.command()
def restore(run_id: Annotated[str, typer.Argument(metavar="ID", help="Name of a deleted run.")]) -> None:
    """Restore a run from the trash."""
    store = open_runs()
    store.restore(run_id)
    typer.echo(str(store.folder(run_id)))


@app.command()
def diff(first: RunId, second: RunId, json: Json = False) -> None:
    """Compare the settings and versions of two runs."""
    from compecon.views.runs.spec_diff import spec_diff

    store = open_runs()
    before, after = found(store, first), found(store, second)
    changes = spec_diff(before.spec, after.spec)
    if json:
        print_json([asdict(change) for change in changes])
        return
    for line in table(("", before.run_id, after.run_id), ((each.name, each.before, each.after) for each in changes)):
        typer.echo(line)
    if not changes:
        typer.echo("Same settings and versions.")


@app.command()
def duplicate(
    run_id: RunId, changes: _Set = None, title: Annotated[str, typer.Option(help="Title of the new run.")] = ""
) -> None:
    """Run the settings of a run again, changed or not."""
    from compecon.commands.background import submit
    from compecon.commands.values import read_setting
    from compecon.runs.executors.choice import executor_of
    from compecon.runs.run_state import submitted_spec
    from compecon.runs.submission import new_spec

    store = open_runs()
    record = found(store, run_id)
    old = submitted_spec(record.folder)
    given = dict(read_setting(old.recipe, text) for text in changes or ())
    spec = new_spec(
        old.recipe, {**old.params, **given}, title=title or old.title, parent_run=record.run_id, priority=old.priority
    )
    submit(executor_of(record, store), store, spec)


@app.command()
def slots(
    given: Annotated[list[str] | None, typer.Argument(metavar="cpu=2|gpu=1", help="Number of runs at a time.")] = None,
) -> None:
    """Show or set how many runs use the CPU and the GPUs at a time."""
    from compecon.runs.queue import Queue

    home = open_runs().home
    for text in given or ():
        device, _, number = text.partition("=")
        if not (number.isascii() and number.isdigit()):
            raise RunError(f"slots are given as cpu=2 or gpu=1, got {text!r}.")
        try:
            home.set_slots(device, int(number))
        except RunError:
            raise
        except ValueError as error:
            raise RunError(str(error)) from error
    for device in ("cpu", "gpu"):
        queue = Queue.of_device(home, device)
        typer.echo(f"{device}={queue.n_slots}, {len(queue.waiting())} waiting")


@app.command()
def priority(
    given: Annotated[str, typer.Argument(metavar="background|normal", help="Default for runs that set none.")] = "",
) -> None:
    """Show or set the CPU priority of future runs that set none."""
    home = open_runs().home
    if given:
        try:
            home.set_priority(given)
        except ValueError as error:
            raise RunError(str(error)) from error
    typer.echo(home.priority)


def _row(record: RunRecord, *, whole: bool = False) -> tuple[str, ...]:
    from compecon.views.runs.pace import step_durations
    from compecon.views.runs.run_rows import left_of, reason_of, stage_of

    left = left_of(record, step_durations(recent_steps(record))) if not record.state.is_finished else ""
    state = f"{record.state.lower()}{', halted' if record.is_stalled else ''}"
    title = record.title if whole or len(record.title) <= 40 else f"{record.title[:39]}…"
    return record.run_id, state, title, stage_of(record), left, reason_of(record)


def _summary(record: RunRecord) -> Mapping[str, Any]:
    _, _, _, progress, left, why = _row(record)
    return {
        "run_id": record.run_id,
        "state": record.state.value,
        "stalled": record.is_stalled,
        "title": record.title,
        "recipe": record.spec.recipe,
        "sweep": record.spec.sweep,
        "progress": progress,
        "left": left,
        "reason": why,
        "attempt": record.status.attempt,
        "created_at": record.spec.created_at,
        "folder": str(record.folder),
        "checkpoint": str(record.checkpoint) if record.checkpoint else None,
        "results": dict(record.status.results),
    }


def _command(record: RunRecord) -> str:
    import shlex

    from compecon.errors import CompeconError
    from compecon.runs.submission import recipe_named

    try:
        words = recipe_named(record.spec.recipe).command(record.spec.params)
        return shlex.join(("compecon", *words)) if words else ""
    except CompeconError:  # of a recipe, or with a setting, that this version no longer has
        return ""
