"""Elastic checkpoints on the frontier: a point for each size that was measured, as the record says."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from compecon.checkpoints.catalog import CheckpointEntry, list_checkpoints
from compecon.checkpoints.locate import bundled_root
from compecon.evaluation.evaluation_records import EvaluationKey, EvaluationRecord
from compecon.runs.run_record import RunRecord, RunSpec, RunState, Status
from compecon.tasks.task_metrics import Estimate
from compecon.views.frontier.advice import advise
from compecon.views.frontier.card_points import checkpoint_points
from compecon.views.frontier.curve_points import with_curves
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.frontier_view import frontier_view
from compecon.views.frontier.limits import Wish
from compecon.views.frontier.run_points import run_points
from compecon.views.frontier.shapes import digest_of
from compecon.views.frontier.size_points import export_command
from compecon.views.frontier.sources import Sources, all_points
from tests.support.frontier import a_point, dense

METRIC = {"name": "accuracy", "split": "test", "value": 0.8, "low": 0.7, "high": 0.9, "n": 10}


@pytest.fixture(scope="module")
def entries() -> dict[str, CheckpointEntry]:
    return {entry.name: entry for entry in list_checkpoints() if entry.origin == "bundled"}


def with_card(entry: CheckpointEntry, folder: Path, card: Any) -> CheckpointEntry:
    """An elastic checkpoint as the catalogue lists it; its weights are not there."""
    folder.mkdir(parents=True)
    (folder / "compecon.json").write_text(json.dumps(card))
    assert entry.preflight is not None
    preflight = replace(entry.preflight, elastic=True)
    return replace(entry, name=folder.name, path=folder, origin="local", preflight=preflight)


def a_size(budget: Any, value: Any = None, **more: Any) -> dict[str, Any]:
    metrics = [] if value is None else [{**METRIC, "value": value, "low": value - 0.1, "high": value + 0.1}]
    macs = 1000 * budget if type(budget) is float else 1
    return {"budget": budget, "macs": macs, "share": budget, "units": [[3, 20], [1, 5]], "metrics": metrics, **more}


SIZES = [a_size(1.0, 0.8), a_size(1 / 3, 0.75), a_size(0.1, 0.6), a_size(0.05)]
TRAINING = {"method": "elastic", "macs": 1000, "dense_macs": 1250, "n_tokens": 25}
CARD = {"schema": 1, "task": "sst2", "metrics": [METRIC]}


def elastic_entry(entry: CheckpointEntry, folder: Path, sizes: Any = SIZES) -> CheckpointEntry:
    return with_card(entry, folder, {**CARD, "training": {**TRAINING, "sizes": sizes}})


def test_an_elastic_checkpoint_is_a_point_for_each_size_that_its_record_measures(
    entries: dict[str, CheckpointEntry], tmp_path: Path
) -> None:
    found = checkpoint_points([elastic_entry(entries["sentiment"], tmp_path / "mine")])
    assert [(point.budget, point.name) for point in found.points] == [
        (1.0, "mine at 1"), (1 / 3, "mine at 0.333333"), (0.1, "mine at 0.1"),
    ]  # fmt: skip
    for point, size in zip(found.points, SIZES, strict=False):
        [stated] = size["metrics"]
        assert point.quality is not None
        assert point.quality.value == stated["value"]
        assert (point.costs["macs"].value, point.costs["share"].value) == (size["macs"], size["macs"] / 1250)
        assert (point.family, point.checkpoint) == ("elastic, mine", str(tmp_path / "mine"))
        assert point.whole == found.points[0].key
    assert found.points[1].size.heads == (3, 1)
    assert len({point.key for point in found.points}) == 3
    [(name, _)] = found.left_out
    assert name == "mine at 0.05"


def test_the_change_of_a_size_is_against_the_same_parent_as_that_of_the_whole(
    entries: dict[str, CheckpointEntry], tmp_path: Path
) -> None:
    metric = json.loads((bundled_root() / "sentiment" / "compecon.json").read_text())["metrics"][0]
    sizes = [a_size(0.5, metrics=[{**metric, "value": 0.7}])]
    card = {**CARD, "metrics": [metric], "training": {**TRAINING, "parent": "sentiment", "sizes": sizes}}
    entry = with_card(entries["sentiment"], tmp_path / "mine", card)
    points = {point.name: point for point in checkpoint_points([entry, entries["sentiment"]]).points}
    change = points["mine at 0.5"].change
    assert change is not None
    assert change.value == pytest.approx(0.7 - metric["value"])


@pytest.mark.parametrize(
    "sizes",
    [
        None, [], {}, "no", 5, [None, 7, "x", []], [{}], [a_size("0.5", 0.7)], [a_size(2.0, 0.7)],
        [a_size(0.0, 0.7)], [a_size(0.5)], [a_size(0.5, metrics=[{**METRIC, "value": "1"}])],
        [a_size(0.5, metrics=[{**METRIC, "name": "other"}])], [a_size(0.5, metrics="x")],
    ],
    ids=str,
)  # fmt: skip
def test_sizes_that_were_not_measured_are_said_to_be_and_not_drawn(
    entries: dict[str, CheckpointEntry], tmp_path: Path, sizes: Any
) -> None:
    found = checkpoint_points([elastic_entry(entries["sentiment"], tmp_path / "mine", sizes)])
    [point] = found.points
    assert (point.budget, point.name) == (None, "mine")
    assert [name for name, _ in found.left_out] == ["mine"]


@pytest.mark.parametrize("units", [None, 3, [[1]], [[1, 2, 3]], [["a", 1]], [[-1, 2]], [[True, 2]]], ids=str)
def test_units_of_a_size_that_are_none_are_unknown(
    entries: dict[str, CheckpointEntry], tmp_path: Path, units: Any
) -> None:
    sizes = [a_size(0.5, 0.7, units=units)]
    points = checkpoint_points([elastic_entry(entries["sentiment"], tmp_path / "mine", sizes)]).points
    assert points[1].size.heads == ()


def test_elastic_checkpoints_of_one_name_are_two_families(entries: dict[str, CheckpointEntry], tmp_path: Path) -> None:
    both = tuple(elastic_entry(entries["sentiment"], tmp_path / each / "mine") for each in ("a", "b"))
    points = all_points(Sources(both, reports=(), has_quoted=False)).points
    assert len({point.name for point in points}) == len(points) == 6
    assert len({(point.family, point.whole) for point in points}) == len({point.family for point in points}) == 2


def test_an_elastic_run_is_a_point_for_each_size_of_its_results() -> None:
    results = {"metric": METRIC, "macs": 1000, "parent_macs": 1000, "sizes": [a_size(0.5, 0.7), a_size(0.2)]}
    said = Status(state=RunState.SUCCEEDED, results=results)
    spec = RunSpec("train", {"task": "sst2", "base": "sentiment", "elastic": [1.0, 0.5, 0.2]}, title="Mine", order=1)
    found = run_points([RunRecord("train-1", Path("/nowhere"), spec, said, RunState.SUCCEEDED, "")])
    assert [(point.name, point.family) for point in found.points] == [
        ("Mine at 1", "elastic, Mine"), ("Mine at 0.5", "elastic, Mine"),
    ]  # fmt: skip
    assert found.points[1].quality == Reading(0.7, 0.7 - 0.1, 0.7 + 0.1)
    assert found.points[1].costs == {"macs": Reading(500.0), "share": Reading(0.5)}
    assert [name for name, _ in found.left_out] == ["Mine at 0.2"]


def test_measurements_of_the_whole_are_not_those_of_a_size(entries: dict[str, CheckpointEntry], tmp_path: Path) -> None:
    entry = elastic_entry(entries["sentiment-45-taylor"], tmp_path / "sentiment-45-taylor")
    points = [replace(one, checkpoint="x") for one in checkpoint_points([entry]).points]
    folder = entries["sentiment-45-taylor"].path  # one that has a digest
    key = EvaluationKey(digest_of(folder), "sst2", "test", "rows", 128, 4, None, "top-k")
    record = EvaluationRecord(
        key, "sentiment-45-taylor", {"accuracy": Estimate(0.7, 0.6, 0.8, 10)}, True, 25, None, 7, 9, {}, {}, 1.0
    )
    curves = [point.curve for point in with_curves(points, [record], {"x": folder})]
    assert [bool(curve) for curve in curves] == [True, False, False]


# ---- advice


def elastic_points(*sizes: tuple[float, float]) -> list[FrontierPoint]:
    """Sizes of an elastic checkpoint in a folder with a space, by budget and quality."""
    return [
        a_point(f"my model at {budget:g}", 100 * budget, quality, family="elastic, my model", budget=budget,
                checkpoint="/models/my model")
        for budget, quality in sizes
    ]  # fmt: skip


POINTS = [dense(0.9), *elastic_points((1.0, 0.89), (1 / 3, 0.85), (0.1, 0.7))]


def test_advice_names_checkpoint_and_size_and_the_command_that_exports_it() -> None:
    advice = advise(frontier_view(POINTS, FrontierAxes("sst2")), Wish(most_share=0.5))
    assert (advice.checkpoint, advice.budget) == ("/models/my model", 1 / 3)
    assert advice.sentences[0].startswith("Choose my model at 0.333333:")
    assert any(export_command(POINTS[2]) in sentence for sentence in advice.sentences)


def test_the_command_keeps_names_with_spaces_and_budgets_to_their_last_digit() -> None:
    words = shlex.split(export_command(POINTS[2]))
    assert words[:3] == ["compecon", "export", "/models/my model"]
    assert float(words[words.index("--budget") + 1]) == 1 / 3


def test_only_a_part_of_a_checkpoint_has_such_a_command() -> None:
    assert [bool(export_command(point)) for point in POINTS] == [False, False, True, True]
    assert export_command(replace(POINTS[2], checkpoint="")) == ""
