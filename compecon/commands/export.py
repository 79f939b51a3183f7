"""`compecon export`: a checkpoint as a folder that other programs open, or a run as files that they read."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.options import plainly
from compecon.errors import CompeconError

if TYPE_CHECKING:
    from torch import Tensor

    from compecon.runs.run_record import RunRecord

_FILE = "model.onnx"


class Target(StrEnum):
    """What a run can be written as."""

    CSV = "csv"
    PARQUET = "parquet"
    TENSORBOARD = "tensorboard"
    MODEL = "model"


_Source = Annotated[str, typer.Argument(metavar="CHECKPOINT|RUN", help="A checkpoint; with --to, the name of a run.")]
_Folder = Annotated[Path | None, typer.Argument(help="New folder for the copy of a checkpoint.")]
_Budget = Annotated[
    float | None,
    typer.Option("--budget", help="Of an elastic checkpoint, only the size for this share of the MACs, in (0, 1]."),
]
_Onnx = Annotated[bool, typer.Option("--onnx", help=f"Also write {_FILE} there, which any ONNX runtime can run.")]
_To = Annotated[
    Target | None, typer.Option("--to", help="Export a run: its metrics and events, or its model with a model card.")
]
_Out = Annotated[Path | None, typer.Option("--out", help="With --to: new folder; default: named after the run.")]


def export(
    source: _Source,
    folder: _Folder = None,
    budget: _Budget = None,
    onnx: _Onnx = False,
    to: _To = None,
    out: _Out = None,
) -> None:
    """Export a checkpoint as a folder that plain transformers opens, or a run as files for other programs."""
    if to is not None:
        if folder is not None or onnx or budget is not None:
            raise typer.BadParameter("a run is exported to --out.", param_hint="--to")
        _export_run(source, to, out)
        return
    if folder is None or out is not None:
        raise typer.BadParameter("give a folder for the copy of a checkpoint; --out goes with --to.")
    if onnx:
        _require_writers()
    with plainly():
        target = _whole(source, folder) if budget is None else _size(source, folder, budget)
        typer.echo(str(target))
        if onnx:
            typer.echo(str(_written(target)))


def _whole(source: str, folder: Path) -> Path:
    from compecon.checkpoints.save import materialise

    return materialise(source, folder)


def _size(source: str, folder: Path, budget: float) -> Path:
    """One size of an elastic checkpoint as a checkpoint of its own."""
    from compecon.checkpoints.load import load_checkpoint
    from compecon.checkpoints.save import require_empty, save_checkpoint

    require_empty(folder)
    whole = load_checkpoint(source, "cpu")
    size = whole.at(budget)
    origin = {"method": "a size of an elastic checkpoint", "parent": whole.name, "parent_digest": whole.digest}
    record = {"title": size.name, "training": {**origin, "budget": budget}}
    return save_checkpoint(size.model, size.tokenizer, folder, record=record)


def _export_run(name: str, to: Target, out: Path | None) -> None:
    from compecon.commands.home import found, open_runs
    from compecon.runs.metrics_export import history_of, write_csv, write_parquet, write_tensorboard

    record = found(open_runs(), name)
    folder = (out or Path(f"{record.run_id}-{to.value}")).expanduser()
    if to is Target.MODEL:
        typer.echo(str(_copied(record, folder)))
        return
    history = history_of(record)
    if to is Target.TENSORBOARD:
        written = write_tensorboard(history, folder, _settings(record))
    else:
        written = (write_csv if to is Target.CSV else write_parquet)(history, folder)
    for path in written:
        typer.echo(str(path))


def _copied(record: RunRecord, folder: Path) -> Path:
    """A copy of a run's checkpoint with a model card."""
    import shutil

    from compecon.checkpoints.save import require_empty
    from compecon.runs.run_card import run_card

    if record.checkpoint is None:
        raise CompeconError(f"{record.run_id} is {record.state.lower()} and has no checkpoint to export.")
    require_empty(folder)
    card = run_card(record)
    shutil.copytree(record.checkpoint, folder, dirs_exist_ok=True)
    (folder / "README.md").write_text(card, encoding="utf-8")
    return folder


def _settings(record: RunRecord) -> str:
    from compecon.views.runs.spec_diff import shown

    lines = (f"| {name} | {shown(value)} |" for name, value in record.spec.params.items())
    return "\n".join(("| setting | value |", "|---|---|", *lines))


def _require_writers() -> None:
    """Check before anything is written: a copy without its ONNX file would block a second try."""
    from compecon.compression.onnx import require_writers

    try:
        require_writers()
    except ImportError as error:
        raise CompeconError(str(error)) from error


def _written(folder: Path) -> Path:
    from compecon.checkpoints.load import load_checkpoint
    from compecon.compression.onnx import export_onnx

    checkpoint = load_checkpoint(folder, "cpu")
    batch: dict[str, Tensor] = checkpoint.encode("A text of some length.").batch
    return export_onnx(checkpoint.model, batch, folder / _FILE)
