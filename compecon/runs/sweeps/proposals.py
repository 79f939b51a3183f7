"""The next point of a search for high quality at few MACs, by NSGA-II of Optuna (an extra)."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from compecon.errors import CompeconError, RunError
from compecon.files.durable import Json
from compecon.runs.sweeps.sweep import Point

if TYPE_CHECKING:
    from types import ModuleType

_POPULATION = 10  # points of a generation: a search of trainings has few
_DIGITS = 6
Outcome = tuple[float, float]  # quality, the higher the better; MACs


@final
@dataclass(frozen=True)
class Axis:
    """Values that a setting may take."""

    name: str  # the setting
    low: float = 0.0  # smallest value of a range
    high: float = 0.0  # largest value of a range
    log: bool = False  # whether the scale is logarithmic
    whole: bool = False  # whether values are whole numbers
    choices: tuple[Json, ...] = ()  # the values, if it is not a range

    def __post_init__(self) -> None:
        if not self.choices and not self.low < self.high:
            raise RunError(f"{self.name} needs a range LOW:HIGH with LOW < HIGH, got {self.low}:{self.high}.")
        if self.log and self.low <= 0:
            raise RunError(f"{self.name} needs a positive lower end for a logarithmic scale, got {self.low}.")

    @property
    def ends(self) -> tuple[Json, ...]:
        """Smallest and largest value, or all choices."""
        return self.choices or (self.value(self.low), self.value(self.high))

    def value(self, drawn: Any) -> Json:
        """The setting's value for what Optuna drew, to six digits."""
        if self.choices:
            chosen: Json = self.choices[drawn]
            return chosen
        if self.whole:
            return int(drawn)
        return min(self.high, max(self.low, float(f"{drawn:.{_DIGITS}g}")))

    def drawn(self, value: Json) -> Any:
        """What Optuna would have to draw for a value."""
        return self.choices.index(value) if self.choices else value


def require_optuna() -> ModuleType:
    """Optuna, loaded."""
    try:
        import optuna  # noqa: PLC0415 - an extra, and slow to load
    except ImportError as error:
        raise CompeconError(
            "Optuna, which proposes points, is not installed. Run `pip install 'compecon[optuna]'`."
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna


def propose(
    axes: Sequence[Axis], before: Sequence[tuple[Point, Outcome | None]], n_open: int = 0, *, seed: int = 0
) -> Point:
    """The next point.

    Args:
        axes: Settings that vary.
        before: Points so far with their outcomes; None for a failure. Those under way come last.
        n_open: How many of them are under way.
        seed: The same seed and points give the same point.
    """
    optuna = require_optuna()
    spaces = {axis.name: _space(optuna, axis) for axis in axes}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = optuna.samplers.NSGAIISampler(population_size=_POPULATION, seed=seed + len(before))
        study = optuna.create_study(directions=["maximize", "minimize"], sampler=sampler)
        for n, (point, outcome) in enumerate(before):
            study.enqueue_trial({axis.name: axis.drawn(point[axis.name]) for axis in axes})
            trial = study.ask(spaces)
            sampler.get_trial_generation(study, study.trials[trial.number])  # enqueued trials would have no generation
            if n >= len(before) - n_open:
                continue
            if outcome is None:
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, outcome)
        chosen = study.ask(spaces).params
    return {axis.name: axis.value(chosen[axis.name]) for axis in axes}


def _space(optuna: ModuleType, axis: Axis) -> Any:
    if axis.choices:
        return optuna.distributions.CategoricalDistribution(range(len(axis.choices)))
    if axis.whole:
        return optuna.distributions.IntDistribution(int(axis.low), int(axis.high), log=axis.log)
    return optuna.distributions.FloatDistribution(axis.low, axis.high, log=axis.log)
