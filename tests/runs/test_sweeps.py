"""Sweeps: points are looked at first, submitted once, bounded, stopped and resumed as a whole."""

import itertools
import json
import os

import pytest

from compecon.errors import CompeconError, RunError
from compecon.files.durable import read_json
from compecon.runs.jobs.rehearsal import undisturbed
from compecon.runs.locks import Lock, is_held
from compecon.runs.queue import limit_of
from compecon.runs.run_record import RunState
from compecon.runs.sweeps.points import MAX_RUNS, grid, listed, named
from compecon.runs.sweeps.sweep import Sweep, left_out, resume_sweep, runs_of, stop_sweep, submit_sweep
from compecon.runs.sweeps.sweep_table import sweep_record, sweeps
from tests.support.runs import until

QUICK = {"steps": 4, "step_ms": 1.0, "size_kb": 1}


class Recorder:
    """An executor that makes runs and starts no worker."""

    name = "local"

    def __init__(self, store, fails_after=None):
        self.store, self.fails_after, self.stopped, self.started = store, fails_after, [], []

    def submit(self, spec, key=""):
        if self.fails_after is not None and len(self.store.list()) >= self.fails_after:
            raise RunError("interrupted")
        run_id, lock = self.store.create(spec, key)
        if lock is not None:
            lock.release()
        return run_id

    def start(self, run_id):
        self.started.append(run_id)

    def stop(self, run_id):
        self.stopped.append(run_id)

    def lives(self, record):
        return is_held(record.folder / "worker.lock")


# ---- points


