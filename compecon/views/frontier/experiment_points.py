"""Points of experiments: every run of a report that `compecon experiment frontier` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from compecon.errors import RunError
from compecon.files.durable import read_json
from compecon.files.safe_reader import sentence_of
from compecon.paths import assets, file_stamp
from compecon.views.checked_values import flag, number
from compecon.views.frontier.checked_numbers import (
    costs_of,
    counts,
    difference,
    one_line,
    part,
    percent,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.failure_signs import Shift, shift_signs
from compecon.views.frontier.frontier_points import (
    CollectedPoints,
    FrontierPoint,
    ModelSize,
    OtherSplit,
    Reading,
    Training,
)
from compecon.views.frontier.names import DENSE, family_of, is_higher_better, task_of

REPORT = "report.json"
_MOST_RUNS = 5_000


def experiment_reports(*more: Path) -> tuple[Path, ...]:
    """The reports that come with compecon, and those one folder below others."""
    folders = (_bundled(), *more)
    return tuple(path for folder in folders for path in sorted(folder.glob(f"*/{REPORT}")))


def _bundled() -> Path:
    return assets() / "experiments"


def experiment_points(report: Path) -> CollectedPoints:
    """A point for each run of a report; nothing, and the reason, if the report is damaged."""
    try:
        return _points(report, file_stamp(report))
    except Exception as error:  # noqa: BLE001 - a bad report is one line, whatever is wrong with it
        return CollectedPoints((), ((f"experiment {one_line(report.parent.name)}", one_line(sentence_of(error))),))


@lru_cache(maxsize=64)
def _points(report: Path, _changed: tuple[int, int]) -> CollectedPoints:
    content = read_json(report)
    name, runs = one_line(report.parent.name), content.get("runs")
    if content.get("schema") != 1 or not isinstance(runs, list) or len(runs) > _MOST_RUNS:
        raise RunError(f"{REPORT} is not an experiment report of at most {_MOST_RUNS:,} runs, in schema 1.")
    known = [run for run in runs if isinstance(run, Mapping) and reading(run.get("test"))]
    dense = {whole(run, "seed"): run for run in known if run.get("arm") == DENSE}
    folder = name if report.parent.parent == _bundled() else f"{one_line(report.parent.parent.name)}/{name}"
    points = tuple(_point(content, folder, run, dense.get(whole(run, "seed"))) for run in known)
    n_damaged = len(runs) - len(points)
    reason = ((f"experiment {name}", f"{n_damaged} of its runs have no test metric"),) if n_damaged else ()
    return CollectedPoints(points, reason)


def _point(
    report: Mapping[str, Any], folder: str, run: Mapping[str, Any], dense: Mapping[str, Any] | None
) -> FrontierPoint:
    recovered = flag(run, "recovered") is not False
    arm, seed, target = words(run, "arm"), whole(run, "seed"), part(run, "target")
    family, metric = family_of(arm, recovered=recovered), words(run, "metric")
    at = "" if target is None else f"-{target:g}"
    label = f"{arm.replace(' ', '-')}{at}-{'recovered' if recovered else 'once'}-s{seed}"  # of the run's files
    macs = positive(run, "macs")
    share, training_macs = ratio(macs, positive(dense, "macs")), positive(run, "training_macs")
    costs, device = costs_of({"macs": macs, "share": share, "training_macs": training_macs}, _latencies(report, label))
    return FrontierPoint(
        key=f"{folder}/{label}",
        name=_name(family, target, seed),
        family=family,
        origin="experiment",
        task=task_of(words(report, "task")),
        metric=metric,
        split="test",
        higher_is_better=is_higher_better(metric),
        quality=reading(run, "test"),
        change=_change(report, run, dense),
        rows=whole(run, "test", "n"),
        floor=number(report, "floor"),
        elsewhere=_on_dev(run, dense),
        costs=costs,
        n_tokens=whole(run, "n_tokens"),
        device=device,
        size=ModelSize(heads=counts(run, "heads"), neurons=counts(run, "neurons")),
        training=Training(
            parent=f"{DENSE}, seed {seed}" if family != DENSE else "",
            seed=seed,
            price=number(run, "price"),
            target=target,
            met=flag(run, "met"),
            left=part(run, "share"),
        ),
        source=f"experiment {folder}, run {label}",
        facts=_facts(report, run, family),
        signs=shift_signs(_shift(run, "gini"), _shift(run, "entropy")) if share and share.value < 1 else (),
    )


def _name(family: str, target: float | None, seed: int | None) -> str:
    at = "" if target is None else f" at {target:.0%}"
    return f"{family}{at}, seed {seed}" if seed is not None else f"{family}{at}"


def _latencies(report: Mapping[str, Any], label: str) -> list[dict[str, Any]]:
    measured = report.get("measured")
    return [
        {**one["latency"], **{name: one.get(name) for name in ("batch", "n_tokens")}}
        for one in (measured if isinstance(measured, list) else ())
        if words(one, "run") == label and isinstance(one.get("latency"), Mapping)
    ]


def _change(report: Mapping[str, Any], run: Mapping[str, Any], dense: Mapping[str, Any] | None) -> Reading | None:
    """Against the dense run of the same seed; the paired interval where the report has one of this run alone."""
    if dense is None or run is dense:
        return None if dense is None else Reading(0.0)
    arms = report.get("arms")
    same = (
        arm
        for arm in (arms if isinstance(arms, list) else ())
        if isinstance(arm, Mapping) and all(arm.get(key) == run.get(key) for key in ("arm", "recovered", "target"))
    )
    arm = next(same, {})
    paired = reading(arm, "change") if arm.get("seeds") == [run.get("seed")] else None
    return paired or difference(reading(run, "test"), reading(dense, "test"))


def _on_dev(run: Mapping[str, Any], dense: Mapping[str, Any] | None) -> tuple[OtherSplit, ...]:
    dev = reading(run, "dev")
    if dev is None:
        return ()
    change = Reading(0.0) if run is dense else difference(dev, reading(dense, "dev"))
    return (OtherSplit("dev", dev, change, whole(run, "dev", "n")),)


def _shift(run: Mapping[str, Any], name: str) -> Shift | None:
    stages = ("dense", "dense_survivors", "smaller")
    dense, survivors, smaller = (number(run, "survivors", stage, name) for stage in stages)
    return None if dense is None or survivors is None or smaller is None else Shift(dense, survivors, smaller)


def _facts(report: Mapping[str, Any], run: Mapping[str, Any], family: str) -> tuple[tuple[str, str], ...]:
    steps = whole(run, "steps")
    return (
        ("made by", family),
        ("heads and neurons that remain", percent(run, "share")),
        ("steps after dense", f"{steps:,}" if steps else ""),
        ("measured", words(report, "measured_as") if steps else ""),
    )
