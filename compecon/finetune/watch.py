"""Who looks on while a model trains, and what they may ask. Loads without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from compecon.finetune.settings import StepRecord


def _never(_record: object = None) -> bool:
    return False


@dataclass(frozen=True)
class Watch:
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
