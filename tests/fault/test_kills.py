"""`kill -9` of the worker, of the dashboard, of both, at random moments: the same end, and every step once."""

import os
import random
import re
import signal
import subprocess
import time
from contextlib import contextmanager

import pytest

from compecon.errors import RunError
from compecon.runs.run_record import RunState
from tests.support.rehearsals import assert_undisturbed, at_step, half_saved, history, last_step, rehearsal, saved_step
from tests.support.runs import ended, kill_workers, python, until, workers

pytestmark = pytest.mark.fault
STEPS, EVERY, KILLS = 60, 4, 3
SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 50))]
SUBMIT = """
import sys, time
from pathlib import Path
from compecon.runs.home import Home
from compecon.runs.executors.local import LocalExecutor
from compecon.runs.store import RunStore
from tests.support.rehearsals import rehearsal
executor = LocalExecutor(RunStore(Home(Path(sys.argv[1]))))
print("ready", flush=True)
for number in range(int(sys.argv[2])):
    print(executor.submit(rehearsal(seed=number), f"form {number}"), flush=True)
time.sleep(60)
"""


@contextmanager
def dashboard(home, n_runs):
    """A process that submits runs, as a dashboard does; killed when the block ends."""
    command = [*python(SUBMIT), str(home.root), str(n_runs)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def at_a_moment(store, run_id, moment):
    """Wait for a moment of a run's life: while it starts, between two steps, inside a save, or at its end."""
    until(lambda: store.get(run_id).status.pid or store.get(run_id).state.is_finished)
    if moment.random() < 0.3:
        time.sleep(moment.uniform(0, 0.3))
        return
    step = min(STEPS, saved_step(store, run_id) + moment.randint(1, 3 * EVERY))
    until(lambda: last_step(store, run_id) >= step or store.get(run_id).state.is_finished)
    time.sleep(moment.uniform(0, 0.02))


def kill(record):
    os.kill(record.status.pid, signal.SIGKILL)


@pytest.mark.parametrize("seed", SEEDS)
def test_killing_the_worker_at_random_moments_changes_nothing(executor, store, seed, capsys):
    moment = random.Random(seed)  # noqa: S311 - the same moments every time
    run_id = executor.submit(rehearsal(seed=seed, steps=STEPS, step_ms=3, save_every=EVERY, size_kb=512))
    again = restarts = 0
    for attempt in range(1, KILLS + 1):
        at_a_moment(store, run_id, moment)
        record = store.get(run_id)
        if record.state is not RunState.SUCCEEDED:
            kill(record)
            record = ended(store, run_id)
        if record.state is RunState.SUCCEEDED:
            break
        assert (record.state, record.status.attempt) == (RunState.LOST, attempt)
        noted = record.status.saved  # a kill may come between a checkpoint and its note
        assert re.search(rf"\b{noted['step']}\b" if noted else "no checkpoint", record.reason), "it says what is kept"
        again += last_step(store, run_id) - saved_step(store, run_id)
        restarts += 1
        executor.start(run_id)
    assert_undisturbed(ended(store, run_id))
    attempts = [event["attempt"] for event in history(store, run_id).events if event["event"] == "attempt"]
    assert attempts == sorted(set(attempts))
    with capsys.disabled():
        print(f" seed {seed}: {again} of {STEPS} steps done again in {restarts} restarts", end="")  # noqa: T201
    assert again <= STEPS / 2, "all in all not more than 1.5 times the steps"
    assert again <= restarts * 2 * EVERY, "never more than what two checkpoints are apart"


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow), pytest.param(2, marks=pytest.mark.slow)])
def test_killing_the_worker_inside_a_save_changes_nothing(executor, store, seed):
    run_id = executor.submit(rehearsal(seed=seed, steps=24, step_ms=1, save_every=6, size_kb=6000))
    inside = False
    for _ in range(6):
        until(lambda: half_saved(store.folder(run_id)) or store.get(run_id).state.is_finished)
        kill(store.get(run_id))
        ended(store, run_id)
        inside = bool(half_saved(store.folder(run_id)))
        if inside:
            break
        executor.start(run_id)
    assert inside, "no kill fell into a save"
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


def test_killing_the_dashboard_leaves_its_run_alone(home, store):
    with dashboard(home, 1) as process:
        run_id = process.stdout.readline().strip()
        at_step(store, run_id, 1)
    record = ended(store, run_id)
    assert_undisturbed(record)
    assert record.status.attempt == 1


def test_killing_the_dashboard_and_the_worker_leaves_a_run_that_can_be_resumed(home, executor, store):
    with dashboard(home, 1) as process:
        run_id = process.stdout.readline().strip()
        record = at_step(store, run_id, 6)
    kill(record)
    record = ended(store, run_id)
    assert (record.state, record.state.can_resume) == (RunState.LOST, True)
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))


def all_lost(store, bystander):
    """Every run but the bystander once no worker is left; one that is just being started is found the next time."""
    kill_workers(store.home.root)
    records = [record for record in store.list() if record.run_id != bystander]
    return all(record.state is RunState.LOST for record in records) and (records or [])


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(1, 12))])
def test_killing_the_dashboard_while_it_submits_leaves_no_half_run(home, executor, store, seed, bystander):
    home.set_slots("cpu", 8)
    moment = random.Random(seed)  # noqa: S311 - the same moments every time
    with dashboard(home, 8) as process:
        process.stdout.readline()
        time.sleep(moment.uniform(0, 0.2))
    records = until(lambda: all_lost(store, bystander))
    for record in records[:2]:
        executor.start(record.run_id)
    for record in records[:2]:
        assert_undisturbed(ended(store, record.run_id))
    assert_undisturbed(ended(store, executor.submit(rehearsal(steps=3), "another form")))


def test_after_a_reboot_every_run_is_lost_and_none_is_stuck(home, executor, store):
    home.set_slots("cpu", 2)
    found = [executor.submit(rehearsal(seed=number, step_ms=20)) for number in range(3)]
    until(lambda: sum(store.get(run_id).state is RunState.RUNNING for run_id in found) == 2)
    kill_workers(home.root)
    assert {store.get(run_id).state for run_id in found} == {RunState.LOST}
    assert workers(home.root) == []
    for run_id in found:
        executor.start(run_id)
    for run_id in found:
        assert_undisturbed(ended(store, run_id))
    with pytest.raises(RunError, match="has succeeded"):
        executor.start(found[0])
