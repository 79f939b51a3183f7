"""Halted, asked to end, asked twice, stopped at the very moment of finishing."""

import os
import random
import signal
import time

import pytest

from compecon.runs.folder import LOCK
from compecon.runs.locks import is_held
from compecon.runs.run_record import RunState
from tests.support.rehearsals import assert_undisturbed, at_step, history, rehearsal, saved_step
from tests.support.runs import ended, running, toy, until

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals")]


def test_SIGSTOP_is_shown_as_stalled_and_the_run_can_be_cancelled(executor, store):
    run_id = executor.submit(rehearsal(step_ms=20))
    record = at_step(store, run_id, 5)
    assert not record.is_stalled
    os.kill(record.status.pid, signal.SIGSTOP)
    until(lambda: store.get(run_id).is_stalled)
    assert store.get(run_id).state is RunState.RUNNING
    executor.stop(run_id)
    assert (store.get(run_id).state, store.get(run_id).is_stalled) == (RunState.STOPPING, True)
    executor.stop(run_id)
    record = ended(store, run_id)
    assert record.state is RunState.CANCELLED
    assert f"step {saved_step(store, run_id)} of 40; `compecon resume {run_id}`" in record.reason
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


def test_SIGCONT_after_SIGSTOP_goes_on_as_if_nothing_had_been(executor, store):
    run_id = executor.submit(rehearsal())
    record = at_step(store, run_id, 5)
    os.kill(record.status.pid, signal.SIGSTOP)
    until(lambda: store.get(run_id).is_stalled)
    executor.start(run_id)  # its worker lives: there is nothing to do
    os.kill(record.status.pid, signal.SIGCONT)
    record = ended(store, run_id)
    assert_undisturbed(record)
    assert record.status.attempt == 1


def test_SIGTERM_saves_and_says_who_asked(executor, store):
    run_id = executor.submit(rehearsal(save_every=1000))
    record = at_step(store, run_id, 5)
    os.kill(record.status.pid, signal.SIGTERM)
    record = ended(store, run_id)
    assert record.state is RunState.LOST
    assert "system" in record.reason
    assert saved_step(store, run_id) >= 5
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


def test_SIGTERM_twice_ends_at_once(executor, store, tmp_path, monkeypatch):
    monkeypatch.setenv(
        "PYTHONPATH",
        toy(
            tmp_path / "toy",
            """
            import time
            reporter.begin("deaf", 1)
            while True:
                time.sleep(0.01)
                if reporter.was_signalled:
                    (folder / "heard").touch()
            """,
        ),
    )
    run_id = executor.submit(rehearsal())
    record = until(lambda: (found := store.get(run_id)).state is RunState.RUNNING and found)
    os.kill(record.status.pid, signal.SIGTERM)
    until((store.folder(run_id) / "heard").exists)
    assert store.get(run_id).state is RunState.RUNNING
    os.kill(record.status.pid, signal.SIGTERM)
    record = ended(store, run_id)
    assert record.state is RunState.LOST
    assert record.reason.startswith("Its worker ended")


def test_a_run_is_stopped_while_it_waits(executor, store):
    first = executor.submit(rehearsal(step_ms=30))
    second, third = executor.submit(rehearsal(seed=2)), executor.submit(rehearsal(seed=3))
    until(lambda: store.get(third).reason.endswith("1 before it."))
    executor.stop(second)
    record = ended(store, second)
    assert record.state is RunState.CANCELLED
    assert "waited" in record.reason
    until(lambda: store.get(third).reason.endswith("next in line."))
    os.kill(store.get(third).status.pid, signal.SIGTERM)
    assert ended(store, third).state is RunState.LOST
    assert_undisturbed(ended(store, first))
    executor.start(second)
    assert_undisturbed(ended(store, second))


def test_stop_saves_and_resume_goes_on_from_there(executor, store):
    run_id = executor.submit(rehearsal(save_every=1000))
    at_step(store, run_id, 7)
    executor.stop(run_id)
    record = ended(store, run_id)
    assert record.state is RunState.CANCELLED
    assert f"step {record.status.step} of" in record.reason
    assert saved_step(store, run_id) == record.status.step
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))
    assert [event["attempt"] for event in history(store, run_id).events if event["event"] == "attempt"] == [1, 2]


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 20))])
def test_a_stop_that_races_with_the_finish_leaves_one_of_both(executor, store, seed):
    moment = random.Random(seed)  # noqa: S311 - the same moments every time
    run_id = executor.submit(rehearsal(steps=8, step_ms=2, size_kb=512))
    running(store, run_id, 0)
    time.sleep(moment.uniform(0, 0.15))
    presses = moment.randint(1, 3)
    for _ in range(presses):
        executor.stop(run_id)
    record = ended(store, run_id)
    assert record.state in (RunState.SUCCEEDED, RunState.CANCELLED)
    assert record.reason
    assert not record.state.can_resume or not executor.start(run_id)
    assert_undisturbed(ended(store, run_id))
    executor.stop(run_id)
    assert store.get(run_id).state is RunState.SUCCEEDED


def test_a_run_can_be_resumed_the_moment_it_has_ended(executor, store):
    run_id = executor.submit(rehearsal(fail_at=2, steps=3))
    for attempt in range(1, 4):
        record = ended(store, run_id)
        assert (record.state, record.status.attempt) == (RunState.FAILED, attempt)
        assert not is_held(record.folder / LOCK) or until(lambda: not is_held(store.folder(run_id) / LOCK), 1.0)
        executor.start(run_id)
    ended(store, run_id)
