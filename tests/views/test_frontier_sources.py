"""Points of the frontier, from bundled checkpoints, hostile cards, runs, experiments and stored measurements."""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.checkpoints.locate import bundled_root
from compecon.evaluation.evaluation_records import EvaluationKey, EvaluationRecord
from compecon.paths import assets
from compecon.runs.history import History
from compecon.runs.run_record import RunRecord, RunSpec, RunState, Status
from compecon.tasks.task_metrics import Estimate
from compecon.views.frontier.ablation import ablation_view
from compecon.views.frontier.advice import advise
from compecon.views.frontier.axes import axes_of, tasks_of
from compecon.views.frontier.card_points import checkpoint_points
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.experiment_points import experiment_points, experiment_reports
from compecon.views.frontier.frontier_points import (
    CollectedPoints,
    CurvePoint,
    FrontierPoint,
    ModelSize,
    OtherSplit,
    Reading,
    Training,
)
from compecon.views.frontier.frontier_report import frontier_report, report_html
from compecon.views.frontier.frontier_view import frontier_view
from compecon.views.frontier.limits import Wish
from compecon.views.frontier.names import task_of
from compecon.views.frontier.price_study import price_view
from compecon.views.frontier.proxies import proxy_view
from compecon.views.frontier.quoted_points import quoted_points, quoted_statements
from compecon.views.frontier.run_points import run_points
from compecon.views.frontier.shapes import digest_of
from compecon.views.frontier.sources import Sources, all_points

TICKS = itertools.count(1)  # a file that is written again within a tick of the clock has to look new


@pytest.fixture(scope="module")
def entries() -> dict[str, CheckpointEntry]:
    return {entry.name: entry for entry in list_checkpoints() if entry.origin == "bundled"}


@pytest.fixture(scope="module")
def bundled(entries: dict[str, CheckpointEntry]) -> dict[str, FrontierPoint]:
    return {point.name: point for point in checkpoint_points(entries.values()).points}


def card_of(name: str) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((bundled_root() / name / "compecon.json").read_text())
    return card


# ---- bundled checkpoints


def test_a_bundled_checkpoint_is_where_its_card_says(bundled: dict[str, FrontierPoint]) -> None:
    card, parent = card_of("sentiment-45-taylor"), card_of("sentiment")
    told, training, point = card["metrics"][0], card["training"], bundled["sentiment-45-taylor"]
    assert point.quality == Reading(told["value"], told["low"], told["high"])
    assert point.change == Reading(told["value"] - parent["metrics"][0]["value"])
    assert point.costs["macs"] == Reading(training["macs"])
    assert point.costs["share"].value == pytest.approx(training["macs"] / training["dense_macs"])
    assert point.costs["latency"] == Reading(*(training["latency"][key] for key in ("ratio", "low", "high")))
    assert point.device == "cpu, 1 thread, 8 × 64 tokens"
    assert (point.key, point.family, point.task, point.split) == (
        "bundled/sentiment-45-taylor",
        "taylor",
        "sst2",
        "test",
    )
    assert (point.checkpoint, point.rows) == ("sentiment-45-taylor", told["n"])
    assert (point.training.seed, point.training.target) == (0, 0.45)


def test_a_dense_parent_has_its_own_share_and_the_macs_that_its_children_tell(
    bundled: dict[str, FrontierPoint],
) -> None:
    point, training = bundled["similarity"], card_of("similarity-45-taylor")["training"]
    assert point.family == "dense"
    assert point.change == Reading(0.0)
    assert point.costs["share"] == Reading(1.0)
    assert point.costs["macs"] == Reading(training["dense_macs"])
    assert point.n_tokens == training["n_tokens"]


def test_budgets_of_a_card_become_a_curve(bundled: dict[str, FrontierPoint]) -> None:
    stated = {one["name"]: one["value"] for one in card_of("sentiment-elastic")["metrics"]}
    curve = bundled["sentiment-elastic at 1"].curve
    assert [one.keys for one in curve] == [1, 2, 4, 8, None]
    assert curve[0].metric.value == stated["accuracy at 1 key"]
    assert curve[-1].metric.value == stated["accuracy"]


