"""`--background`: a command as a run that outlives the terminal."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.commands.fields import read, sign, typed_values, with_options
from compecon.settings.setting import Setting

if TYPE_CHECKING:
    from compecon.runs.executors.executor import Executor
    from compecon.runs.run_record import RunSpec
    from compecon.runs.store import RunStore

_Background = Annotated[
    bool, typer.Option("--background", help="Submit as a background run and return at once; see `compecon runs`.")
]
_Title = Annotated[str, typer.Option("--title", help="With --background: title of the run.")]
ExecutorName = Annotated[
    str, typer.Option("--executor", metavar="local|ray", help="What runs background runs: this machine or a cluster.")
]
Priority = Annotated[
    str,
    typer.Option(
        "--priority",
        metavar="background|normal",
        help="CPU priority of background runs on a busy machine; default: that of `compecon runs priority`.",
    ),
]
RayAddress = Annotated[
    str, typer.Option("--ray-address", help="Address of a Ray cluster's job server; or set COMPECON_RAY_ADDRESS.")
]
DryRun = Annotated[
    bool,
    typer.Option(
        "--dry-run", help="Print how the task was understood, including which class is which output, and exit."
    ),
]
_DEFAULTS = {"title": "", "executor": "local", "ray_address": "", "priority": ""}


def with_background(function: Callable[..., None], recipe: str, settings: Sequence[Setting]) -> Callable[..., None]:
    """A command with all settings of a recipe that can be submitted as a run instead.

    Args:
        function: As for `with_options`. Options beside the settings, such as a new folder, do not apply to a run.
        recipe: Name of the equivalent recipe.
        settings: Its settings on the command line.
    """
    here = with_options(function, settings)
    names = {setting.name for setting in settings}
    own = dict(inspect.signature(here).parameters)
    needed = [name for name, each in own.items() if name not in names and each.default is inspect.Parameter.empty]

    def command(background: bool, dry_run: bool, **given: Any) -> None:
        about = {name: given.pop(name) for name in _DEFAULTS}
        if dry_run:
            _dry_run(_spec(recipe, typed_values(settings, given)), as_json=bool(given.get("json")))
            return
        if background:
            if surplus := [name for name in own if name not in names and given[name] not in (own[name].default, None)]:
                raise typer.BadParameter("it does not apply to background runs.", param_hint=f"--{surplus[0]}")
            executor, address = about.pop("executor"), about.pop("ray_address")
            _background(_spec(recipe, typed_values(settings, given), **about), executor, address)
            return
        for name, value in about.items():
            if value != _DEFAULTS[name]:
                raise typer.BadParameter("it needs --background.", param_hint=f"--{name.replace('_', '-')}")
        if missing := [name for name in needed if given[name] is None]:
            raise typer.BadParameter("missing; it is optional only with --background.", param_hint=f"--{missing[0]}")
        here(**given)

    more = inspect.signature(_options, eval_str=True).parameters.values()
    parameters = [_optional(each) if each.name in needed else each for each in own.values()]
    sign(command, function, [*parameters, *(each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in more)])
    return command


def submit(executor: Executor, store: RunStore, spec: RunSpec) -> str:
    """Submit a run after a preflight check; its name goes to stdout, how to watch it to stderr."""
    preflight(store, spec)
    run_id = executor.submit(spec)
    typer.echo(run_id)
    typer.echo(f"Watch it with `compecon runs watch {run_id}`, stop it with `compecon stop {run_id}`.", err=True)
    return run_id


def preflight(store: RunStore, spec: RunSpec, *, n_waiting: int = 0) -> None:
    """Print on stderr what a run will work on and take; refuse one without room, or with unusable data."""
    from compecon.runs.look_ahead import look_ahead

    say_understood(spec.recipe, spec.params, err=True)
    ahead = look_ahead(store, spec, n_waiting=n_waiting)
    ahead.require()
    for sentence in ahead.sentences:
        typer.echo(sentence, err=True)


def say_understood(recipe: str, params: Mapping[str, Any], *, reads_all: bool = False, err: bool = False) -> None:
    """Print how a task was understood, and which class is which output.

    Args:
        recipe: Name of the recipe.
        params: Its checked values.
        reads_all: Whether to read a task that is not a local file too.
        err: Whether to print on stderr.
    """
    from compecon.commands.options import plainly
    from compecon.tasks.understood_task import understood

    with plainly():
        found = understood(recipe, params, reads_all=reads_all)
    for line in found.lines:
        typer.echo(line, err=err)
    found.require()


def _spec(recipe: str, params: Mapping[str, Any], **about: str) -> RunSpec:
    from compecon.runs.submission import new_spec

    spec: RunSpec = read(lambda given: {"spec": new_spec(recipe, given, **about)}, params)["spec"]
    return spec


def _dry_run(spec: RunSpec, *, as_json: bool) -> None:
    if not as_json:
        say_understood(spec.recipe, spec.params, reads_all=True)
        return
    from compecon.commands.home import print_json
    from compecon.commands.options import plainly
    from compecon.tasks.understood_task import understood

    with plainly():
        found = understood(spec.recipe, spec.params, reads_all=True)
    print_json({"understood": list(found.lines)})
    found.require()


def _background(spec: RunSpec, executor: str, ray_address: str) -> None:
    from compecon.commands.home import open_runs
    from compecon.runs.executors.choice import executor_for
    from compecon.runs.executors.ray import Cluster

    store = open_runs()
    submit(executor_for(executor, store, Cluster.from_environment(ray_address)), store, spec)


def _options(
    background: _Background = False,
    dry_run: DryRun = False,
    title: _Title = "",
    executor: ExecutorName = "local",
    ray_address: RayAddress = "",
    priority: Priority = "",
) -> None: ...


def _optional(parameter: inspect.Parameter) -> inspect.Parameter:
    kind: Any = parameter.annotation.__origin__
    [shown] = parameter.annotation.__metadata__
    return parameter.replace(default=None, annotation=Annotated[kind | None, shown])
