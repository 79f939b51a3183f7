"""Options that several commands share, and the parsing of their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from compecon.errors import CompeconError, TrainingInterruptedError
from compecon.files.complete import MARKER

Value = TypeVar("Value")
NOTHING_SAVED = "nothing was saved."
UNSAVED_TRAINING = f"{NOTHING_SAVED} Use --save-every to make a training resumable."

TaskName = Annotated[
    str, typer.Option("--task", help="Task by name, such as sst2, mnli, xnli/de, wikitext-2, or files:PATH.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; an error describes its layout. Default: download from the Hub."),
]
MaxTokens = Annotated[int, typer.Option(min=2, help="Maximum number of tokens; longer texts are truncated.")]
Base = Annotated[
    str, typer.Option("--base", help="Checkpoint to start from: bundled name, folder, or Hub id in the cache.")
]
Source = Annotated[str, typer.Argument(metavar="CHECKPOINT", help="Bundled name, folder, or Hub id in the cache.")]
NewFolder = Annotated[Path, typer.Option("--out", help="Folder for the new checkpoint; must be new or empty.")]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda, cuda:1 or mps.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")]


def parse_list(text: str, kind: Callable[[str], Value], option: str) -> tuple[Value, ...]:
    """Values separated by commas."""
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        what = {int: "whole numbers", float: "numbers"}.get(kind, "values")  # type: ignore[call-overload]
        why = f" ({error})" if what == "values" else ""
        raise CompeconError(f"{option} takes {what} separated by commas, got {text!r}{why}.") from error


def training_folder(out: Path) -> Path:
    """Where checkpoints of a training go: beside the new checkpoint."""
    whole = out.expanduser().absolute()
    return whole.with_name(f"{whole.name}.training")


@contextmanager
def plainly(kept: Path | None = None, left: str = NOTHING_SAVED) -> Iterator[None]:
    """Turn expected errors into one sentence; anything else is a bug.

    Args:
        kept: Where checkpoints of a training are, if it saves any; an early end says what to do with them.
        left: Else, what an early end leaves behind; ends its sentence.
    """
    try:
        yield
    except (KeyboardInterrupt, TrainingInterruptedError) as stop:
        raise TrainingInterruptedError(_left(stop, kept, left)) from stop
    except FloatingPointError as error:
        beside = f" The last good checkpoint of the training is in {kept}." if kept and any(kept.rglob(MARKER)) else ""
        raise CompeconError(f"{str(error)[:1].upper()}{str(error)[1:]}{beside}") from error
    except (ValueError, FileNotFoundError) as error:
        if isinstance(error, CompeconError):
            raise
        raise CompeconError(str(error)) from error


def _left(stop: BaseException, kept: Path | None, left: str) -> str:
    at = str(stop).split(". ")[0] if isinstance(stop, TrainingInterruptedError) else "Interrupted"
    if kept is not None and any(kept.rglob(MARKER)):
        return f"{at}; run the same command again to continue from there."
    return f"{at.removesuffix('.')}; {left}"