def test_bundled_families_are_named_by_method(bundled: dict[str, FrontierPoint]) -> None:
    families = {name: point.family for name, point in bundled.items() if name.startswith("sentiment")}
    assert families == {
        "sentiment": "dense",
        "sentiment-45-taylor": "taylor",
        **{
            f"sentiment-elastic at {budget}": "elastic, sentiment-elastic"
            for budget in ("1", "0.6", "0.45", "0.3", "0.2", "0.1", "0.05")
        },
    }


def test_sizes_of_a_bundled_elastic_checkpoint_cost_what_its_card_says(bundled: dict[str, FrontierPoint]) -> None:
    for size in card_of("sentiment-elastic")["training"]["sizes"]:
        point = bundled[f"sentiment-elastic at {size['budget']:g}"]
        assert point.quality == Reading(*(size["metrics"][0][key] for key in ("value", "low", "high")))
        assert point.costs["macs"] == Reading(size["macs"])
        assert point.costs["latency"] == Reading(*(size["latency"][key] for key in ("ratio", "low", "high")))
        assert point.device == "cpu, 1 thread, 8 × 64 tokens"


def test_reads_are_the_pairs_of_query_and_key_that_are_looked_at() -> None:
    for is_causal in (False, True):
        for keys in (None, 1, 3, 9):
            most = 5 if keys is None else keys
            pairs = sum(min(most, query + 1 if is_causal else 5) for query in range(5))
            assert ModelSize(heads=(2, 1), is_causal=is_causal).reads(5, keys) == 3 * pairs


# ---- hostile cards


def with_card(entry: CheckpointEntry, folder: Path, card: Any) -> CheckpointEntry:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "compecon.json").write_text(card if isinstance(card, str) else json.dumps(card))
    return replace(entry, name=folder.name, path=folder, origin="local")


METRIC = {"name": "accuracy", "split": "test", "value": 0.8, "low": 0.7, "high": 0.9, "n": 10}


def read_card(entries: dict[str, CheckpointEntry], tmp_path: Path, card: Any) -> CollectedPoints:
    return checkpoint_points([with_card(entries["sentiment"], tmp_path / "mine", card)])


@pytest.mark.parametrize(
    "card",
    ["{", "[]", "[" * 100_000, json.dumps({"schema": 2}), json.dumps({"schema": 1, "sha256": [1]}), "x" * 2_000_000],
)
def test_a_damaged_card_is_listed_and_makes_no_point(
    entries: dict[str, CheckpointEntry], tmp_path: Path, card: str
) -> None:
    found = read_card(entries, tmp_path, card)
    assert found.points == ()
    assert len(found.left_out) == 1


@pytest.mark.parametrize("value", [math.nan, math.inf, "0.8", None, True, [0.8], 10**400])
def test_a_metric_that_is_no_number_makes_no_point(
    entries: dict[str, CheckpointEntry], tmp_path: Path, value: Any
) -> None:
    card = {"schema": 1, "task": "sentiment", "metrics": [{**METRIC, "value": value}]}
    found = read_card(entries, tmp_path, card)
    assert found.points == ()
    [(_, reason)] = found.left_out
    assert "no readable number" in reason or "finite" in reason or "digits" in reason


@pytest.mark.parametrize("metrics", [5, "accuracy", {"name": "accuracy"}, [5, None, []]])
def test_metrics_that_are_no_list_of_objects_are_none(
    entries: dict[str, CheckpointEntry], tmp_path: Path, metrics: Any
) -> None:
    assert read_card(entries, tmp_path, {"schema": 1, "task": "sentiment", "metrics": metrics}) == CollectedPoints()


def test_costs_that_are_no_numbers_are_not_known(entries: dict[str, CheckpointEntry], tmp_path: Path) -> None:
    training = {
        "method": ["x"], "parent": 5, "macs": -3, "dense_macs": 0, "n_tokens": 2.5, "price": "high", "seed": -1,
        "latency": {"ratio": "fast", "device": "<script>"}, "settings": "none",
    }  # fmt: skip
    [point] = read_card(entries, tmp_path, {"schema": 1, "task": "t", "metrics": [METRIC], "training": training}).points
    assert set(point.costs) == {"share"}
    assert (point.n_tokens, point.training.price, point.training.seed, point.device) == (None, None, None, "")
    assert point.family == "dense"


