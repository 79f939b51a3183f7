"""Points that are proposed, and the search that is played again from the runs."""

import json
import random
import sys

import pytest

from compecon.errors import CompeconError, RunError
from compecon.files.durable import read_json
from compecon.runs.run_record import RunState
from compecon.runs.sweeps.points import Points, grid
from compecon.runs.sweeps.proposals import Axis, propose, require_optuna
from compecon.runs.sweeps.search import Search, advance, begin_search, outcome_of
from compecon.runs.sweeps.sweep import Sweep, submit_sweep
from compecon.runs.sweeps.sweep_table import SweepRow, sweep_record
from tests.runs.test_sweeps import Recorder

pytest.importorskip("optuna", reason="Optuna is not installed: pip install -e '.[optuna]'")

AXES = (Axis("target", 0.2, 0.9), Axis("learning_rate", 1e-5, 1e-3, log=True), Axis("seed", 0, 9, whole=True))
KINDS = (*AXES, Axis("key_budgets", choices=([2, 4], [8])))
REHEARSED = (Axis("seed", 0, 40, whole=True), Axis("step_ms", 0.5, 2.0))


def outcome(point):
    """Quality falls with the distance from a target of 0.5 and a seed of 3; MACs rise with the target."""
    return -abs(point["target"] - 0.5) - abs(point["seed"] - 3) / 10, point["target"] * 1e6


@pytest.mark.parametrize("seed", range(5))
def test_a_point_is_within_its_axes(seed):
    point = propose(KINDS, [], seed=seed)
    assert point.keys() == {"target", "learning_rate", "seed", "key_budgets"}
    assert 0.2 <= point["target"] <= 0.9
    assert 1e-5 <= point["learning_rate"] <= 1e-3
    assert point["seed"] in range(10)
    assert type(point["seed"]) is int
    assert point["key_budgets"] in ([2, 4], [8])
    assert json.loads(json.dumps(point)) == point


def test_the_same_outcomes_propose_the_same_and_other_outcomes_something_else():
    before = [(point, outcome(point)) for point in (propose(AXES, [], seed=n) for n in range(25))]
    others = [(point, (-quality, -macs)) for point, (quality, macs) in before]
    first, second, third = ([propose(AXES, each, seed=n) for n in range(5)] for each in (before, before, others))
    assert first == second
    assert first != third


@pytest.mark.slow
def test_later_generations_are_nearer_to_the_front_than_chance():
    before = []
    for n in range(60):
        point = propose(AXES, before, seed=n)
        before.append((point, outcome(point)))
    late = [outcome(point)[0] for point, _ in before[30:]]
    dice = random.Random(0)  # noqa: S311 - no secret
    chance = [outcome({"target": dice.uniform(0.2, 0.9), "seed": dice.randrange(10)})[0] for _ in range(2000)]
    assert sum(late) / len(late) > sum(chance) / len(chance)


def test_failures_and_open_runs_are_part_of_the_search():
    point = propose(AXES, [])
    assert propose(AXES, [(point, None)]).keys() == point.keys()
    assert propose(AXES, [(point, None), (point, None)], n_open=1).keys() == point.keys()


@pytest.mark.parametrize(("low", "high", "log"), [(1.0, 1.0, False), (2.0, 1.0, False), (0.0, 1.0, True)])
def test_an_axis_that_cannot_be_is_refused(low, high, log):
    with pytest.raises(RunError, match="target"):
        Axis("target", low, high, log=log)


@pytest.mark.parametrize(
    ("axes", "n_runs", "parallel"), [((), 3, 1), (AXES, 0, 1), (AXES, 501, 1), (AXES, 3, 0), (AXES + AXES, 3, 1)]
)
def test_a_search_that_cannot_be_is_refused(axes, n_runs, parallel):
    with pytest.raises(RunError):
        Search(axes, n_runs, parallel=parallel)


def test_without_optuna_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(CompeconError, match=r"pip install 'compecon\[optuna\]'"):
        require_optuna()


