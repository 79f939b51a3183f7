"""The ``compecon`` command. Each command imports what it needs: ``compecon --help`` must not load torch."""

from __future__ import annotations

import os
import runpy
import signal
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from compecon.commands.lazy import lazily
from compecon.errors import CompeconError, TrainingInterruptedError
from compecon.paths import dashboard_root
from compecon.registry import read_installed

app = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    help="See what a transformer does when attention costs money. Without a command: serve the dashboard.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS = {
    "train": "Fine-tune a checkpoint on a task, dense or under a price.",
    "evaluate": "Metrics of a task with 95% intervals, under key budgets.",
    "statistics": "Mean Gini, entropy and decisions under key budgets.",
    "prune": "Remove heads and neurons after training.",
    "compact": "Remove heads and neurons by name.",
    "export": "Export a checkpoint, or the files of a run.",
    "remeasure": "Measure the bundled checkpoints again.",
    "stream": "Measure what each size of an elastic checkpoint answers, for the Allocation page.",
    "allocate": "Share a budget among queries.",
    "stop": "Ask runs to save a checkpoint and stop.",
    "resume": "Continue runs that were stopped, failed or lost.",
    "doctor": "Check the runs and this machine.",
    "experiment": "Run an experiment and write its report.",
    "runs": "List, watch, change and delete background runs.",
    "sweep": "Run a recipe at many points.",
}
for _name, _about in COMMANDS.items():
    app.command(_name, cls=lazily(_name), help=_about)(lambda: None)
_Checkpoints = Annotated[
    list[Path] | None, typer.Option("--checkpoints", help="Folder with checkpoints of your own; may be repeated.")
]
_Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")]
_Browser = Annotated[
    bool, typer.Option("--browser/--no-browser", help="Open the page in the default browser; never with a token.")
]
_Host = Annotated[str, typer.Option(help="Name or address to listen on. Any other than loopback needs a token.")]
_Token = Annotated[
    str | None,
    typer.Option(
        help="Token that visitors must give: at least 16 characters, or 'auto' to generate and print one. "
        "COMPECON_TOKEN in the environment is safer, since process lists do not show it."
    ),
]
_AllowHost = Annotated[
    list[str] | None, typer.Option("--allow-host", help="Another host name of the server; may be repeated.")
]
_TrustProxy = Annotated[
    list[str] | None,
    typer.Option(
        "--trust-proxy",
        help="Address or network of a proxy whose X-Forwarded-For and X-Forwarded-Proto are trusted; may be repeated.",
    ),
]
_Threads = Annotated[
    int | None,
    typer.Option(
        envvar="COMPECON_THREADS",
        min=1,
        max=1024,
        help="Threads of a forward pass on the CPU; half of the cores, 4 at most, if not given.",
    ),
]


@app.callback(invoke_without_command=True)
def default(  # noqa: PLR0913 - the options of serve
    context: typer.Context,
    checkpoints: _Checkpoints = None,
    port: _Port = 8501,
    browser: _Browser = True,
    host: _Host = "127.0.0.1",
    token: _Token = None,
    allow_host: _AllowHost = None,
    trust_proxy: _TrustProxy = None,
    threads: _Threads = None,
) -> None:
    """Serve the dashboard unless a command was given."""
    if context.invoked_subcommand is None:
        serve(checkpoints, port, browser, host, token, allow_host, trust_proxy, threads)


@app.command()
def serve(  # noqa: PLR0913 - its options
    checkpoints: _Checkpoints = None,
    port: _Port = 8501,
    browser: _Browser = True,
    host: _Host = "127.0.0.1",
    token: _Token = None,
    allow_host: _AllowHost = None,
    trust_proxy: _TrustProxy = None,
    threads: _Threads = None,
) -> None:
    """Serve the dashboard, by default on http://localhost:8501 for this machine only."""
    folders = [_folder(path) for path in checkpoints or []]
    known = [p for p in os.environ.get("COMPECON_CHECKPOINTS", "").split(os.pathsep) if p]
    os.environ["COMPECON_CHECKPOINTS"] = os.pathsep.join([*map(str, folders), *known])
    if threads is not None:
        os.environ["COMPECON_THREADS"] = str(threads)  # for the process of models
    signal.signal(signal.SIGINT, _interrupt_once)
    from_environment = os.environ.pop("COMPECON_TOKEN", None) or None  # so that no run inherits it
    launched = runpy.run_path(str(dashboard_root() / "app" / "launch.py"))
    launched["serve"](
        port=port,
        open_browser=browser,
        say=typer.echo,
        host=host,
        token=from_environment if token is None else token,
        allow_hosts=allow_host or (),
        trust_proxies=trust_proxy or (),
    )


def _interrupt_once(_number: int, _frame: FrameType | None) -> None:
    """End the server; whoever presses Ctrl+C again while it ends gets the same end, and no traceback."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise CompeconError(
            f"--checkpoints must be a folder, got {path}. Give the folder that holds the checkpoint folders."
        )
    return path.resolve()


@app.command()
def record(
    out: Annotated[Path | None, typer.Option(help="Folder for the recordings; default: the bundled one.")] = None,
    only: Annotated[str | None, typer.Option(help="Only this checkpoint.")] = None,
) -> None:
    """Record the bundled examples, which the page shows before a model is loaded."""
    from compecon.views.attention.recording import record_examples

    record_examples(out, only=only, report=typer.echo)


@app.command()
def bundle(
    out: Annotated[Path, typer.Option(help="Folder to write the checkpoints into.")],
    data: Annotated[Path | None, typer.Option(help="Data folder; default: download from the Hub.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="Only this checkpoint; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of every training.")] = 0,
    time: Annotated[
        bool, typer.Option("--time", help="Only time the pruned checkpoints against their parents again.")
    ] = False,
) -> None:
    """Train and measure the bundled checkpoints; takes minutes to an hour on a laptop."""
    from compecon.studies.build_bundle import NAMES, build_bundle
    from compecon.studies.family import time_family

    if time:
        time_family(out, only=only or NAMES, report=typer.echo)
        return
    try:
        for folder in build_bundle(out, data, only=only or NAMES, seed=seed, report=typer.echo):
            typer.echo(str(folder))
    except (ValueError, FileNotFoundError) as error:
        raise CompeconError(str(error)) from error


@app.command()
def bench(
    only: Annotated[list[str] | None, typer.Option(help="Only this benchmark; may be repeated.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write every sample to this file.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Few samples: a quick look, not a result to quote.")] = False,
) -> None:
    """Measure the speed of page and library on this machine, each beside its goal."""
    from compecon.benchmarks.figures import Settings
    from compecon.benchmarks.run import run_benchmarks, write_outcomes

    settings = Settings(quick=quick)
    outcomes = run_benchmarks(only or (), settings, typer.echo)
    if json is not None:
        write_outcomes(json, outcomes, settings)


def main() -> None:
    """Entry point: an expected error is one sentence on stderr and exit code 1, or 130 for an interruption."""
    for sentence in read_installed():
        typer.echo(f"compecon: {sentence}", err=True)
    try:
        app()
    except TrainingInterruptedError as stop:
        typer.echo(f"compecon: {stop}", err=True)
        raise SystemExit(130) from None
    except CompeconError as error:
        typer.echo(f"compecon: {error}", err=True)
        raise SystemExit(1) from None
