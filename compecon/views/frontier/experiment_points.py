"""Points of experiments: every run of a report that `compecon experiment frontier` wrote."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from compecon.errors import RunError
from compecon.files.durable import read_json
from compecon.files.safe_reader import sentence_of
from compecon.paths import assets
from compecon.views.checked_values import flag, number
from compecon.views.frontier.checked_numbers import (
    Costs,
    counts,
    difference,
    one_line,
    part,
    positive,
    ratio,
    reading,
    whole,
    words,
)
from compecon.views.frontier.names import DENSE, family_of, is_higher_better, task_of
from compecon.views.frontier.points_of import CollectedPoints, FrontierPoint, OtherSplit, Reading, Shift
from compecon.views.frontier.shapes import attention_reads

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
        about = report.stat()
        return _points(report, about.st_mtime_ns, about.st_size)
    except Exception as error:  # noqa: BLE001 - a bad report is one line, whatever is wrong with it
        return CollectedPoints((), ((f"experiment {one_line(report.parent.name)}", one_line(sentence_of(error))),))


@lru_cache(maxsize=64)
def _points(report: Path, _changed: int, _size: int) -> CollectedPoints:
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
    family = family_of(arm, recovered=recovered)
    label, metric = _label(arm, target, seed, recovered=recovered), words(run, "metric")
    costs, device = _costs(report, run, dense, label)
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
        costs=costs.known,
        n_tokens=whole(run, "n_tokens"),
        device=device,
        seed=seed,
        price=number(run, "price"),
        target=target,
        met=flag(run, "met"),
        heads=counts(run, "heads"),
        neurons=counts(run, "neurons"),
        source=f"experiment {folder}, run {label}",
        facts=_facts(report, run, family),
        rows=whole(run, "test", "n"),
        floor=number(report, "floor"),
        elsewhere=_on_dev(run, dense),
        parent=f"{DENSE}, seed {seed}" if family != DENSE else "",
        gini=_shift(run, "gini"),
        entropy=_shift(run, "entropy"),
        left=part(run, "share"),
    )


def _label(arm: str, target: float | None, seed: int | None, *, recovered: bool) -> str:
    """What the experiment calls the files of a run."""
    at = "" if target is None else f"-{target:g}"
    return f"{arm.replace(' ', '-')}{at}-{'recovered' if recovered else 'once'}-s{seed}"


def _name(family: str, target: float | None, seed: int | None) -> str:
    at = "" if target is None else f" at {target:.0%}"
    return f"{family}{at}, seed {seed}" if seed is not None else f"{family}{at}"


def _costs(
    report: Mapping[str, Any], run: Mapping[str, Any], dense: Mapping[str, Any] | None, label: str
) -> tuple[Costs, str]:
    costs, macs, n_tokens, device = Costs(), positive(run, "macs"), whole(run, "n_tokens"), ""
    costs.add("macs", macs)
    costs.add("share", ratio(macs, positive(dense, "macs")))
    costs.add("training_macs", positive(run, "training_macs"))
    if n_tokens and (heads := counts(run, "heads")):
        costs.add("reads", float(attention_reads(heads, n_tokens)))
    measured = report.get("measured")
    for one in measured if isinstance(measured, list) else ():
        if words(one, "run") == label and isinstance(one.get("latency"), Mapping):
            shape = {name: one.get(name) for name in ("batch", "n_tokens")}
            device = device or costs.add_latency({**one["latency"], **shape})
            costs.add_latency({**one["latency"], **shape})
    return costs, device


def _change(report: Mapping[str, Any], run: Mapping[str, Any], dense: Mapping[str, Any] | None) -> Reading | None:
    """Against the dense run of the same seed; the paired interval where the report has one of this run alone."""
    if dense is None or run is dense:
        return None if dense is None else Reading(0.0)
    same = ("arm", "recovered", "target")
    arms = report.get("arms")
    for arm in arms if isinstance(arms, list) else ():
        if isinstance(arm, Mapping) and all(arm.get(key) == run.get(key) for key in same):
            alone = arm.get("seeds") == [run.get("seed")]
            return (reading(arm, "change") if alone else None) or difference(
                reading(run, "test"), reading(dense, "test")
            )
    return difference(reading(run, "test"), reading(dense, "test"))


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
    steps, left = whole(run, "steps"), part(run, "share")
    facts = (
        ("made by", family),
        ("heads and neurons that remain", "" if left is None else f"{left:.1%}"),
        ("steps after dense", f"{steps:,}" if steps else ""),
        ("measured", words(report, "measured_as") if steps else ""),
    )
    return tuple((name, value) for name, value in facts if value)
