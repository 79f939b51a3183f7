"""`compecon export`: a checkpoint as a folder that other programs open."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from compecon.commands.options import Source, plainly
from compecon.errors import CompeconError

if TYPE_CHECKING:
    from torch import Tensor

_FILE = "model.onnx"
_Onnx = Annotated[bool, typer.Option("--onnx", help=f"Also write {_FILE} there, which any ONNX runtime executes.")]


def export(
    checkpoint: Source,
    folder: Annotated[Path, typer.Argument(help="New folder for the copy.")],
    onnx: _Onnx = False,
) -> None:
    """Write a checkpoint as a folder of its own that plain transformers opens."""
    from compecon.checkpoints.materialise import materialise

    if onnx:
        _require_writers()
    with plainly():
        target = materialise(checkpoint, folder)
        typer.echo(str(target))
        if onnx:
            typer.echo(str(_written(target)))


def _require_writers() -> None:
    """Before anything is written: a copy without its ONNX file would be in the way of a second try."""
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
