"""Progress on stderr, and a clean end on Ctrl-C."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import typer

if TYPE_CHECKING:
    from compecon.callbacks import Callbacks, StepRecord

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_LINES = 10  # of a stage, where there is no terminal to draw on


@final
class ProgressBar:
    """A bar with pace and time left where there is a terminal, a line every tenth of the steps where there is none."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._name, self._steps, self._first, self._told = "", 0, 0, 0
        self._began = time.monotonic()

    def begin(self, name: str, steps: int) -> None:
        """Start a stage of so many steps; one without steps has no line."""
        self.end()
        if not steps:
            return
        self._name, self._steps, self._first, self._told = name, steps, -1, 0
        if sys.stderr.isatty():
            self._bar = typer.progressbar(length=steps, label=name, file=sys.stderr, show_pos=True)
            self._bar.__enter__()

    def report(self, record: StepRecord) -> None:
        """Record a step."""
        if self._first < 0:  # a training that is resumed begins later
            self._first, self._began = record.step - 1, time.monotonic() - record.seconds
        each_s = max(time.monotonic() - self._began, 1e-9) / (record.step - self._first)
        if self._bar is not None:
            self._bar.label = f"{self._name} ({_state(record, each_s)})"
            self._bar.update(record.step - self._bar.pos)
        elif (tenth := record.step * _LINES // self._steps) > self._told:
            self._told, left = tenth, each_s * (self._steps - record.step)
            typer.echo(
                f"{self._name}: {_unit(record)} {record.step:,} of {self._steps:,}, {_state(record, each_s)}, about "
                f"{left:.0f} s left",
                err=True,
            )

    def end(self) -> None:
        """Finish the line."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None


@contextmanager
def terminal_callbacks(folder: Path | None = None, report_to: tuple[str, ...] = ()) -> Iterator[Callbacks]:
    """Callbacks at the terminal; the first Ctrl-C (or SIGTERM) asks the work to stop, the second one stops it."""
    from compecon.callbacks import Callbacks, StepCallbacks
    from compecon.training.processes import is_first

    progress = ProgressBar()
    asked: list[int] = []
    speaks = is_first()

    def ask(number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        if speaks:
            typer.echo("\nStopping after this step; press again to stop at once.", err=True)

    def say(text: str) -> None:
        progress.end()
        typer.echo(text, err=True)

    before = {number: signal.signal(number, ask) for number in _SIGNALS}
    watch = StepCallbacks(stop=lambda: bool(asked), folder=folder, report_to=report_to)
    told = Callbacks(say, progress.begin, replace(watch, report=progress.report))
    try:
        yield told if speaks else Callbacks(watch=watch)
    finally:
        progress.end()
        for number, handler in before.items():
            signal.signal(number, handler)


def _unit(record: StepRecord) -> str:
    return "batch" if math.isnan(record.task) else "step"


def _state(record: StepRecord, each_s: float) -> str:
    """The loss and the price of a training; of batches that are only read, how many a second."""
    if math.isnan(record.task):
        return f"{1 / each_s:.3g} a second"
    priced = f", price {record.price:.2f}, {record.share:.0%} left" if record.price or record.share < 1 else ""
    return f"loss {record.task:.3f}{priced}"
