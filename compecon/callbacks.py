"""Who watches a training or another long job, and the record of a step. Loads without torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import nan
from pathlib import Path
from typing import Any, Self, final

from compecon.errors import TrainingInterruptedError


@dataclass(frozen=True, slots=True)
class StepRecord:
    """An optimizer step, or a batch that was only read, which has no loss."""

    step: int  # number of the step, from 1
    loss: float  # what is minimized: task loss + price × cost; NaN for a batch that was only read
    task: float  # task loss, distillation included; likewise
    cost: float  # share of the dense cost, as the gradient saw it; 1 without an incentive
    price: float  # that was charged for it
    share: float  # of the dense MACs, or of time if that is priced, that the gates would leave now; 1 without gates
    seconds: float  # since the training began


def _never(_record: object = None) -> bool:
    return False


@dataclass(frozen=True)
class StepCallbacks:
    """What is called while a model trains."""

    report: Callable[[StepRecord], None] = lambda _: None  # called with each optimizer step
    stop: Callable[[], bool] = _never  # asked after each step whether to leave the training, to be resumed later
    # called with the step of each checkpoint of the training that is whole
    saved: Callable[[int], None] = lambda _: None
    done: Callable[[StepRecord], bool] = _never  # asked after each step whether the goal is reached
    # called with the model and its number of steps, between two phases of a training
    between: Callable[[Any, int], None] = lambda _model, _steps: None
    folder: Path | None = None  # of the checkpoints of the training, which is resumed from them if it was left
    report_to: tuple[str, ...] = ()  # trackers that Trainer knows, such as "tensorboard"
    before: int = 0  # steps of the whole training before this part of it
    total: int = 0  # steps of the whole training; 0 if this is all of it

    def place(self, step: int, steps: int) -> str:
        """Where a part of a training with so many steps is, counted over the whole: "12 of 540"."""
        return f"{self.before + step:,} of {self.total or steps:,}"

    def part(self, name: str, before: int, total: int) -> Self:
        """The same callbacks for a part of a training after `before` of `total` steps, with a folder of its own."""
        return replace(
            self,
            folder=self.folder / name if self.folder else None,
            report=lambda record: self.report(replace(record, step=record.step + before)),
            saved=lambda step: self.saved(step + before),
            before=before,
            total=total,
        )


@dataclass(frozen=True)
class Callbacks:
    """What is called during a long job."""

    say: Callable[[str], None] = lambda _: None  # called with what happens, a sentence at a time
    # called with the name of each stage and its number of steps: of the optimizer, or batches; 0 for a stage without
    begin: Callable[[str, int], None] = lambda _name, _steps: None
    # called at each step; its folder holds checkpoints of the training if the settings save any
    watch: StepCallbacks = field(default_factory=StepCallbacks)
    # called with what is not a step, a mapping of JSON values with its kind as "event": after a stage, how good the
    # model is ("quality"); None if nothing is to be measured for it
    note: Callable[[Mapping[str, Any]], None] | None = None

    def part(self, name: str) -> StepCallbacks:
        """The step callbacks of a part of the training, with a folder of its own."""
        return replace(self.watch, folder=self.watch.folder / name if self.watch.folder else None)

    def named(self, stage: str) -> Callbacks:
        """The same for work whose only stage has another name here."""
        return replace(self, begin=lambda _name, steps: self.begin(stage, steps))


NOBODY = Callbacks()


@final
class Batches:
    """A stage that reads so many batches: begun now, reported after each, and left once the watch says stop."""

    def __init__(self, callbacks: Callbacks, stage: str, total: int) -> None:
        self._watch, self._total, self._done, self._began = callbacks.watch, total, 0, time.monotonic()
        callbacks.begin(stage, total)

    def done(self) -> None:
        """Report a batch; raises TrainingInterruptedError if the watch says stop and it was not the last one."""
        self._done += 1
        self._watch.report(StepRecord(self._done, nan, nan, 1.0, 0.0, 1.0, time.monotonic() - self._began))
        if self._done < self._total and self._watch.stop():
            raise TrainingInterruptedError(f"It was stopped after {self._done:,} of {self._total:,} batches.")