def test_long_names_and_line_breaks_are_cut(entries: dict[str, CheckpointEntry], tmp_path: Path) -> None:
    metric = {**METRIC, "name": "accu\nracy\x00 " + "x" * 5000}
    [point] = read_card(entries, tmp_path, {"schema": 1, "task": "t" * 5000, "metrics": [metric]}).points
    assert len(point.metric) <= 120
    assert point.metric.isprintable()
    assert len(point.task) <= 120


def test_a_parent_whose_weights_are_others_now_is_none(entries: dict[str, CheckpointEntry], tmp_path: Path) -> None:
    card = {
        "schema": 1, "task": "sentiment", "metrics": [METRIC],
        "training": {"method": "incentive", "parent": "sentiment", "parent_digest": "0" * 12},
    }  # fmt: skip
    mine = with_card(entries["sentiment"], tmp_path / "mine", card)
    found = {point.name: point for point in checkpoint_points([entries["sentiment"], mine]).points}
    assert found["mine"].change is None


def test_a_folder_named_like_a_bundled_child_tells_nothing_of_the_parent(
    entries: dict[str, CheckpointEntry], tmp_path: Path
) -> None:
    training = {"method": "incentive", "parent": "sentiment", "macs": 1, "dense_macs": 2, "n_tokens": 3}
    card = {"schema": 1, "task": "sentiment", "metrics": [METRIC], "training": training}
    mine = with_card(entries["sentiment"], tmp_path / "sentiment-45-taylor", card)
    [dense] = [one for one in checkpoint_points([entries["sentiment"], mine]).points if one.name == "sentiment"]
    assert "macs" not in dense.costs


def test_a_checkpoint_that_cannot_be_opened_is_listed_with_the_reason(entries: dict[str, CheckpointEntry]) -> None:
    broken = replace(entries["sentiment"], problem="The weights are damaged.", preflight=None, title="Mine")
    assert checkpoint_points([broken]) == CollectedPoints((), (("Mine", "The weights are damaged."),))


# ---- experiments


def the_report(name: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((assets() / "experiments" / name / "report.json").read_text())
    return report


@pytest.mark.parametrize("name", ["sst2", "stsb"])
def test_every_run_of_a_committed_experiment_is_a_point(name: str) -> None:
    report = the_report(name)
    found = experiment_points(assets() / "experiments" / name / "report.json")
    assert found.left_out == ()
    assert len(found.points) == len(report["runs"])
    for point, run in zip(found.points, report["runs"], strict=True):
        dense = next(one for one in report["runs"] if one["arm"] == "dense" and one["seed"] == run["seed"])
        assert point.quality == Reading(run["test"]["value"], run["test"]["low"], run["test"]["high"])
        assert point.costs["share"].value == pytest.approx(run["macs"] / dense["macs"])
        assert point.change is not None
        assert point.change.value == pytest.approx(run["test"]["value"] - dense["test"]["value"], abs=2e-6)
        assert point.checkpoint == ""


def test_an_interval_of_a_change_is_taken_where_the_report_has_one_of_that_run_alone() -> None:
    report = the_report("sst2")
    arm = next(one for one in report["arms"] if one["arm"] == "random" and one["recovered"] and len(one["seeds"]) == 1)
    points = {one.key: one for one in experiment_points(assets() / "experiments" / "sst2" / "report.json").points}
    alone = points[f"sst2/random-{arm['target']:g}-recovered-s0"].change
    assert alone == Reading(arm["change"]["value"], arm["change"]["low"], arm["change"]["high"])
    averaged = points["sst2/incentive-0.3-recovered-s0"].change
    assert averaged is not None
    assert averaged.low is None


def test_a_time_is_taken_by_the_name_of_the_run_and_its_setting() -> None:
    report = the_report("sst2")
    points = {one.key: one for one in experiment_points(assets() / "experiments" / "sst2" / "report.json").points}
    costs = points["sst2/incentive-0.3-recovered-s0"].costs
    for one in report["measured"][:2]:
        setting = f"latency: cpu, 1 thread, {one['batch']} × {one['n_tokens']} tokens"
        assert costs[setting].value == one["latency"]["ratio"]
    assert costs["latency"].value == report["measured"][0]["latency"]["ratio"]


def written(folder: Path, content: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "null",
        "[]",
        '{"schema": 1}',
        '{"schema": 7, "runs": []}',
        "y" * 1_100_000,
        '{"schema":1,"runs":{}}',
        '{"schema":1,"runs":[NaN]}',
    ],
)
def test_a_damaged_or_oversized_report_is_listed_and_makes_no_point(tmp_path: Path, content: str) -> None:
    found = experiment_points(written(tmp_path / "mine", content))
    assert found.points == ()
    assert [name for name, _ in found.left_out] == ["experiment mine"]