def test_a_grid_is_every_combination_and_the_last_axis_changes_fastest():
    axes = {"seed": [0, 1, 2], "steps": [5, 7], "step_ms": [0.5]}
    points = grid("rehearsal", {"size_kb": 1}, axes)
    assert list(points) == [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
    assert (points.recipe, points.params, len(points)) == ("rehearsal", {"size_kb": 1}, 6)


def test_a_list_is_taken_as_it_is():
    given = [{"seed": 3}, {"steps": 9}, {}]
    assert list(listed("rehearsal", {}, given)) == given


@pytest.mark.parametrize(
    ("points", "words"),
    [
        ([{"seed": 1}, {"seed": 2, "steps": 0}], ["seed=2, steps=0", "steps"]),
        ([{"sed": 1}], ["sed=1", "seed"]),
        ([{"steps": "many"}], ["steps=many", "whole number"]),
        ([{"seed": 1}, {"seed": 1}], ["twice"]),
        ([{"seed": 1}, {"seed": 1, "steps": 40}], ["seed=1, steps=40", "same run"]),
        ([], ["1 to 500"]),
    ],
)
def test_a_point_that_cannot_be_is_named(points, words):
    with pytest.raises(CompeconError) as refused:
        listed("rehearsal", {}, points)
    assert all(word in str(refused.value) for word in words)


def test_an_axis_needs_a_value():
    with pytest.raises(RunError, match="seed has no value"):
        grid("rehearsal", {}, {"seed": []})


def test_a_recipe_has_to_be_there():
    with pytest.raises(RunError, match="no recipe 'bake'"):
        grid("bake", {}, {"seed": [1]})


def test_there_are_at_most_500_runs_and_more_are_refused_before_they_are_counted_out():
    assert len(listed("rehearsal", {}, ({"seed": n} for n in range(MAX_RUNS)))) == MAX_RUNS
    with pytest.raises(RunError, match="1 to 500"):
        listed("rehearsal", {}, ({"seed": n} for n in itertools.count()))
    with pytest.raises(RunError, match="1 to 500"):
        grid("rehearsal", {}, {"seed": range(10**6), "steps": range(1, 10**6)})


def test_a_point_in_words():
    assert named({"target": 0.3, "key_budgets": [4, 8]}) == "target=0.3, key_budgets=4,8"
    assert named({}) == "with no change"


# ---- submitting


def test_the_file_is_there_before_the_first_run(home, store):
    executor = Recorder(store, fails_after=0)
    with pytest.raises(RunError, match="interrupted"):
        submit_sweep(executor, home, grid("rehearsal", QUICK, {"seed": [0, 1]}), title="seeds", key="one form")
    [sweep_id] = sweeps(home)
    told = read_json(home.sweeps / f"{sweep_id}.json")
    assert (told["title"], told["recipe"], told["points"]) == ("seeds", "rehearsal", [{"seed": 0}, {"seed": 1}])
    assert [row.state for row in sweep_record(store, sweep_id).rows] == [None, None]


@pytest.mark.parametrize("made", range(4))
def test_an_interrupted_submission_is_finished_by_the_same_again(home, store, made):
    points = grid("rehearsal", QUICK, {"seed": [0, 1, 2]})
    try:
        submit_sweep(Recorder(store, fails_after=made), home, points, key="one form")
    except RunError:
        assert made < 3
    assert len(store.list()) == min(made, 3)
    sweep_id = submit_sweep(Recorder(store), home, points, key="one form")
    runs = [store.get(run_id) for run_id in Sweep.read(home, sweep_id).run_ids]
    assert [run.spec.params["seed"] for run in runs] == [0, 1, 2]
    assert [run.spec.sweep for run in runs] == [sweep_id] * 3
    assert len(store.list()) == 3
    assert sweeps(home) == (sweep_id,)


def test_the_same_points_without_a_key_are_another_sweep(home, store):
    points = grid("rehearsal", QUICK, {"seed": [0]})
    first, second = (submit_sweep(Recorder(store), home, points) for _ in range(2))
    assert first != second
    assert sweeps(home) == (second, first)
    assert len(store.list()) == 2


def test_runs_are_complete_and_named_after_their_points(home, store):
    sweep_id = submit_sweep(Recorder(store), home, grid("rehearsal", QUICK, {"seed": [0, 1]}), title="t")
    last = store.list()[0]
    assert last.title == "t: seed=1"
    assert last.spec.params == {**last.spec.params, **QUICK, "seed": 1}
    assert last.spec.params.keys() > QUICK.keys()
    assert last.spec.sweep == sweep_id
    assert {"python", "torch", "transformers"} <= last.spec.versions.keys()


def test_what_was_deleted_is_not_made_again(home, store):
    executor = Recorder(store)
    sweep_id = submit_sweep(executor, home, grid("rehearsal", QUICK, {"seed": [0, 1]}))
    gone, kept = runs_of(store, sweep_id)
    store.delete(gone)
    assert resume_sweep(executor, home, sweep_id) == (kept,)
    assert sweep_record(store, sweep_id).counts == {"LOST": 1, "MISSING": 1}


def test_runs_that_still_stop_are_named_and_not_started(home, store):
    executor = Recorder(store)
    sweep_id = submit_sweep(executor, home, grid("rehearsal", QUICK, {"seed": [0, 1, 2]}))
    stopping, gone, _ = runs_of(store, sweep_id)
    lock = Lock.taken(store.folder(stopping) / "worker.lock")
    store.ask_to_stop(stopping)
    store.ask_to_stop(gone)
    assert stopping not in resume_sweep(executor, home, sweep_id)
    assert [record.run_id for record in left_out(store, sweep_id)] == [stopping]
    lock.release()
    assert left_out(store, sweep_id) == ()
    assert stopping in resume_sweep(executor, home, sweep_id)


# ---- reading


@pytest.mark.parametrize(
    "change",
    [{"schema": 9}, {"points": [{"seed": 5}]}, {"points": 3}, {"parallel": "two"}, {"params": 7}],
)
def test_a_damaged_file_is_one_sentence(home, store, change):
    sweep_id = submit_sweep(Recorder(store), home, grid("rehearsal", QUICK, {"seed": [0]}))
    path = home.sweeps / f"{sweep_id}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(RunError, match=sweep_id):
        sweep_record(store, sweep_id)
    assert sweeps(home) == (sweep_id,)


@pytest.mark.parametrize("name", ["sweep-0123456789ab", "../../etc", "", "x"])
def test_a_sweep_that_is_not_there(store, name):
    with pytest.raises(RunError):
        sweep_record(store, name)


def test_a_row_holds_what_came_of_its_point(home, store):
    sweep_id = submit_sweep(Recorder(store), home, grid("rehearsal", QUICK, {"seed": [0, 1]}))
    first, _ = runs_of(store, sweep_id)
    metric = {"name": "accuracy", "split": "test", "value": 0.8, "low": 0.7, "high": 0.9, "n": 9}
    results = {"metric": metric, "macs": 1000, "latency": {"ratio": 0.5, "low": 0.4, "high": 0.6}}
    path = store.folder(first) / "status.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "state": "SUCCEEDED", "results": results}))
    done, lost = sweep_record(store, sweep_id).rows
    assert (done.state, done.metric, done.macs, done.latency) == (RunState.SUCCEEDED, metric, 1000, results["latency"])
    assert (lost.state, lost.metric, lost.macs, lost.latency) == (RunState.LOST, None, None, None)
    assert sweep_record(store, sweep_id).counts == {"SUCCEEDED": 1, "LOST": 1}


def test_the_limit_is_read_without_anything_else(home, store):
    sweep_id = submit_sweep(Recorder(store), home, grid("rehearsal", QUICK, {"seed": [0]}), parallel=3)
    assert limit_of(home, sweep_id) == 3
    assert limit_of(home, "") == 0
    assert limit_of(home, "sweep-0123456789ab") == 0
    with pytest.raises(RunError, match="parallel"):
        submit_sweep(Recorder(store), home, grid("rehearsal", QUICK, {"seed": [0]}), parallel=-1)


# ---- as a whole


def test_stopping_begins_with_the_last_so_that_none_takes_a_turn(home, store):
    executor = Recorder(store)
    sweep_id = submit_sweep(executor, home, grid("rehearsal", QUICK, {"seed": [0, 1, 2]}))
    others = submit_sweep(executor, home, grid("rehearsal", QUICK, {"seed": [0]}))
    assert stop_sweep(executor, home, sweep_id) == ()  # nobody works on them: they are lost, and finished
    for run_id in (*runs_of(store, sweep_id), *runs_of(store, others)):
        path = store.folder(run_id) / "status.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), "pid": os.getpid()}))
    held = [_hold(store, run_id) for run_id in runs_of(store, sweep_id)]
    assert stop_sweep(executor, home, sweep_id) == tuple(reversed(runs_of(store, sweep_id)))
    assert executor.stopped == list(reversed(runs_of(store, sweep_id)))
    for lock in held:
        lock.release()


def _hold(store, run_id):
    lock = Lock.taken(store.folder(run_id) / "worker.lock")
    assert lock is not None
    return lock


@pytest.mark.slow
def test_never_more_than_so_many_run_at_a_time_and_all_succeed(home, store, executor):
    points = grid("rehearsal", {"steps": 20, "step_ms": 10.0, "size_kb": 1}, {"seed": list(range(5))})
    sweep_id = submit_sweep(executor, home, points, parallel=2)
    seen = []

    def all_done():
        states = [row.state for row in sweep_record(store, sweep_id).rows]
        at_work = [state in (RunState.STARTING, RunState.RUNNING) for state in states]
        seen.append(sum(at_work))
        return all(state.is_finished for state in states)

    until(all_done, 100)
    assert max(seen) == 2
    assert sweep_record(store, sweep_id).counts == {"SUCCEEDED": 5}


@pytest.mark.slow
def test_a_sweep_is_stopped_and_resumed_as_a_whole(home, store, executor):
    points = grid("rehearsal", {"steps": 30, "step_ms": 20.0, "size_kb": 1}, {"seed": [0, 1, 2]})
    sweep_id = submit_sweep(executor, home, points, parallel=1)

    def states():
        return [row.state for row in sweep_record(store, sweep_id).rows]

    until(lambda: RunState.RUNNING in states(), 60)
    assert len(stop_sweep(executor, home, sweep_id)) == 3
    until(lambda: all(state.is_finished for state in states()), 100)
    assert states() == [RunState.CANCELLED] * 3
    assert resume_sweep(executor, home, sweep_id) == runs_of(store, sweep_id)
    until(lambda: all(state.is_finished for state in states()), 100)
    assert states() == [RunState.SUCCEEDED] * 3
    for row in sweep_record(store, sweep_id).rows:
        record = store.get(row.run_id)
        assert record.status.results["chain"] == undisturbed(record.spec.params)
