"""The report of a frontier experiment: one JSON file that says everything, and a page of Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from compecon.files.durable import write_json, write_text
from compecon.studies.experiment_run import ExperimentRun
from compecon.studies.summary import ArmAtTarget, Duel, Volume
from compecon.studies.survivors import SurvivorControl
from compecon.studies.timed_run import Measured
from compecon.tasks.task_metrics import Estimate, Metric

SCHEMA = 1
RELOADED = "as saved in models/ and loaded anew, in float32"
IN_PLACE = (
    "under bfloat16 autocast, in the process that trained them; they were not saved. In float32 such numbers differ by "
    "up to 0.8 points"
)


@dataclass(frozen=True)
class FrontierReport:
    """Everything that a frontier experiment found; `floor` is the metric of always giving the same answer."""

    task: str
    metric: str
    test_rows: int
    command: str
    settings: Mapping[str, Any]
    floor: float
    arms: tuple[ArmAtTarget, ...]
    duels: tuple[Duel, ...]
    volumes: tuple[Volume, ...]
    measured: tuple[Measured, ...]
    hardware: Mapping[str, Any]
    versions: Mapping[str, str]
    runs: tuple[ExperimentRun, ...]
    measured_as: str


def measured_as(runs: Sequence[ExperimentRun]) -> str:
    """How the trained models of an experiment were measured, for people."""
    return RELOADED if all(run.reloaded for run in runs) else IN_PLACE


def write_report(report: FrontierReport, metric: Metric, folder: Path) -> tuple[Path, Path]:
    """Write `report.json` and `report.md`, atomically, into a folder, which is made if absent."""
    numbers, page = write_numbers(asdict(report), folder / "report.json"), folder / "report.md"
    write_text(page, markdown(report, metric))
    return numbers, page


def write_numbers(content: Mapping[str, Any], path: Path) -> Path:
    """Write JSON values, numpy's numbers among them, atomically; NaN becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, _plain({"schema": SCHEMA, **content}))
    return path


def markdown(report: FrontierReport, metric: Metric) -> str:
    """The report as a page for people."""
    cut = next((f" {run.cut}" for run in report.runs if run.cut is not None), "")  # all read with one tokenizer
    lines = [
        f"# {report.task}: {report.metric} against MACs",
        "",
        f"`{report.command}` on {report.hardware['processor']}, {report.hardware['threads']} thread(s); test split of "
        f"{report.test_rows:,} rows. Shares are of the MACs of heads and neurons, counted on compacted shapes; "
        f"brackets: 95% paired bootstrap over rows, of the mean over seeds.{cut} "
        f"Trained models were measured {report.measured_as}.",
        "",
        "## Incentive against the best rival with the same steps and teacher",
        "",
        "The rival is chosen by test, in its favour.",
        "",
        "| MACs | best rival | incentive − rival | seeds |",
        "|---|---|---|---|",
        *(f"| {d.target:g} | {d.rival} | {_signed(metric, d.difference)} | {d.seeds} |" for d in report.duels),
        "",
        f"## Hypervolume (up to 1 of the MACs, above {report.floor * metric.scale:.1f}), with recovery",
        "",
        "| arm | mean | by seed |",
        "|---|---|---|",
        *(
            f"| {v.arm} | {v.mean:.4f} | {', '.join(f'{one:.4f}' for one in v.by_seed)} |"
            for v in sorted(report.volumes, key=lambda v: -v.mean)
        ),
        "",
        "## Every arm",
        "",
        "| arm | recovery | asked | left | test by seed | against dense | training (10¹² MACs) |",
        "|---|---|---|---|---|---|---|",
        *(_row(arm, metric) for arm in report.arms),
        "",
        "## Latency",
        "",
        "| run | batch × tokens | MACs / dense | time / dense |",
        "|---|---|---|---|",
        *(one.line for one in report.measured),
        "",
        "## Gini of what queries give: how much of the shift is selection of heads that were peaked anyway",
        "",
        "| run | dense → its survivors → smaller | selected |",
        "|---|---|---|",
        *(_survivors(run.name, run.survivors) for run in report.runs if run.survivors),
        "",
    ]
    return "\n".join(lines)


def _row(arm: ArmAtTarget, metric: Metric) -> str:
    tests = ", ".join(f"{value * metric.scale:.2f}" for value in arm.test)
    asked = "" if arm.target is None else f"{arm.target:g}"
    return (
        f"| {arm.arm} | {'yes' if arm.recovered else 'no'} | {asked} | {arm.share:.3f} | {tests} | "
        f"{_signed(metric, arm.change)} | {arm.training_macs / 1e12:.1f} |"
    )


def _survivors(run: str, control: SurvivorControl) -> str:
    selected = "" if control.selected is None else f"{control.selected:.0%}"
    shift = " → ".join(f"{one.gini:.3f}" for one in (control.dense, control.dense_survivors, control.smaller))
    return f"| {run} | {shift} | {selected} |"


def _signed(metric: Metric, estimate: Estimate) -> str:
    value, low, high = (number * metric.scale for number in (estimate.value, estimate.low, estimate.high))
    return f"{value:+.2f} [{low:+.2f}, {high:+.2f}]"


def _plain(value: Any) -> Any:
    """Numbers of numpy as Python's, and floats short enough to read: seven digits are more than were measured."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float | np.floating):
        return float(f"{float(value):.7g}") if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value
