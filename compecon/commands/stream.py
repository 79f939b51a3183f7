"""`compecon stream`: what each size of an elastic checkpoint answers, as a stream for the Allocation page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.options import Data, Device, Json, Source, TaskName, parse_list, plainly
from compecon.commands.progress_bar import terminal_callbacks

if TYPE_CHECKING:
    from compecon.allocation.streams.stream import Stream

_Sizes = Annotated[str, typer.Option(help="Shares of the MACs, separated by commas; default: those that were trained.")]
_Rows = Annotated[int, typer.Option("--rows", min=2, max=100_000, help="Rows, evenly spaced over the split.")]
_Out = Annotated[
    Path | None, typer.Option("--out", help="Folder for the stream; default: where the Allocation page finds it.")
]


def stream(  # noqa: PLR0913 - one option each
    checkpoint: Source,
    task: TaskName,
    data: Data = None,
    split: Annotated[str, typer.Option(help="Split of the rows.")] = "test",
    rows: _Rows = 400,
    sizes: _Sizes = "",
    name: Annotated[str, typer.Option(help="Name of the stream; default: CHECKPOINT-TASK.")] = "",
    out: _Out = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Measure on each row what every size of an elastic checkpoint answers, against the MACs that it takes.

    On the Allocation page, rows then choose sizes at one price.
    """
    with plainly(left="nothing was written."), terminal_callbacks() as callbacks:
        budgets = parse_list(sizes, float, "--sizes")
        from compecon.allocation.streams.bundled_streams import require_stream_name

        if name:
            require_stream_name(name)
        from compecon.checkpoints.load import load_checkpoint
        from compecon.errors import TaskError
        from compecon.serving.distinct import distinct_sizes
        from compecon.studies import build_streams as streams
        from compecon.tasks.task import Task
        from compecon.tasks.task_registry import read_task

        opened = load_checkpoint(checkpoint, device)
        budgets = distinct_sizes(opened, budgets)
        read = read_task(task, data)
        if not isinstance(read, Task):
            raise TaskError(f"{read.name} has no answers that are right or wrong. Take a task of classes or scores.")
        made = streams.elastic_stream(opened, read, split, budgets=budgets, n_rows=rows, name=name, callbacks=callbacks)
        labels = tuple(f"{budget:g}" for budget in budgets)
        title = f"{opened.name}: correct answers of {read.name} against size"
        about = f"{opened.name} at {', '.join(labels)} of the MACs; {streams.described_rows(read, split, rows)}"
        file = streams.write_stream(made, out or _kept(), title=title, description=about, levels=labels)
    _tell(made, labels, file, json=json)


def _kept() -> Path:
    from compecon.runs.home import Home

    return Home.default().streams


def _tell(made: Stream, labels: tuple[str, ...], file: Path, *, json: bool) -> None:
    from compecon.commands.home import print_json, table

    means = zip(labels, made.levels.mean(axis=0).tolist(), made.correct.mean(axis=0).tolist(), strict=True)
    sizes = [{"size": label, "macs": macs, "correct": correct} for label, macs, correct in means]
    once = float(made.correct.max(axis=1).mean())
    if json:
        print_json({"stream": made.name, "file": str(file), "queries": len(made.queries), "sizes": sizes, "any": once})
        return
    lines = [(str(one["size"]), f"{one['macs']:,.0f}", f"{one['correct']:.1%}") for one in sizes]
    for line in table(("size", "MACs of a row", "correct"), lines):
        typer.echo(line)
    typer.echo(f"{once:.1%} of the {len(made.queries):,} rows are answered correctly at one size at least.")
    typer.echo(f"{file}: the Allocation page lists it as {made.name}.")
