"""`compecon sweep`: one recipe at many points, as runs that belong together."""

from __future__ import annotations

import json as json_format
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.background import DryRun, ExecutorName, Priority, RayAddress, say_understood
from compecon.commands.fields import with_options
from compecon.commands.home import clean, open_runs, print_json, table
from compecon.commands.options import Json
from compecon.errors import RunError
from compecon.runs.jobs.job_registry import RECIPES
from compecon.settings.setting import Setting

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor
    from compecon.runs.store import RunStore
    from compecon.runs.sweeps.points import Points
    from compecon.runs.sweeps.sweep_table import SweepRow

app = typer.Typer(no_args_is_help=True, help="Run a recipe at many points: a grid, a list, or proposed points.")
_Grid = Annotated[
    list[str] | None,
    typer.Option("--grid", metavar="NAME=V,V", help="Values of a setting; with several, every combination."),
]
_Points = Annotated[
    Path | None,
    typer.Option("--points", help="Or a file of points: .json, .jsonl, or .csv with one column per setting."),
]
_Propose = Annotated[
    int | None,
    typer.Option(
        "--propose", min=1, help="Or the number of points that Optuna proposes, trading quality against MACs."
    ),
]
_Over = Annotated[
    list[str] | None,
    typer.Option(
        "--over", metavar="NAME=LOW:HIGH[:log]", help="With --propose: range or values of a setting; repeatable."
    ),
]
_Parallel = Annotated[
    int, typer.Option("--parallel", min=0, help="Runs at a time; 0 for as many as there are devices.")
]
_Title = Annotated[str, typer.Option("--title", help="Title; a different title makes a new sweep.")]
_MOST_SHOWN = 50  # points


def _sweep_of(recipe: str, settings: Sequence[Setting]) -> Callable[..., None]:
    def sweep(  # noqa: PLR0913 - one option each
        params: Mapping[str, Any],
        grid: _Grid = None,
        points: _Points = None,
        propose: _Propose = None,
        over: _Over = None,
        parallel: _Parallel = 0,
        title: _Title = "",
        executor: ExecutorName = "local",
        ray_address: RayAddress = "",
        priority: Priority = "",
        dry_run: DryRun = False,
    ) -> None:
        from compecon.runs.executors.choice import executor_for
        from compecon.runs.executors.ray import Cluster

        if sum((bool(grid), points is not None, propose is not None)) != 1 or bool(over) != (propose is not None):
            raise typer.BadParameter("give --grid, or --points, or --propose with --over.")
        store = open_runs()
        chosen = executor_for(executor, store, Cluster.from_environment(ray_address))
        shared, about = _given(settings, params), {"title": title, "priority": priority}
        if dry_run:
            chosen_points = None if propose is not None else tuple(_points(recipe, shared, grid or [], points))
            _dry_run(recipe, shared, chosen_points, propose or 0)
            return
        if propose is not None:
            _search(chosen, store, (recipe, shared), over or [], (propose, parallel or 1), about)
            return
        _submit(chosen, store, _points(recipe, shared, grid or [], points), parallel, about)

    sweep.__doc__ = f"Run {RECIPES[recipe].label.lower()} at each point, in the background."
    return with_options(sweep, [_loose(setting) for setting in settings])


@app.command("list")
def list_sweeps(json: Json = False) -> None:
    """List sweeps, newest first."""
    from compecon.runs.sweeps.sweep_table import sweep_record, sweeps

    store, lines = open_runs(), []
    for sweep_id in sweeps(store.home):
        try:
            record = sweep_record(store, sweep_id)
        except RunError as error:
            lines.append((sweep_id, "", "", str(error)))
            continue
        states = ", ".join(f"{n} {state.lower()}" for state, n in record.counts.items())
        lines.append((sweep_id, record.sweep.recipe, states, record.sweep.title))
    if json:
        names = ("sweep", "recipe", "states", "title")
        print_json([dict(zip(names, line, strict=True)) for line in lines])
        return
    for line in table(("ID", "RECIPE", "RUNS", "TITLE"), lines):
        typer.echo(line)


@app.command()
def show(sweep_id: Annotated[str, typer.Argument(metavar="ID", help="Name of a sweep.")], json: Json = False) -> None:
    """Show a sweep's runs by state, and the result of each point."""
    from compecon.runs.sweeps.sweep_table import sweep_record

    record = sweep_record(open_runs(), sweep_id)
    if json:
        rows = [asdict(row) for row in record.rows]
        print_json({**record.sweep.as_json(), "sweep_id": sweep_id, "counts": record.counts, "rows": rows})
        return
    states = ", ".join(f"{n} {state.lower()}" for state, n in record.counts.items())
    typer.echo(f"{sweep_id} {clean(record.sweep.title)}: {states or 'no run yet'}")
    axes = list(dict.fromkeys(name for row in record.rows for name in row.point))
    for line in table((*axes, "STATE", "METRIC", "MACS", "TIME", "RUN"), (_line(row, axes) for row in record.rows)):
        typer.echo(line)