def test_a_report_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    os.mkfifo(tmp_path / "mine" / "report.json")
    assert "not a regular file" in experiment_points(tmp_path / "mine" / "report.json").left_out[0][1]


def test_runs_of_a_report_that_are_no_runs_are_counted(tmp_path: Path) -> None:
    runs = [
        5, {}, {"arm": ["x"], "seed": [1], "test": {"value": None}},
        {"arm": "incentive", "seed": {"a": 1}, "test": {"value": 0.5}, "heads": "many", "macs": -1},
    ]  # fmt: skip
    found = experiment_points(written(tmp_path / "mine", {"schema": 1, "task": "sst2", "runs": runs, "arms": 3}))
    assert [point.quality for point in found.points] == [Reading(0.5)]
    assert found.points[0].size.heads == ()
    assert found.points[0].change is None
    [(name, reason)] = found.left_out
    assert name == "experiment mine"
    assert "3 of its runs" in reason


def test_only_a_smaller_model_whose_attention_did_not_sharpen_has_signs(tmp_path: Path) -> None:
    stages = {"dense": 0.6, "dense_survivors": 0.5, "smaller": 0.55}
    moved = {stage: {"gini": value, "entropy": 2.5 - value} for stage, value in stages.items()}
    sharper = {**moved, "smaller": {"gini": 0.7, "entropy": 1.0}}
    runs = [
        {"arm": arm, "seed": 0, "macs": macs, "test": {"value": 0.5}, "survivors": survivors}
        for arm, macs, survivors in (("dense", 9, moved), ("taylor", 5, moved), ("fisher", 5, sharper))
    ]
    points = experiment_points(written(tmp_path / "mine", {"schema": 1, "task": "sst2", "runs": runs})).points
    assert {point.family: len(point.signs) for point in points} == {"dense": 0, "taylor": 2, "fisher": 0}


def test_an_experiment_that_is_called_like_a_bundled_one_keeps_its_points(tmp_path: Path) -> None:
    mine = written(tmp_path / "mine" / "sst2", the_report("sst2"))
    reports = (*experiment_reports(), mine)
    points = all_points(Sources(reports=reports, has_quoted=False)).points
    n_mine = sum(point.key.startswith("mine/sst2/") for point in points)
    assert n_mine == len(the_report("sst2")["runs"])
    assert len(points) == n_mine + len(all_points(Sources(has_quoted=False)).points)


def test_reports_of_other_folders_come_after_the_bundled_ones(tmp_path: Path) -> None:
    mine = written(tmp_path / "mine", {"schema": 1, "runs": []})
    assert experiment_reports(tmp_path)[-1] == mine
    assert len(experiment_reports()) == len(experiment_reports(tmp_path)) - 1


# ---- runs


RESULTS: dict[str, Any] = {
    "metric": {
        "name": "accuracy", "split": "test", "higher_is_better": True, "value": 0.8, "low": 0.75, "high": 0.85, "n": 99,
    },
    "difference": {"value": -0.02, "low": -0.03, "high": -0.01, "n": 99},
    "macs": 30, "parent_macs": 100, "n_tokens": 25, "share": 0.29, "price": 2.0, "met": True, "target": 0.3,
    "latency": {"ratio": 0.4, "low": 0.3, "high": 0.5, "batch": 1, "n_tokens": 25, "device": "cpu", "threads": 2},
}  # fmt: skip
PARAMS: dict[str, Any] = {"task": "sst2", "base": "sentiment", "target": 0.3, "price": None, "units": "both", "seed": 3}


