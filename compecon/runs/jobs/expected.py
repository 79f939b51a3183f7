"""What a run will take, from headers alone while a form is filled in. Loads without torch.

The work is counted in multiply-adds, from the checkpoint's shapes and the number of steps; seconds follow from earlier
runs on this machine. `compecon.training.estimate` measures instead, once the model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.checkpoints.gate.intake import survey
from compecon.checkpoints.gate.preflight import Preflight
from compecon.checkpoints.locate import locate
from compecon.compression.importance import IMPORTANCES
from compecon.files.complete import KEEP
from compecon.incentives.costs import COSTS
from compecon.runs.jobs.machine_speed import Speed
from compecon.runs.jobs.options import prune_plan, train_plan
from compecon.tasks.row_counts import Rows, count_rows
from compecon.tasks.task_registry import FILES, entry_of
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.plans import PrunePlan, TrainPlan
from compecon.training.training_settings import FineTuneSettings

UNKNOWN = "The number of rows is unknown until the data is read."
_BACKWARD = 3  # a forward and a backward pass cost three forward passes
_GRADED_ROWS = 512
_GATES = 1.1
_FIXED_SHARE = 0.2  # of a step that does not shrink with the units
_MEASURINGS = 2.5  # passes of the new checkpoint over measured rows: during and after training, beside its parent
_PROCESS_BYTES = 700_000_000  # Python, torch and transformers
_USUAL_TOKENS = 32  # where nothing is known of the texts
_MB = 1024**2


@final
@dataclass(frozen=True)
class Expected:
    """What a run is expected to take."""

    seconds_low: float | None  # lower end; None where not enough is known, as for all that may be None
    seconds: float | None  # best guess
    seconds_high: float | None  # upper end
    memory_bytes: int  # of the whole process
    disk_bytes: int  # most at any time: the new checkpoint and those of the training
    macs: float | None  # multiply-adds in total
    rows: int | None = None  # training rows
    unknown: str = ""  # what is not known, in a sentence; empty if all is


@final
@dataclass(frozen=True)
class _Work:
    """A checkpoint and texts."""

    about: Preflight  # the checkpoint
    rows: Rows | None  # of the task; None if unknown
    n_tokens: int  # length of a text
    knows: bool  # whether the checkpoint's head fits the task

    @property
    def forward(self) -> float:
        """MACs of one text: each weight outside embeddings once per token, and each token with each other."""
        about, n = self.about, self.n_tokens
        looked_up = 0 if about.kind in ("causal-lm", "masked-lm") else about.vocabulary * about.hidden_size
        weights = max(about.parameters - looked_up, 0)
        return float(n * weights + 2 * about.layers * n**2 * about.hidden_size)

    @property
    def measured(self) -> int:
        return 0 if self.rows is None else self.rows.measured


def expected(recipe: str, params: Mapping[str, Any], *, speed: Speed) -> Expected:
    """What a run will take, by its recipe, its checked values, and the speed of this machine."""
    return _RECIPES[recipe](params, speed)


def _of_training(params: Mapping[str, Any], speed: Speed) -> Expected:
    plan, work = train_plan(params), _work(params, params["base"])
    macs = _training_macs(plan, work)
    copies = 2 if plan.shrinks else 1  # the model is its own teacher
    return _expected(macs, work, plan.settings, speed, copies=copies)


def _of_pruning(params: Mapping[str, Any], speed: Speed) -> Expected:
    plan, work = prune_plan(params), _work(params, params["checkpoint"])
    return _expected(_pruning_macs(plan, work), work, plan.recovery or FineTuneSettings(), speed, copies=2)


def _of_evaluation(params: Mapping[str, Any], speed: Speed) -> Expected:
    work = _work(params, params["checkpoint"])
    macs = None if work.rows is None else work.measured * work.forward
    held = 4 * work.about.parameters
    return _timed(macs, speed, _PROCESS_BYTES + 2 * held, 0, work)


def _of_statistics(params: Mapping[str, Any], speed: Speed) -> Expected:
    work = _work(params, params["checkpoint"])
    n_rows = params["rows"] if work.rows is None else min(params["rows"], work.rows.measured)
    macs = n_rows * (1 + len(params["budgets"])) * work.forward
    return _timed(macs, speed, _PROCESS_BYTES + 8 * work.about.parameters, 0, work)


def _of_rehearsal(params: Mapping[str, Any], _speed: Speed) -> Expected:
    seconds = params["steps"] * params["step_ms"] / 1000
    size = 1024 * params["size_kb"]
    memory = _PROCESS_BYTES // 10 + params["steps"] * params["grow_mb"] * _MB
    return Expected(seconds, seconds, 2 * seconds + 5, memory, (KEEP + 2) * size, 0.0)


_RECIPES: Mapping[str, Callable[[Mapping[str, Any], Speed], Expected]] = {
    "train": _of_training,
    "prune": _of_pruning,
    "evaluate": _of_evaluation,
    "statistics": _of_statistics,
    "rehearsal": _of_rehearsal,
}


def _work(params: Mapping[str, Any], source: str) -> _Work:
    place = locate(source)
    about = survey(place.path, trusted_root=place.trusted_root).preflight
    task, most = params["task"], min(params["max_tokens"], about.max_positions or params["max_tokens"])
    rows = count_rows(task, params["data"])
    kind = "classification" if task.startswith(FILES) else entry_of(task).kind
    usual = most if kind == "language" else _USUAL_TOKENS
    length = min(most, usual if rows is None else rows.n_tokens)
    return _Work(about, rows, length, about.kind == ("causal-lm" if kind == "language" else kind))


def _training_macs(plan: TrainPlan, work: _Work) -> float | None:
    """MACs of a training and of measuring its result; None if the number of steps is unknown."""
    texts = _texts(plan.settings, work)
    if texts is None:
        return None
    step = _BACKWARD * work.forward + (work.forward if plan.settings.hidden_weight else 0.0)
    if not plan.shrinks:
        return texts * step + _measuring(work, 1.0)
    before = 0.0 if work.knows else texts * _BACKWARD * work.forward
    if plan.teacher_share and work.rows is not None:
        before += work.rows.train * work.forward
    incentive = plan.incentive
    if incentive is None:
        return before + _elastic_macs(plan.elastic or ElasticSettings(), texts * step, work)
    if not COSTS[incentive.cost].removes_work:
        return before + texts * step + _measuring(work, 1.0)
    left = 0.5 if incentive.target is None else incentive.target
    shrinking = incentive.price_share * _GATES
    shrinking += (1 - incentive.price_share) * (_FIXED_SHARE + (1 - _FIXED_SHARE) * left)
    graded = _GRADED_ROWS if incentive.grades_rows else 0
    return before + texts * step * shrinking + _BACKWARD * graded * work.forward + _measuring(work, left)


def _elastic_macs(elastic: ElasticSettings, dense: float, work: _Work) -> float:
    """MACs of all sizes, of valuing their units, and of measuring each, where dense steps would take so many."""
    graded = _BACKWARD * _GRADED_ROWS * work.forward * elastic.valuations
    trained = dense * (_FIXED_SHARE + (1 - _FIXED_SHARE) * elastic.mean_share)
    return trained + graded + _measuring(work, 1 + sum(elastic.budgets))


def _pruning_macs(plan: PrunePlan, work: _Work) -> float | None:
    total = IMPORTANCES[plan.method].passes * _BACKWARD * _GRADED_ROWS * work.forward + _measuring(work, plan.target)
    if plan.recovery is None:
        return total
    texts = _texts(plan.recovery, work)
    if texts is None:
        return None
    taught = work.rows.train * work.forward if plan.teacher_share and work.rows is not None else 0.0
    return total + taught + texts * _BACKWARD * work.forward * (_FIXED_SHARE + (1 - _FIXED_SHARE) * plan.target)


def _texts(settings: FineTuneSettings, work: _Work) -> int | None:
    """Texts seen in training, repetitions included."""
    if settings.steps is None and work.rows is None:
        return None
    steps = settings.total_steps(0 if work.rows is None else work.rows.train)
    return steps * settings.batch_size * settings.accumulate


def _measuring(work: _Work, left: float) -> float:
    """MACs of measuring the new checkpoint and its parent."""
    return work.measured * work.forward * (1 + _MEASURINGS * left)


def _expected(macs: float | None, work: _Work, settings: FineTuneSettings, speed: Speed, *, copies: int) -> Expected:
    about, n = work.about, work.n_tokens
    each = 34 * about.hidden_size + 5 * about.heads * n  # bytes of a token in a layer, at two bytes per number
    activations = settings.batch_size * n * about.layers * each * (2 if settings.precision == "float32" else 1)
    stored = 4 * about.parameters
    memory = _PROCESS_BYTES + stored * (1 + copies) + 3 * stored + (0 if settings.checkpointing else activations)
    saved = (KEEP + 1) * 3 * stored if settings.save_every else 0
    return _timed(macs, speed, memory, stored + saved, work)


def _timed(macs: float | None, speed: Speed, memory: int, disk: int, work: _Work) -> Expected:
    unknown, rows = ("", work.rows.train) if work.rows is not None else (UNKNOWN, None)
    if macs is None:
        return Expected(None, None, None, memory, disk, None, rows, unknown)
    seconds = speed.seconds(macs)
    return Expected(speed.low * seconds, seconds, speed.high * seconds, memory, disk, macs, rows, unknown)