def _dry_run(recipe: str, shared: Mapping[str, Any], points: Sequence[Mapping[str, Any]] | None, n: int) -> None:
    """Print the points, and for each distinct task and checkpoint how it was understood."""
    from compecon.runs.submission import new_spec

    typer.echo(f"{len(points)} runs:" if points else f"{n} runs at points that are proposed as they end.")
    for point in (points or ())[:_MOST_SHOWN]:
        typer.echo("  " + " ".join(f"{name}={value}" for name, value in point.items()))
    if points and len(points) > _MOST_SHOWN:
        typer.echo(f"  and {len(points) - _MOST_SHOWN} more")
    said = set[tuple[str, ...]]()
    for point in points or ({},):
        params = new_spec(recipe, {**shared, **point}).params
        names = tuple(str(params.get(name)) for name in ("task", "data", "base", "checkpoint", "skip_bad_rows"))
        if names not in said:
            said.add(names)
            say_understood(recipe, params, reads_all=True)


def _submit(executor: Executor, store: RunStore, points: Points, parallel: int, about: Mapping[str, str]) -> None:
    from compecon.commands.background import preflight
    from compecon.runs.submission import new_spec
    from compecon.runs.sweeps.sweep import submit_sweep
    from compecon.runs.sweeps.sweep_table import sweep_record

    preflight(store, new_spec(points.recipe, {**points.params, **points.points[0]}, **about), n_waiting=len(points) - 1)
    key = _key(points.recipe, points.params, list(points), parallel, about["title"])
    sweep_id = submit_sweep(executor, store.home, points, parallel=parallel, key=key, **about)
    typer.echo(sweep_id)
    counts = sweep_record(store, sweep_id).counts
    states = ", ".join(f"{n} {state.lower()}" for state, n in counts.items())
    typer.echo(f"{len(points)} runs: {states}. See `compecon sweep show {sweep_id}`.", err=True)


def _search(
    executor: Executor,
    store: RunStore,
    shared: tuple[str, Mapping[str, Any]],
    over: Sequence[str],
    number: tuple[int, int],
    about: Mapping[str, str],
) -> None:
    from compecon.commands.background import preflight
    from compecon.commands.values import read_range
    from compecon.commands.watching import follow_search
    from compecon.runs.submission import new_spec
    from compecon.runs.sweeps.points import Points, named
    from compecon.runs.sweeps.search import Search, begin_search

    (recipe, params), (n_runs, parallel) = shared, number
    search = Search(tuple(read_range(recipe, text) for text in over), n_runs, parallel=parallel)
    upper = {axis.name: axis.ends[-1] for axis in search.axes}
    typer.echo(f"{n_runs} runs, {parallel} at a time. What one takes, at {named(upper)}:", err=True)
    preflight(store, new_spec(recipe, {**params, **upper}, **about), n_waiting=min(parallel, n_runs) - 1)
    key = _key(recipe, params, [asdict(axis) for axis in search.axes], n_runs, about["title"])
    sweep = begin_search(executor, store.home, Points(recipe, params, ()), search, key=key, **about)
    typer.echo(sweep.sweep_id)
    raise typer.Exit(follow_search(executor, store, sweep.sweep_id))


def _points(recipe: str, shared: Mapping[str, Any], texts: Sequence[str], path: Path | None) -> Points:
    from compecon.commands.values import read_axis, read_points
    from compecon.runs.sweeps.points import grid, listed

    if path is not None:
        return listed(recipe, shared, read_points(recipe, path))
    axes = [read_axis(recipe, text) for text in texts]
    if len(dict(axes)) < len(axes):
        raise RunError("A setting appears in two --grid options. Give all of its values in one.")
    return grid(recipe, shared, dict(axes))


def _given(settings: Sequence[Setting], params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that differ from the defaults."""
    defaults = {each.name: each.default for each in settings}
    return {name: value for name, value in params.items() if value is not None and value != defaults[name]}


def _key(*parts: Any) -> str:
    """The same command again is the same sweep: it completes an interrupted submission."""
    return json_format.dumps(parts, sort_keys=True)


def _loose(setting: Setting) -> Setting:
    """A required setting that a point may give instead."""
    return replace(setting, required=False, optional=True) if setting.required else setting


def _line(row: SweepRow, axes: Sequence[str]) -> tuple[str, ...]:
    from compecon.views.checked_values import number, text
    from compecon.views.runs.spec_diff import shown

    point = [shown(row.point[name]) if name in row.point else "" for name in axes]
    value, low, high = (number(row.metric, name) for name in ("value", "low", "high"))
    metric = "" if value is None else f"{text(row.metric, 'name')} {value:.4g}"
    between = f" [{low:.4g}, {high:.4g}]" if low is not None and high is not None else ""
    ratio = number(row.latency, "ratio")
    return (
        *point,
        row.state.lower() if row.state else "missing",
        metric + between,
        f"{row.macs:,}" if row.macs is not None else "",
        f"{ratio:.2f} x" if ratio is not None else "",
        row.run_id,
    )


for _recipe in RECIPES.values():
    app.command(_recipe.name)(_sweep_of(_recipe.name, _recipe.options))