def a_run(
    state: RunState = RunState.SUCCEEDED,
    results: Mapping[str, Any] | None = None,
    recipe: str = "train",
    run_id: str = "train-00000001",
    **params: Any,
) -> RunRecord:
    spec = RunSpec(recipe, {**PARAMS, **params}, title="Mine", order=1)
    said = Status(state=state, results=RESULTS if results is None else results)
    return RunRecord(run_id, Path("/nowhere") / run_id, spec, said, state, "")


def test_a_run_that_is_done_is_a_point_of_its_results() -> None:
    [point] = run_points([a_run()]).points
    assert (point.key, point.name, point.family, point.state) == ("run/train-00000001", "Mine", "incentive", "done")
    assert point.quality == Reading(0.8, 0.75, 0.85)
    assert point.change == Reading(-0.02, -0.03, -0.01)
    assert point.costs["share"] == Reading(0.3)
    assert point.costs["latency"] == Reading(0.4, 0.3, 0.5)
    assert point.training == Training("sentiment", seed=3, price=2.0, target=0.3, met=True, left=0.29)
    assert point.rows == 99
    assert point.checkpoint == ""  # its folder is gone


@pytest.mark.parametrize(
    ("recipe", "params", "family"),
    [
        ("train", {"target": None}, "dense"),
        ("train", {"target": None, "elastic": [1.0, 0.5]}, "elastic"),
        ("train", {"target": None, "price": 1.0}, "fixed price"),
        ("train", {"units": "heads"}, "incentive, heads only"),
        ("train", {"units": "neurons"}, "incentive, neurons only"),
        ("prune", {"method": "taylor", "recover_epochs": 1.0}, "taylor"),
        ("prune", {"method": "taylor", "recover_epochs": 0.0}, "taylor, no recovery"),
    ],
)
def test_families_of_runs_follow_from_what_was_asked_for(recipe: str, params: dict[str, Any], family: str) -> None:
    assert run_points([a_run(recipe=recipe, **params)]).points[0].family == family


@pytest.mark.parametrize("results", [{}, {"metric": 5}, {"metric": {"value": math.nan}}])
def test_a_run_without_a_metric_is_listed(results: dict[str, Any]) -> None:
    found = run_points([a_run(results=results)])
    [(name, reason)] = found.left_out
    assert (found.points, name) == ((), "Mine")
    assert "no metric" in reason


def a_history(*events: dict[str, Any], **stages: list[dict[str, Any]]) -> History:
    return History(Path("/nowhere"), steps=dict(stages), events=list(events))


def test_a_running_run_is_where_it_was_measured_last() -> None:
    quality = {"event": "quality", "metric": "accuracy", "split": "dev", "step": 5}
    history = a_history(
        {**quality, "value": 0.6}, {**quality, "value": 0.7}, {**quality, "value": None}, {"event": "other"},
        incentive=[{"step": 1, "share": 0.9, "price": 1.0}, {"step": 2, "share": 0.5, "price": 1.5}, {"step": 3}],
    )  # fmt: skip
    [point] = run_points([a_run(RunState.RUNNING, {})], {"train-00000001": history}).points
    assert (point.state, point.split, point.quality) == ("running", "dev", Reading(0.7))
    assert point.costs == {"share": Reading(0.5)}
    assert point.training.price == 1.5
    assert "estimated" in point.source


def test_macs_of_a_running_run_are_estimated_from_its_parents(entries: dict[str, CheckpointEntry]) -> None:
    history = a_history({"event": "quality", "metric": "accuracy", "split": "dev", "value": 0.7},
                        incentive=[{"step": 1, "share": 0.5}])  # fmt: skip
    sources = Sources(tuple(entries.values()), (a_run(RunState.RUNNING, {}),), {"train-00000001": history}, reports=())
    points = {point.key: point for point in all_points(sources).points}
    dense = points["bundled/sentiment"].costs["macs"].value
    assert points["run/train-00000001"].costs["macs"].value == round(0.5 * dense)
    assert frontier_view(points.values(), FrontierAxes("sst2@dev")).marks[0].standing == "running"