@pytest.mark.parametrize(
    ("metric", "macs", "found"),
    [
        ({"value": 0.8, "higher_is_better": True}, 5, (0.8, 5.0)),
        ({"value": 0.8}, 5, (0.8, 5.0)),
        ({"value": 30.0, "higher_is_better": False}, 5, (-30.0, 5.0)),
        ({"value": None}, 5, None),
        ({"value": 0.8}, None, None),
        (None, 5, None),
    ],
)
def test_an_outcome_is_quality_and_macs(metric, macs, found):
    assert outcome_of(SweepRow("run", {}, RunState.SUCCEEDED, "", metric, macs)) == found


# ---- the search as a sweep


def begun(executor, home, n_runs=5, parallel=2, key="one form"):
    search = Search(REHEARSED, n_runs, parallel=parallel)
    return begin_search(executor, home, Points("rehearsal", {"size_kb": 1}, ()), search, title="t", key=key)


def end(store, run_id, value=None, macs=100):
    path = store.folder(run_id) / "status.json"
    metric = None if value is None else {"name": "accuracy", "value": value}
    said = {"state": "SUCCEEDED", "pid": 1, "results": {"metric": metric, "macs": macs}}
    path.write_text(json.dumps({**read_json(path), **said}))


def held(store, run_id):
    """Whether a run of the recorder is open: it has no worker, so it counts as lost, which has ended."""
    return store.get(run_id).state is RunState.LOST


def test_points_are_submitted_as_others_end_until_all_are_through(home, store):
    executor = Recorder(store)
    sweep = begun(executor, home)
    assert sweep.points == ()
    left = []
    for n in range(20):
        left.append(advance(executor, home, sweep.sweep_id))
        for row in sweep_record(store, sweep.sweep_id).rows:
            if held(store, row.run_id):
                end(store, row.run_id, value=n / 20)
        if left[-1] == 0:
            break
    record = sweep_record(store, sweep.sweep_id)
    assert record.counts == {"SUCCEEDED": 5}
    assert len({json.dumps(row.point) for row in record.rows}) == 5
    assert left[-1] == 0
    assert all(store.get(row.run_id).spec.params["seed"] == row.point["seed"] for row in record.rows)


def test_an_interruption_between_file_and_run_is_made_good(home, store):
    sweep = begun(Recorder(store), home, n_runs=1)
    with pytest.raises(RunError, match="interrupted"):
        advance(Recorder(store, fails_after=0), home, sweep.sweep_id)
    [point] = Sweep.read(home, sweep.sweep_id).points
    advance(Recorder(store), home, sweep.sweep_id)
    [run] = store.list()
    assert run.spec.params["seed"] == point["seed"]


def test_the_same_key_is_the_same_search(home, store):
    first, second = (begun(Recorder(store), home) for _ in range(2))
    assert first == second
    assert begun(Recorder(store), home, key="another").sweep_id != first.sweep_id


def test_the_ends_of_an_axis_have_to_be_settings(home, store):
    wide = Search((Axis("steps", 0, 5, whole=True),), 2)
    with pytest.raises(RunError, match="steps=0"):
        begin_search(Recorder(store), home, Points("rehearsal", {}, ()), wide)


def test_points_that_were_given_are_not_proposed(home, store):
    sweep_id = submit_sweep(Recorder(store), home, grid("rehearsal", {}, {"seed": [0]}))
    with pytest.raises(RunError, match="fixed points"):
        advance(Recorder(store), home, sweep_id)


def test_when_all_was_tried_it_is_said(home, store):
    search = Search((Axis("seed", choices=(0, 1)),), 5, parallel=5)
    sweep = begin_search(Recorder(store), home, Points("rehearsal", {}, ()), search)
    with pytest.raises(RunError, match="Widen an axis"):
        advance(Recorder(store), home, sweep.sweep_id)
    assert {point["seed"] for point in Sweep.read(home, sweep.sweep_id).points} == {0, 1}
