"""What a worker says before its first step, of what it saved, and how much of a machine it takes."""

import json
import time

import pytest

from compecon.errors import RunError
from compecon.runs import worker
from compecon.runs.folder import LOCK, SPEC, STATUS
from compecon.runs.load import LoadMeter
from compecon.runs.reporter import Reporter
from compecon.runs.run_record import NORMAL, RunSpec, RunState
from compecon.runs.submission import new_spec
from compecon.runs.sweeps.points import grid
from compecon.runs.sweeps.sweep import submit_sweep
from tests.support.runs import until


@pytest.fixture
def reporter(store):
    run_id, lock = store.create(RunSpec("rehearsal"))
    yield Reporter(store.folder(run_id), lock)
    lock.release()


def told(reporter):
    return json.loads((reporter.folder / STATUS).read_text())


def test_a_run_gives_signs_of_life_before_its_first_step(reporter, store):
    with reporter.beating():
        reporter.started("cpu")
        reporter.begin("reading the data", 0)
        first = store.get(reporter.folder.name)
        later = until(lambda: (found := store.get(first.run_id)).heard_at > first.heard_at and found)
        assert (later.state, later.status.stage, later.status.step) == (RunState.RUNNING, "reading the data", 0)
        assert later.status.seconds > first.status.seconds


def test_there_is_no_sign_of_life_after_the_last_words(reporter):
    with reporter.beating():
        reporter.started("cpu")
        reporter.begin("training", 3)
        reporter.end(RunState.FAILED, "No.")
        before = (reporter.folder / STATUS).stat().st_mtime_ns
        time.sleep(1.3)
    assert (reporter.folder / STATUS).stat().st_mtime_ns == before


def test_a_sign_of_life_that_cannot_be_written_ends_nothing(reporter, monkeypatch):
    looks = []

    def full(*_args, **_more):
        looks.append(1)
        raise OSError(28, "No space left on device")

    reporter.started("cpu")
    with monkeypatch.context() as patch, reporter.beating():
        patch.setattr("compecon.runs.reporter.write_json", full)
        until(lambda: len(looks) >= 2)
    reporter.end(RunState.SUCCEEDED, "It worked.")
    assert told(reporter)["state"] == "SUCCEEDED"


def test_what_was_saved_is_said_with_the_stage_it_belongs_to_and_outlives_the_attempt(reporter):
    reporter.started("cpu")
    reporter.begin("incentive", 80)
    reporter.saved(20)
    saved = {"stage": "incentive", "step": 20, "total": 80}
    assert told(reporter)["saved"] == saved
    reporter.begin("measuring", 0)
    assert told(reporter)["saved"] == saved
    assert reporter.status.again(2).saved == saved


def test_a_run_that_ends_without_a_word_says_what_is_kept_and_how_to_go_on(reporter, store):
    run_id = reporter.folder.name
    reporter.started("cpu")
    reporter.begin("incentive", 80)
    reporter.saved(20)
    reporter.lock.release()
    assert f"step 20 of 80; `compecon resume {run_id}`" in store.get(run_id).reason
    store.ask_to_stop(run_id)
    assert f"step 20 of 80; `compecon resume {run_id}`" in store.get(run_id).reason
    reporter.lock = type(reporter.lock).taken(reporter.folder / LOCK)


def test_the_load_is_what_this_process_and_all_others_use():
    meter = LoadMeter()
    until_ = time.process_time() + 0.3
    while time.process_time() < until_:
        pass
    found = meter.read()
    assert 0 < found["own"] <= found["cores"]
    assert 0 <= found["others"] <= found["cores"] + 1


# ---- how much of a busy machine


def test_a_priority_is_kept_and_unless_given_the_home_says_it(home, store):
    first, lock = store.create(new_spec("rehearsal", {}))
    lock.release()
    home.set_priority(NORMAL)
    second, lock = store.create(new_spec("rehearsal", {}))
    lock.release()
    third, lock = store.create(new_spec("rehearsal", {}, priority="background"))
    lock.release()
    assert [store.get(each).spec.priority for each in (first, second, third)] == ["background", "normal", "background"]
    assert "priority" not in json.loads((store.folder(first) / SPEC).read_text())
    with pytest.raises(RunError, match="background, normal"):
        new_spec("rehearsal", {}, priority="urgent")


def test_every_run_of_a_sweep_has_its_priority(executor, home, store):
    submit_sweep(executor, home, grid("rehearsal", {"steps": 1}, {"seed": [0, 1]}), priority=NORMAL)
    assert [record.spec.priority for record in store.list()] == [NORMAL, NORMAL]


@pytest.mark.parametrize("priority", ["background", "normal"])
def test_only_a_run_in_the_background_steps_back(store, monkeypatch, priority):
    stepped = []
    monkeypatch.setattr(worker, "_step_back", lambda: stepped.append(1))
    run_id, lock = store.create(new_spec("rehearsal", {"steps": 1}, priority=priority))
    assert worker._work(store.folder(run_id), Reporter(store.folder(run_id), lock))["steps"] == 1
    assert len(stepped) == (priority == "background")
    lock.release()


def test_a_worker_steps_back_once(monkeypatch):
    nice, written = [], []
    monkeypatch.setattr(worker.os, "nice", nice.append, raising=False)
    monkeypatch.setattr(worker.Path, "write_text", lambda path, text, **_: written.append((str(path), text)))
    worker._step_back()
    assert len(nice) + len(written) == 1
    assert written in ([], [("/proc/self/autogroup", str(worker._NICE))])