@pytest.mark.parametrize("state", [RunState.QUEUED, RunState.FAILED, RunState.LOST])
def test_a_run_of_which_nothing_was_measured_is_listed(state: RunState) -> None:
    found = run_points([a_run(state, {})])
    assert found.points == ()
    assert "measured" in found.left_out[0][1]


def test_a_failed_run_with_a_number_is_a_failed_point() -> None:
    history = a_history({"event": "quality", "metric": "accuracy", "split": "dev", "value": 0.7})
    [point] = run_points([a_run(RunState.FAILED, {})], {"train-00000001": history}).points
    assert point.state == "failed"


def test_runs_that_make_no_checkpoint_are_passed_over() -> None:
    assert run_points([a_run(recipe="evaluate"), a_run(recipe="rehearsal")]) == CollectedPoints()


# ---- stored measurements


def measurement(name: str, digest: str, keys: int | None, value: float, **more: Any) -> EvaluationRecord:
    key = EvaluationKey(digest, "sst2", "test", "rows", 128, keys, None, "" if keys is None else "top-k")
    score = Estimate(value, value - 0.1, value + 0.1, 1821)
    fields: dict[str, Any] = {
        "key": key, "checkpoint": name, "metrics": {"accuracy": score}, "higher_is_better": True, "n_tokens": 25,
        "reads": None, "macs": 7, "parameters": 9, "hardware": {}, "versions": {}, "measured_at": 1.0,
    }  # fmt: skip
    return EvaluationRecord(**{**fields, **more})


def measured_by(entries: dict[str, CheckpointEntry], *records: EvaluationRecord) -> FrontierPoint:
    """The point of sentiment-45-taylor, with these measurements among all points."""
    points = all_points(Sources(tuple(entries.values()), evaluations=records)).points
    return next(point for point in points if point.name == "sentiment-45-taylor")


def test_measurements_of_the_same_weights_become_a_curve_with_reads(entries: dict[str, CheckpointEntry]) -> None:
    digest = digest_of(entries["sentiment-45-taylor"].path)
    records = (measurement("sentiment-45-taylor", digest, 4, 0.7), measurement("sentiment-45-taylor", digest, 2, 0.6))
    point = measured_by(entries, *records)
    quality = point.quality
    assert quality is not None
    n_heads, n_tokens = sum(point.size.heads), point.n_tokens or 0
    assert point.curve == (
        CurvePoint(2, float(n_heads * n_tokens * 2), Reading(0.6, 0.6 - 0.1, 0.6 + 0.1)),
        CurvePoint(4, float(n_heads * n_tokens * 4), Reading(0.7, 0.7 - 0.1, 0.7 + 0.1)),
        CurvePoint(None, float(n_heads * n_tokens * n_tokens), quality),
    )


def test_a_task_that_the_card_does_not_name_is_a_point_with_the_reads_of_a_bidirectional_model(
    entries: dict[str, CheckpointEntry],
) -> None:
    digest = digest_of(entries["sentiment-45-taylor"].path)
    record = measurement("sentiment-45-taylor", digest, None, 0.7)
    record = replace(record, key=replace(record.key, task="cola"))
    found = all_points(Sources(tuple(entries.values()), evaluations=(record,))).points
    [point] = [one for one in found if one.task == "cola"]
    assert point.costs["reads"].value == sum(point.size.heads) * 25 * 25  # every query looks at every key


def test_measurements_on_other_rows_are_of_no_use(entries: dict[str, CheckpointEntry]) -> None:
    digest = digest_of(entries["sentiment-45-taylor"].path)
    few = {"accuracy": Estimate(0.7, 0.6, 0.8, 100)}
    records = (measurement("sentiment-45-taylor", digest, 4, 0.7, metrics=few),)
    assert measured_by(entries, *records).curve == ()


def test_measurements_of_other_weights_are_of_no_use(entries: dict[str, CheckpointEntry]) -> None:
    records = (measurement("sentiment-45-taylor", "0" * 12, 4, 0.7),)
    assert measured_by(entries, *records).curve == ()


