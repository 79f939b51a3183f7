"""Who looks on while a model trains, and what they may ask. Loads without torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from compecon.finetune.settings import StepRecord


def _never(_record: object = None) -> bool:
    return False


@dataclass(frozen=True)
class Watch:
    """Who looks on while a model trains, and what they may ask.

    Attributes:
        report: Is told of each optimizer step.
        stop: Asked after each step whether to leave the training, to be resumed later.
        done: Asked after each step whether what was wanted is reached.
        between: Is given the model, and how many steps it has had, between two phases of a training.
        folder: Where checkpoints of the training go, and come from if it was left; None for none.
        report_to: Trackers that Trainer knows, such as "tensorboard".
    """

    report: Callable[[StepRecord], None] = lambda _: None
    stop: Callable[[], bool] = _never
    done: Callable[[StepRecord], bool] = _never
    between: Callable[[Any, int], None] = lambda _model, _steps: None
    folder: Path | None = None
    report_to: tuple[str, ...] = field(default=())
