"""Elastic training against its rivals at equal training MACs: every arm, budget and seed, and who is better where."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compecon.files.durable import write_text
from compecon.provenance import command_line, hardware, versions
from compecon.studies.elastic_arms import ARMS, RIVALS, SizeFamily, elastic_family, rival_family
from compecon.studies.elastic_costs import family_volumes, latencies
from compecon.studies.experiment_report import RELOADED, write_numbers
from compecon.studies.experiment_run import ExperimentRun, record_name
from compecon.studies.frontier_plan import Study, start_of
from compecon.studies.recording import recorded
from compecon.studies.summary import difference
from compecon.studies.timed_run import Measured
from compecon.tasks.task_metrics import Estimate
from compecon.training.arms import Outcome, Start, untouched
from compecon.training.elastic_settings import ElasticSettings

TOGETHER = (0.1, 0.45)  # budgets over which arms are compared as a whole


@dataclass(frozen=True)
class ArmDifference:
    """Elastic minus a rival."""

    rival: str
    budgets: tuple[float, ...]  # one, or several of which the mean is taken
    change: Estimate  # of the test metric: mean over seeds and budgets, interval over rows
    seeds: int


def run_elastic(study: Study, elastic: ElasticSettings, arms: Sequence[str] = ARMS) -> tuple[ExperimentRun, ...]:
    """Run what has no record yet, and return all records.

    Raises:
        TaskError: If the task lacks a split.
        ValueError: If a record is damaged, or an arm unknown.
    """
    for split in ("train", "dev", "test"):
        study.task.part(split)
    budgets = study.plan.targets
    for seed in study.plan.seeds:
        missing = [
            arm
            for arm in arms
            if not all(study.records.has(record_name(arm, budget, seed, recovered=True)) for budget in budgets)
        ]
        if not missing and study.records.has(record_name("dense", None, seed, recovered=False)):
            continue
        start = start_of(study, seed)
        _record(study, start, "dense", None, untouched(start))
        ours = elastic_family(start, elastic, budgets)
        for arm in missing:
            found = ours if arm == "elastic" else rival_family(start, arm, elastic, ours)
            _record_family(study, start, arm, found)
    return study.records.all()


def differences(study: Study) -> tuple[ArmDifference, ...]:
    """Elastic against each rival at each budget, and over the middle ones together, where both have all seeds."""
    records, test = study.records.all(), study.task.part("test")
    low, high = TOGETHER
    middle = tuple(budget for budget in study.plan.targets if low <= budget <= high)
    found = []
    for rival in RIVALS:
        for budgets in (*((budget,) for budget in study.plan.targets), *([middle] if len(middle) > 1 else [])):
            ours, theirs = (_of(records, arm, budgets) for arm in ("elastic", rival))
            if ours and [(run.seed, run.target) for run in ours] == [(run.seed, run.target) for run in theirs]:
                change = difference(study.records, theirs, ours, study.task.score, test.targets)
                found.append(ArmDifference(rival, budgets, change, len({run.seed for run in ours})))
    return tuple(found)


def write_elastic(study: Study, elastic: ElasticSettings, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.md`."""
    records, metric = study.records.all(), study.task.score
    found, measured = differences(study), latencies(study)
    volumes = family_volumes(study, measured)
    numbers = {
        "task": study.task.name,
        "metric": metric.name,
        "test_rows": len(study.task.part("test")),
        "command": command_line(),
        "settings": {**asdict(study.plan), "elastic": asdict(elastic)},
        "differences": [asdict(each) for each in found],
        "measured": [asdict(each) for each in measured],
        "volumes": dict(volumes),
        "runs": [asdict(run) for run in records],
        "hardware": hardware(),
        "versions": versions(),
        "measured_as": RELOADED,
    }
    page = folder / "report.md"
    written = write_numbers(numbers, folder / "report.json")
    tables = (_markdown(study, records, found, numbers), *_costs(measured, volumes), "")
    write_text(page, "\n".join(tables))
    return written, page


def _markdown(
    study: Study, records: Sequence[ExperimentRun], found: Sequence[ArmDifference], about: Mapping[str, Any]
) -> str:
    metric, budgets = study.task.score, study.plan.targets
    heads = " | ".join(f"{budget:g}" for budget in budgets)
    lines = [
        f"# {about['task']}: every size by one training, and by rivals of as many training MACs",
        "",
        f"`{about['command']}`; test split of {about['test_rows']:,} rows, {metric.name}, mean over "
        f"{len(study.plan.seeds)} seed(s). Budgets are shares of the dense model's MACs of heads and neurons; training "
        "MACs are those of all sizes together, importance included, the dense training not.",
        "",
        f"| arm | {heads} | training (10¹² MACs) |",
        f"|---|{'---|' * (len(budgets) + 1)}",
    ]
    for arm in ("dense", *ARMS):
        if runs := [run for run in records if run.arm == arm]:
            row = [_mean(runs, budget if arm != "dense" else None, metric.scale) for budget in budgets]
            cost = statistics.fmean(run.training_macs for run in runs) / 1e12
            lines.append(f"| {arm} | {' | '.join(row)} | {cost:.2f} |")
    lines += ["", "| elastic minus | budgets | difference | seeds |", "|---|---|---|---|"]
    for each in found:
        value, low, high = (number * metric.scale for number in (each.change.value, each.change.low, each.change.high))
        names = " and ".join(f"{budget:g}" for budget in each.budgets)
        lines.append(f"| {each.rival} | {names} | {value:+.2f} [{low:+.2f}, {high:+.2f}] | {each.seeds} |")
    return "\n".join((*lines, ""))


def _costs(measured: Sequence[Measured], volumes: Mapping[str, float]) -> tuple[str, ...]:
    return (
        "| run | texts × tokens | MACs, of the dense model's | time, of the dense model's |",
        "|---|---|---|---|",
        *(each.line for each in measured),
        "",
        "Hypervolume of metric × time at eight texts of 64 tokens × training MACs, a share of the box up to the dense "
        "model and to twice the dearest training; mean over seeds:",
        "",
        "| arm | volume |",
        "|---|---|",
        *(f"| {arm} | {volume:.3f} |" for arm, volume in volumes.items()),
    )


def _mean(runs: Sequence[ExperimentRun], budget: float | None, scale: float) -> str:
    values = [run.test.value * scale for run in runs if run.target == budget]
    return f"{statistics.fmean(values):.2f}" if values else ""


def _of(records: Sequence[ExperimentRun], arm: str, budgets: tuple[float, ...]) -> list[ExperimentRun]:
    chosen = [run for run in records if run.arm == arm and run.target in budgets]
    return sorted(chosen, key=lambda run: (run.seed, run.target or 0.0))


def _record_family(study: Study, start: Start, arm: str, family: SizeFamily) -> None:
    for budget, outcome in family.outcomes.items():
        _record(study, start, arm, budget, outcome)


def _record(study: Study, start: Start, arm: str, target: float | None, outcome: Outcome) -> None:
    seed = start.settings.seed
    name = record_name(arm, target, seed, recovered=target is not None)
    if study.records.has(name):
        return
    record, predictions = recorded(study, start, arm, target, outcome, recovered=target is not None)
    study.records.add(record, predictions)
    at = "" if target is None else f" at {target:g}"
    study.say(
        f"{study.task.name} seed {seed} {arm}{at}: {outcome.share:.3f} of the MACs, dev {record.dev.value:.4f}, "
        f"test {record.test.value:.4f}, {outcome.steps} steps, {outcome.training_macs / 1e12:.2f}e12 training MACs"
    )