def test_a_checkpoint_that_no_card_tells_of_is_where_it_was_measured(entries: dict[str, CheckpointEntry]) -> None:
    entry = entries["sentiment"]
    record = measurement("sentiment", digest_of(entry.path), None, 0.5)
    other = replace(record, key=replace(record.key, task="cola"))
    found = all_points(Sources((entry,), evaluations=(other,), reports=(), has_quoted=False)).points
    assert [(point.key, point.task, point.rows) for point in found] == [
        ("bundled/sentiment", "sst2", 1821), ("bundled/sentiment@cola/test", "cola", 1821),
    ]  # fmt: skip
    assert found[1].quality == Reading(0.5, 0.4, 0.6)


def test_a_measurement_that_is_not_a_number_adds_nothing(entries: dict[str, CheckpointEntry]) -> None:
    digest = digest_of(entries["sentiment-45-taylor"].path)
    undefined = Estimate(math.nan, math.nan, math.nan, 1821)
    records = (measurement("sentiment-45-taylor", digest, 1, 0.0, metrics={"accuracy": undefined}),)
    assert all(math.isfinite(one.metric.value) for one in measured_by(entries, *records).curve)


# ---- quoted ones


def test_quoted_points_state_one_cost_and_say_where_they_are_from() -> None:
    points = quoted_points()
    assert len({point.key for point in points}) == len(points) >= 10
    for point in points:
        assert len(point.costs) == 1
        assert set(point.costs) <= {"share", "latency"}
        assert point.setting.startswith("different setting: ")
        assert "arXiv" in point.source
        assert point.checkpoint == ""
        assert dict(point.facts)["how it was read"]


def test_the_paper_is_quoted_as_an_estimate_at_second_hand() -> None:
    [paper] = [point for point in quoted_points() if "2508.10426" in point.source]
    assert paper.costs == {"share": Reading(0.6)}
    assert paper.change == Reading(-0.006)
    assert "second-hand" in paper.source
    assert "not counted" in paper.setting


def test_what_was_stated_without_a_point_is_kept_as_words() -> None:
    assert all(one.stated and one.source for one in quoted_statements())


# ---- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**400), 10**400) | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=6,
)


def objects(*names: str) -> st.SearchStrategy[dict[str, Any]]:
    """Objects with the names that are read, and anything under them."""
    likely = JSON | st.floats(-2, 2) | st.integers(0, 100)
    return st.dictionaries(st.sampled_from(names), likely, max_size=len(names))


READINGS = objects("value", "low", "high", "n", "name", "split", "ratio", "batch", "n_tokens", "threads", "device")
TRAININGS = objects(
    "method", "parent", "macs", "dense_macs", "n_tokens", "share", "target", "price", "seed", "settings", "steps",
    "met", "latency",
)  # fmt: skip
RUNS = st.builds(
    lambda run, test, latency: {**run, "test": test, "dev": test, "survivors": {"dense": test}, "latency": latency},
    objects("arm", "seed", "recovered", "target", "share", "macs", "n_tokens", "heads", "neurons", "metric", "price"),
    READINGS,
    READINGS,
)


def shown(points: tuple[FrontierPoint, ...]) -> None:
    """Look at everything that can be asked of points; nothing of it may raise, whatever they hold."""
    for choice in tasks_of(points):
        for axis in axes_of(points, choice.name):
            for is_log in (False, True):
                view = frontier_view(points, FrontierAxes(choice.name, axis.name, is_log=is_log))
                assert all(math.isfinite(mark.x.value) and math.isfinite(mark.y.value) for mark in view.marks)
                report_html(frontier_report(view, advise(view, Wish(most_share=0.5, least_change=-0.1))))
        price_view(points, choice.name)
        ablation_view(points, choice.name)
        proxy_view(points, choice.name)


ANYTHING = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@ANYTHING
@given(st.lists(READINGS, max_size=3), TRAININGS)
def test_a_card_may_hold_anything(
    entries: dict[str, CheckpointEntry], tmp_path: Path, metrics: list[Any], training: dict[str, Any]
) -> None:
    card = {"schema": 1, "task": "sentiment", "metrics": [METRIC, *metrics], "training": training}
    mine = with_card(entries["sentiment"], tmp_path / "mine", card)
    os.utime(mine.path / "compecon.json", ns=(1, next(TICKS)))
    shown(all_points(Sources((entries["sentiment"], mine), reports=())).points)


