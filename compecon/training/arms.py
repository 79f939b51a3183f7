"""What can be done to a dense model to make it smaller, all given the same steps and the same teacher."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from compecon.callbacks import StepCallbacks
from compecon.compression.compact_model import compact
from compecon.compression.importance import IMPORTANCES
from compecon.compression.prune_model import prune
from compecon.compression.units import Units, share_of_macs, unit_macs
from compecon.flops import forward_macs, trained_macs
from compecon.tasks.encode_rows import Features, mean_length
from compecon.tasks.objectives import Objective
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive import CALIBRATION_ROWS, batch_loss, calibration, train_incentive
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

BACKWARD = 3  # a forward and a backward pass cost three forward passes


@dataclass(frozen=True, eq=False)
class Start:
    """What every arm starts from."""

    model: PreTrainedModel  # dense and trained on the task; no arm changes it, and it is the teacher too
    tokenizer: PreTrainedTokenizerBase
    rows: Sequence[Features]  # for training, with the dense model's logits as soft targets
    objective: Objective
    settings: FineTuneSettings  # after the dense model; their steps are what each arm may spend

    @property
    def n_tokens(self) -> int:
        """Length at which MACs are counted: the mean of the rows."""
        return mean_length(self.rows)


@dataclass(frozen=True, eq=False)
class Outcome:
    """What an arm made."""

    model: PreTrainedModel
    values: Units  # what each unit was multiplied by when it was compacted; 0 is gone
    share: float  # of the MACs of heads and neurons that is left
    steps: int = 0  # of the optimizer
    seconds: float = 0.0
    training_macs: float = 0.0  # of all passes, those over calibration rows included
    price: float | None = None  # when the gates were frozen, if there was one
    met: bool | None = None  # whether the gates met the target by themselves, if there were any


def priced(start: Start, incentive: IncentiveSettings, *, watch: StepCallbacks = StepCallbacks()) -> Outcome:  # noqa: B008 - frozen
    """Incentive training; MACs are counted at the start's own length, whatever `incentive.n_tokens` says."""
    began = time.monotonic()
    result = train_incentive(
        copy.deepcopy(start.model),
        start.tokenizer,
        start.rows,
        start.objective,
        replace(incentive, n_tokens=start.n_tokens),
        start.settings,
        teacher=start.model,
        watch=watch,
    )
    later = result.recovery.steps if result.recovery else 0
    spent = _steps_macs(start, start.model, result.priced.steps) + _steps_macs(start, result.model, later)
    spent += calibration_macs(start) if incentive.grades_rows else 0.0
    return Outcome(
        result.model,
        result.values,
        result.share,
        steps=result.priced.steps + later,
        seconds=time.monotonic() - began,
        training_macs=spent,
        price=result.price,
        met=result.met,
    )


def pruned(start: Start, method: str, target: float) -> Outcome:
    """Post-hoc pruning by a method of `IMPORTANCES`, without any training after it."""
    began = time.monotonic()
    values = prune(
        start.model,
        method,
        target,
        n_tokens=start.n_tokens,
        batches=list(calibration(start.tokenizer, start.rows, device=start.model.device)),
        loss=batch_loss(start.objective),
        seed=start.settings.seed,
    )
    share = share_of_macs(values, unit_macs(start.model, start.n_tokens))
    spent = calibration_macs(start) if IMPORTANCES[method].passes else 0.0
    seconds = time.monotonic() - began
    return Outcome(compact(start.model, values), values, share, seconds=seconds, training_macs=spent)


def recovered(start: Start, outcome: Outcome, *, watch: StepCallbacks = StepCallbacks()) -> Outcome:  # noqa: B008 - frozen
    """The same outcome after all the start's steps of training, with the same teacher."""
    model = copy.deepcopy(outcome.model)
    result = fine_tune(
        model, start.tokenizer, start.rows, start.objective, start.settings, teacher=start.model, watch=watch
    )
    return replace(
        outcome,
        model=model,
        steps=result.steps,
        seconds=outcome.seconds + result.seconds,
        training_macs=outcome.training_macs + _steps_macs(start, model, result.steps),
    )


def untouched(start: Start) -> Outcome:
    """The dense model as it is."""
    ones = unit_macs(start.model, 1).map(lambda part: part.new_ones(part.shape))
    return Outcome(start.model, ones, 1.0)


def _steps_macs(start: Start, model: PreTrainedModel, steps: int) -> float:
    settings, n = start.settings, start.n_tokens
    whole = bool(settings.hidden_weight)  # hidden states that are imitated are those of every position
    teaching = forward_macs(start.model, n) if whole else 0
    texts = steps * settings.batch_size * settings.accumulate
    return float(texts * (BACKWARD * trained_macs(model, n, whole=whole) + teaching))


def calibration_macs(start: Start) -> float:
    """MACs of the passes over calibration rows, forwards and backwards, of the dense model."""
    return float(BACKWARD * min(CALIBRATION_ROWS, len(start.rows)) * trained_macs(start.model, start.n_tokens))
