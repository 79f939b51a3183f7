"""`compecon experiment`: the experiments behind the figures, from training to report."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.options import Data, MaxTokens, TaskName, parse_list, plainly
from compecon.errors import CompeconError

if TYPE_CHECKING:
    from compecon.studies.frontier_plan import FrontierPlan, Study
    from compecon.tasks.task import Task

app = typer.Typer(no_args_is_help=True, help="Run an experiment and write its report; finished parts are reused.")
_BUNDLED = "bundled"
_Base = Annotated[
    str, typer.Option(help="Checkpoint to start from; 'bundled' is the encoder from which the bundled ones were cut.")
]
_DenseEpochs = Annotated[
    float, typer.Option(help="Epochs of dense training for each seed; 0 if the base is already trained on the task.")
]
_Out = Annotated[
    Path, typer.Option(help="Folder for records, models and report; run again with the same folder to continue.")
]


@app.callback()
def _group() -> None:
    """Keep subcommands, even if there is only one."""


@app.command()
def frontier(  # noqa: PLR0913 - one option each
    task: TaskName,
    out: _Out,
    data: Data = None,
    base: _Base = _BUNDLED,
    dense_epochs: _DenseEpochs = 3,
    epochs: Annotated[float, typer.Option(help="Epochs of every arm after the dense training.")] = 1.5,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows per step.")] = 16,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of every arm.")] = 1e-4,
    targets: Annotated[str, typer.Option(help="Shares of the MACs of heads and neurons.")] = "0.6,0.5,0.4,0.3",
    screened: Annotated[
        str, typer.Option(help="Targets at which all rivals run, to choose the finalists.")
    ] = "0.5,0.3",
    prices: Annotated[str, typer.Option(help="Fixed prices to try, on the first seed.")] = "0.3,1,3",
    ablated: Annotated[
        str, typer.Option(help="Shares at which heads alone, neurons alone and both are priced, on the first seed.")
    ] = "",
    seeds: Annotated[str, typer.Option(help="Seeds.")] = "0,1,2",
    methods: Annotated[str, typer.Option(help="Post-hoc pruning rivals; all if empty.")] = "",
    finalists: Annotated[int, typer.Option(min=1, help="Number of finalists, run at all targets and seeds.")] = 2,
    max_tokens: MaxTokens = 128,
) -> None:
    """Measure quality against MACs: incentives and post-hoc pruning with the same steps and teacher."""
    from compecon.compression.importance import IMPORTANCES
    from compecon.studies.experiment import frontier_report
    from compecon.studies.experiment_report import write_report
    from compecon.studies.frontier_plan import FrontierPlan
    from compecon.training.training_settings import FineTuneSettings

    with plainly():
        after = FineTuneSettings(
            epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, freeze_embeddings=True
        )
        plan = FrontierPlan(
            targets=parse_list(targets, float, "--targets"),
            screened=parse_list(screened, float, "--screened"),
            prices=parse_list(prices, float, "--prices"),
            ablated=parse_list(ablated, float, "--ablated"),
            seeds=parse_list(seeds, int, "--seeds"),
            dense=FineTuneSettings(epochs=dense_epochs, freeze_embeddings=True) if dense_epochs else None,
            after=after,
            methods=parse_list(methods, str, "--methods") or tuple(IMPORTANCES),
            finalists=finalists,
            max_tokens=max_tokens,
        )
        study = _study(base, _task(task, data, base), data, plan, out)
        files = write_report(frontier_report(study), study.task.score, out)
        for path in (*files, _figure(files[0])):
            typer.echo(str(path))


@app.command()
def elastic(  # noqa: PLR0913 - one option each
    task: TaskName,
    out: _Out,
    data: Data = None,
    base: _Base = _BUNDLED,
    dense_epochs: _DenseEpochs = 3,
    steps: Annotated[int, typer.Option(min=1, help="Steps of one elastic training.")] = 1000,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate of every arm.")] = 2e-4,
    budgets: Annotated[str, typer.Option(help="Shares of the MACs to compare, falling.")] = "0.6,0.45,0.3,0.2,0.1,0.05",
    arms: Annotated[str, typer.Option(help="Arms to run; all if empty.")] = "",
    seeds: Annotated[str, typer.Option(help="Seeds.")] = "0,1,2",
    max_tokens: MaxTokens = 128,
) -> None:
    """Measure one training of every size against rivals whose trainings cost as many MACs together."""
    from compecon.studies.elastic_arms import ARMS
    from compecon.studies.elastic_experiment import run_elastic, write_elastic
    from compecon.studies.frontier_plan import FrontierPlan
    from compecon.training.elastic_settings import ElasticSettings
    from compecon.training.training_settings import FineTuneSettings

    with plainly():
        sizes = parse_list(budgets, float, "--budgets")
        plan = FrontierPlan(
            targets=sizes,
            seeds=parse_list(seeds, int, "--seeds"),
            dense=FineTuneSettings(epochs=dense_epochs, freeze_embeddings=True) if dense_epochs else None,
            after=FineTuneSettings(steps=steps, learning_rate=learning_rate, freeze_embeddings=True),
            max_tokens=max_tokens,
        )
        trained = ElasticSettings(budgets=sizes if max(sizes, default=0) == 1 else (1.0, *sizes))
        study = _study(base, _task(task, data, base), data, plan, out)
        run_elastic(study, trained, parse_list(arms, str, "--arms") or ARMS)
        for path in write_elastic(study, trained, out):
            typer.echo(str(path))


def _figure(report: Path) -> Path:
    """The Pareto figure as a page of its own that needs no network."""
    from compecon.files.safe_reader import MEGABYTE, read_json
    from compecon.views.frontier.experiment_chart import report_figure

    path = report.with_name("frontier.html")
    report_figure(read_json(report, 16 * MEGABYTE)).write_html(path, include_plotlyjs=True)
    return path


@app.command()
def budgets(  # noqa: PLR0913 - one option each
    task: TaskName,
    out: _Out,
    data: Data = None,
    base: _Base = _BUNDLED,
    dense_epochs: _DenseEpochs = 3,
    epochs: Annotated[float, typer.Option(help="Epochs under budget dropout.")] = 2,
    learning_rate: Annotated[float, typer.Option(help="Peak learning rate.")] = 1e-4,
    seeds: Annotated[str, typer.Option(help="Seeds.")] = "0,1,2",
    max_tokens: MaxTokens = 128,
) -> None:
    """Measure quality against keys per query: dense, trained longer, and trained under budgets."""
    from compecon.provenance import command_line, hardware, versions
    from compecon.studies.any_budget import run_budgets, write_budgets
    from compecon.studies.frontier_plan import FrontierPlan, start_of
    from compecon.training.training_settings import FineTuneSettings

    with plainly():
        plan = FrontierPlan(
            seeds=parse_list(seeds, int, "--seeds"),
            dense=FineTuneSettings(epochs=dense_epochs, freeze_embeddings=True) if dense_epochs else None,
            after=FineTuneSettings(epochs=epochs, learning_rate=learning_rate, freeze_embeddings=True),
            max_tokens=max_tokens,
        )
        study = _study(base, _task(task, data, base), data, plan, out)
        rows = run_budgets(
            lambda seed: start_of(study, seed), plan.seeds, study.task, out, max_tokens=max_tokens, say=typer.echo
        )
        about = {
            "task": task,
            "metric": study.task.metric,
            "command": command_line(),
            "settings": asdict(plan.after),
            "hardware": hardware(),
            "versions": versions(),
        }
        typer.echo(str(write_budgets(rows, about, out)))


def _task(name: str, data: Path | None, base: str) -> Task:
    from compecon.tasks.task import Task
    from compecon.tasks.understood_task import task_of

    task = task_of({"task": name, "data": data, "base": None if base == _BUNDLED else base})
    if not isinstance(task, Task):
        raise CompeconError(
            f"{name} has no labels: experiments compare classification and regression models. Choose another task."
        )
    return task


def _study(base: str, task: Task, data: Path | None, plan: FrontierPlan, out: Path) -> Study:
    from compecon.studies.build_bundle import bundled_base
    from compecon.studies.experiment import study_of_base, study_of_checkpoint

    if base == _BUNDLED:
        return study_of_base(bundled_base(data), task, plan, out, typer.echo)
    return study_of_checkpoint(base, task, plan, out, typer.echo)
