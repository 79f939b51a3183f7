"""One checkpoint for all key budgets: fine-tuning whose steps read limited numbers of keys (budget dropout)."""

from __future__ import annotations

import copy
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from compecon.attention.budget import KeyBudget
from compecon.compression.families import layers_of
from compecon.evaluation.as_given import given_back
from compecon.evaluation.evaluate_model import evaluate
from compecon.evaluation.reloaded import kept_model
from compecon.studies.bundled_models import Say
from compecon.studies.experiment_report import write_numbers
from compecon.tasks.task import Task
from compecon.tasks.task_metrics import Estimate, paired
from compecon.training.arms import Start
from compecon.training.fine_tuning import fine_tune

if TYPE_CHECKING:
    from transformers import PreTrainedModel

KEYS = (1, 2, 3, 4, 6, 8, 12)  # what a step's budget is drawn from
MEASURED: tuple[int | None, ...] = (None, 8, 4, 2, 1)
ARMS = ("dense", "longer", "any budget")


@dataclass(frozen=True, eq=False)
class BudgetRun:
    """One model under every budget."""

    arm: str  # "dense"; "longer", trained for the same steps without budgets; or "any budget"
    seed: int  # of the training
    test: tuple[Estimate, ...]  # the metric at each of `MEASURED`
    predictions: np.ndarray  # shape (budget, row), on the test split


@dataclass(frozen=True)
class BudgetRow:
    """An arm under a budget, over its seeds."""

    arm: str
    keys: int | None  # keys a query may read; None for all
    test: tuple[float, ...]  # the metric by seed
    mean: float
    change: Estimate  # against the dense models under the same budget: mean over seeds, interval over rows


def train_any_budget(start: Start, *, keys: tuple[int, ...] = KEYS) -> PreTrainedModel:
    """Fine-tune the attention of a dense model under budgets; its FFN stays as it is.

    A budget changes what attention passes on, so attention has to adapt, and both models can share the FFN, which is
    two thirds of the weights.

    Args:
        start: The dense model, rows with its logits, and how to train; left alone.
        keys: Numbers of keys to draw from; empty for a control without budgets.
    """
    model = copy.deepcopy(start.model)
    settings = replace(start.settings, key_budgets=keys)
    with given_back(model):
        for layer in layers_of(model):
            layer.neurons_in.requires_grad_(False)
            layer.neurons_out.requires_grad_(False)
        fine_tune(model, start.tokenizer, start.rows, start.objective, settings)
    return model


def measured(arm: str, seed: int, model: Any, tokenizer: Any, task: Task, *, max_tokens: int) -> BudgetRun:
    """A model's test metric under every budget of `MEASURED`."""
    found = [
        evaluate(model, tokenizer, task, "test", max_tokens=max_tokens, budget=KeyBudget(keys) if keys else None)
        for keys in MEASURED
    ]
    return BudgetRun(arm, seed, tuple(one.estimate for one in found), np.stack([one.predictions for one in found]))


def budget_rows(runs: Sequence[BudgetRun], task: Task) -> tuple[BudgetRow, ...]:
    """The runs as a table."""
    targets, rows = task.part("test").targets, []
    for arm in ARMS:
        of_arm = [run for run in runs if run.arm == arm]
        dense = [run for run in runs if run.arm == "dense" and run.seed in {run.seed for run in of_arm}]
        for index, keys in enumerate(MEASURED if of_arm else ()):
            test = tuple(run.test[index].value for run in of_arm)
            one, two = (np.stack([run.predictions[index] for run in group]) for group in (dense, of_arm))
            change = paired(task.score, one, two, targets)
            rows.append(BudgetRow(arm, keys, test, statistics.fmean(test), change))
    return tuple(rows)


def run_budgets(
    starts: Callable[[int], Start],
    seeds: Sequence[int],
    task: Task,
    folder: Path,
    *,
    max_tokens: int,
    say: Say,
) -> tuple[BudgetRow, ...]:
    """Dense, trained longer, and trained under budgets, each under every budget.

    Models are kept in the folder and measured as loaded from there. `starts` gives the start of a seed.
    """
    runs = []
    for seed in seeds:
        start = starts(seed)
        for arm in ARMS:
            model = start.model if arm == "dense" else train_any_budget(start, keys=KEYS if arm == "any budget" else ())
            made = kept_model(model, start.tokenizer, folder, f"{arm.replace(' ', '-')}-s{seed}")
            runs.append(measured(arm, seed, made.model, made.tokenizer, task, max_tokens=max_tokens))
            shown = ", ".join(f"{one.value:.4f}" for one in runs[-1].test)
            say(f"{task.name} seed {seed} {arm}: {shown} at {', '.join(str(k or 'all') for k in MEASURED)} keys")
    return budget_rows(runs, task)


def write_budgets(rows: Sequence[BudgetRow], about: dict[str, Any], folder: Path) -> Path:
    """Write `budgets.json`: the rows, beside a description of the experiment."""
    return write_numbers({**about, "rows": [asdict(row) for row in rows]}, folder / "budgets.json")
