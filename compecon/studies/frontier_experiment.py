"""The experiment the incentive stands or falls by: quality against MACs, beside every rival given the same training.

From a dense model of each seed: incentive training at each target and at fixed prices, and each post-hoc method, with
and without recovery. Every arm has the same steps, rows, learning rates and teacher. All rivals run on the first seed
at some targets; the best by dev go on to all targets and seeds. Nothing is chosen by test, and every run leaves a
record, its predictions, and the model itself in `models/`: it is measured as loaded from there, and can be again.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import replace
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING, Any, get_args

from compecon.compression.importance import IMPORTANCES
from compecon.studies.experiment_run import ExperimentRun, record_name
from compecon.studies.frontier_plan import Study, start_of
from compecon.studies.recording import recorded as recorded_run
from compecon.studies.survivors import SurvivorControl, survivor_control
from compecon.tasks.encode_rows import encode
from compecon.training.arms import Outcome, Start, priced, pruned, recovered, untouched
from compecon.training.incentive_settings import Priced

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_CONTROL_ROWS = 256


def run_frontier(study: Study) -> tuple[ExperimentRun, ...]:
    """Run what has no record yet, and return all records.

    Raises:
        TaskError: If the task lacks a split.
        ValueError: If a record is damaged.
        FloatingPointError: If a training diverges; the other records stay.
    """
    for split in ("train", "dev", "test"):
        study.task.part(split)
    plan, first = study.plan, study.plan.seeds[0]
    lanes = {seed: _Lane(study, seed) for seed in plan.seeds}
    lanes[first].ours()
    lanes[first].longer()
    for method in plan.methods:
        lanes[first].rival(method, plan.screened)
    best = best_rivals(study.records.all(), first, plan.screened, plan.finalists)
    study.say(f"{study.task.name}: the best rivals on seed {first} by dev are {', '.join(best)}")
    for lane in lanes.values():
        lane.ours()
        for method in best:
            lane.rival(method, plan.targets)
    for price in plan.prices:
        lanes[first].fixed(price)
    for target in plan.ablated:
        lanes[first].ablation(target)
    return study.records.all()


def best_rivals(
    records: tuple[ExperimentRun, ...], seed: int, targets: tuple[float, ...], n: int = 2
) -> tuple[str, ...]:
    """The post-hoc methods with the best mean dev metric of a seed's runs at some targets, with recovery."""
    dev: dict[str, list[float]] = {}
    for record in records:
        if record.seed == seed and record.recovered and record.arm in IMPORTANCES and record.target in targets:
            dev.setdefault(record.arm, []).append(record.dev.value)
    return tuple(sorted(dev, key=lambda arm: (-statistics.fmean(dev[arm]), arm))[:n])


class _Lane:
    """The runs of one seed; the dense model is trained, or read, when the first run without a record needs it."""

    def __init__(self, study: Study, seed: int) -> None:
        self.study, self.seed = study, seed

    @cached_property
    def start(self) -> Start:
        return start_of(self.study, self.seed)

    def ours(self) -> None:
        self._run("dense", None, lambda: untouched(self.start), recovered=False)
        for target in self.study.plan.targets:
            self._priced("incentive", target, target=target)

    def longer(self) -> None:
        self._run("longer", None, lambda: recovered(self.start, untouched(self.start)))

    def fixed(self, price: float) -> None:
        self._priced(f"price {price:g}", None, target=None, price=price)

    def ablation(self, target: float) -> None:
        for units in get_args(Priced):
            self._priced(f"incentive {units}", target, target=target, units=units)

    def rival(self, method: str, targets: tuple[float, ...]) -> None:
        for target in targets:
            self._rival(method, target)

    def _rival(self, method: str, target: float) -> None:
        bare = cache(lambda: pruned(self.start, method, target))
        self._run(method, target, bare, recovered=False)
        self._run(method, target, lambda: recovered(self.start, bare()))

    def _priced(self, arm: str, at: float | None, **changes: Any) -> None:
        self._run(arm, at, lambda: priced(self.start, replace(self.study.plan.incentive, **changes)))

    def _run(self, arm: str, target: float | None, make: Callable[[], Outcome], *, recovered: bool = True) -> None:
        name = record_name(arm, target, self.seed, recovered=recovered)
        if self.study.records.has(name):
            return
        outcome = make()
        record, predictions = recorded_run(
            self.study,
            self.start,
            arm,
            target,
            outcome,
            recovered=recovered,
            survivors=None if outcome.price is None else partial(_survivors, self),
        )
        self.study.records.add(record, predictions)
        self.study.say(
            f"{self.study.task.name} seed {self.seed} {arm}{'' if target is None else f' at {target:g}'}"
            f"{'' if recovered else ', no recovery'}: {outcome.share:.3f} of the MACs, dev {record.dev.value:.4f}, "
            f"test {record.test.value:.4f}, {outcome.seconds:.0f} s"
        )


def _survivors(lane: _Lane, smaller: PreTrainedModel) -> SurvivorControl:
    study = lane.study
    rows = encode(study.tokenizer, study.task.part("dev").head(_CONTROL_ROWS), study.plan.max_tokens)
    return survivor_control(lane.start.model, smaller, study.tokenizer, rows)
