"""Who watches a training or another long undertaking, and what an optimizer step was like. Loads without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What an optimizer step was like.

    Attributes:
        step: Number of the step, from 1.
        loss: What was made small: task loss + price × cost.
        task: Task loss, distillation included.
        cost: Cost as a share of dense, which the gradient saw; 1 without an incentive.
        price: Price that was charged for it.
        share: Share of the dense MACs, or time if that is priced, that the gates would leave now; 1 without gates.
        seconds: Time since the training began.
    """

    step: int
    loss: float
    task: float
    cost: float
    price: float
    share: float
    seconds: float


def _never(_record: object = None) -> bool:
    return False


@dataclass(frozen=True)
class StepCallbacks:
    """Who looks on while a model trains, and what they may ask.

    Attributes:
        report: Is told of each optimizer step.
        saved: Is told the step of each checkpoint of the training that is whole.
        stop: Asked after each step whether to leave the training, to be resumed later.
        done: Asked after each step whether what was wanted is reached.
        between: Is given the model, and how many steps it has had, between two phases of a training.
        folder: Where checkpoints of the training go, and come from if it was left; None for none.
        report_to: Trackers that Trainer knows, such as "tensorboard".
        before: Steps of the whole training that came before this part of it.
        total: Steps of the whole training, if this is a part of it; 0 if it is all.
    """

    report: Callable[[StepRecord], None] = lambda _: None
    stop: Callable[[], bool] = _never
    saved: Callable[[int], None] = lambda _: None
    done: Callable[[StepRecord], bool] = _never
    between: Callable[[Any, int], None] = lambda _model, _steps: None
    folder: Path | None = None
    report_to: tuple[str, ...] = field(default=())
    before: int = 0
    total: int = 0

    def place(self, step: int, steps: int) -> str:
        """Where a part of a training is, counted over the whole: "12 of 540".

        Args:
            step: Step of this part.
            steps: Steps of this part.
        """
        return f"{self.before + step:,} of {self.total or steps:,}"

    def part(self, name: str, before: int, total: int) -> Self:
        """The same onlookers on a part of a training: steps counted on, a folder of its own.

        Args:
            name: Of the folder.
            before: Steps that came before the part.
            total: Steps of all parts.
        """
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
    """Who looks on.

    Attributes:
        say: Is told what happens, a sentence at a time.
        begin: Is told the name of each stage, and how many optimizer steps it has; 0 for one without.
        watch: Is told of each step; its folder keeps checkpoints of the training if the settings save any.
        note: Is told of what is no step, a mapping of JSON values with its kind as "event": after a stage, how good the
            model is ("quality"). None for nobody: then nothing is measured for it.
    """

    say: Callable[[str], None] = lambda _: None
    begin: Callable[[str, int], None] = lambda _name, _steps: None
    watch: StepCallbacks = field(default_factory=StepCallbacks)
    note: Callable[[Mapping[str, Any]], None] | None = None

    def part(self, name: str) -> StepCallbacks:
        """The watch of a part of the training, with a folder of its own."""
        return replace(self.watch, folder=self.watch.folder / name if self.watch.folder else None)


NOBODY = Callbacks()
