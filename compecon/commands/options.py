"""Options that several commands have, and how what was typed becomes values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from compecon.errors import CompeconError

Value = TypeVar("Value")

TaskName = Annotated[
    str, typer.Option("--task", help="Task by name, such as sst2, mnli, xnli/de, wikitext-2, or files:PATH.")
]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder; the Hub's copies if not given.")]
MaxTokens = Annotated[int, typer.Option(min=2, help="Longer texts are cut.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object on stdout.")]


def listed(text: str, kind: Callable[[str], Value], option: str) -> tuple[Value, ...]:
    """Values separated by commas.

    Raises:
        CompeconError: If one of them is none.
    """
    try:
        return tuple(kind(part) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise CompeconError(f"{option} takes values separated by commas, got {text!r} ({error}).") from error


@contextmanager
def plainly() -> Iterator[None]:
    """Settings out of range and absent files as one sentence; anything else is a fault of the program."""
    try:
        yield
    except (ValueError, FileNotFoundError, FloatingPointError) as error:
        if isinstance(error, CompeconError):
            raise
        raise CompeconError(str(error)) from error