@ANYTHING
@given(st.lists(RUNS, max_size=3), JSON)
def test_a_report_may_hold_anything(tmp_path: Path, runs: list[Any], other: Any) -> None:
    content = {"schema": 1, "task": "sst2", "runs": runs, "arms": other, "measured": runs, "floor": other}
    path = written(tmp_path / "mine", content)
    os.utime(path, ns=(1, next(TICKS)))
    shown(all_points(Sources(reports=(path,))).points)


@ANYTHING
@given(READINGS, TRAININGS, st.lists(objects("event", "value", "metric", "split", "share", "price"), max_size=3))
def test_a_run_may_hold_anything(metric: dict[str, Any], results: dict[str, Any], records: list[Any]) -> None:
    done = a_run(results={**results, "metric": metric, "difference": metric}, **results)
    running = a_run(RunState.RUNNING, {}, run_id="train-00000002", **results)
    history = a_history(*({**one, "event": "quality"} for one in records), incentive=records)
    shown(all_points(Sources((), (done, running), {running.run_id: history}, reports=())).points)


# ---- together


def test_all_points_have_keys_and_names_of_their_own(entries: dict[str, CheckpointEntry]) -> None:
    runs = (a_run(), a_run(run_id="train-00000002"))
    points = all_points(Sources(tuple(entries.values()), runs)).points
    assert len({point.key for point in points}) == len(points)
    assert len({(point.task, point.name) for point in points}) == len(points)
    assert {"Mine (000001)", "Mine (000002)"} <= {point.name for point in points}


def test_a_checkpoint_that_a_run_made_is_shown_once_as_the_run(
    entries: dict[str, CheckpointEntry], tmp_path: Path
) -> None:
    record = replace(a_run(), folder=tmp_path / "train-00000001")
    made = record.folder / "result" / record.run_id
    made.mkdir(parents=True)
    for name in ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"):
        (made / name).write_bytes((bundled_root() / "causal" / name).read_bytes())
    on_dev = {**METRIC, "split": "dev", "value": 0.75}
    local = with_card(entries["causal"], made, {"schema": 1, "task": "sst2", "metrics": [METRIC, on_dev]})
    found = all_points(Sources((local,), (record,), reports=(), has_quoted=False)).points
    assert [point.key for point in found] == ["run/train-00000001"]
    assert found[0].checkpoint == str(made)
    assert found[0].costs["parameters"].value > 0
    assert found[0].elsewhere == (OtherSplit("dev", Reading(0.75, 0.7, 0.9), None, 10),)


def test_bundled_checkpoints_and_experiments_share_the_axes_of_their_task(entries: dict[str, CheckpointEntry]) -> None:
    points = all_points(Sources(tuple(entries.values()))).points
    assert {"sst2", "stsb"} <= {choice.name for choice in tasks_of(points)}
    for task, bundled in (("sst2", "sentiment"), ("stsb", "similarity")):
        view = frontier_view(points, FrontierAxes(task))
        origins = {mark.point.origin for mark in view.marks}
        assert origins == {"bundled", "experiment"}
        assert {reason for name, reason in view.left_out if name.startswith(bundled)} == set()


def test_nothing_at_all_is_no_error() -> None:
    assert all_points(Sources(reports=(), has_quoted=False)) == CollectedPoints()


@pytest.mark.parametrize(
    "names",
    [
        ("reviews", "reviews (synthetic)", "reviews?labels=negative,positive"),
        ("sst2", "sentiment", "sst2?labels=negative,positive"),
        ("files:/data/mine.csv?label=stars", "files:/data/mine.csv", "mine"),
    ],
    ids=str,
)
def test_a_task_has_one_name_whatever_measured_it(names: tuple[str, ...]) -> None:
    """Cards, runs and what was measured name a task each in its own way."""
    assert len({task_of(name) for name in names}) == 1
