"""Runs that wait for their turn: a process that weighs next to nothing, and becomes the worker when the turn comes."""

import json
import os
import subprocess
import sys
from itertools import pairwise

import psutil
import pytest

from compecon.runs import waiter
from compecon.runs.folder import STATUS
from compecon.runs.locks import CAN_HAND_OVER, Lock
from compecon.runs.queue import Queue
from compecon.runs.run_record import RunSpec, RunState
from tests.support.namespace import ROOT
from tests.support.runs import ended, until

pytestmark = pytest.mark.skipif(not CAN_HAND_OVER, reason="Windows hands no lock on to another process")
HEAVY = {"compecon.files.durable", "dataclasses", "pathlib", "site", "subprocess", "typing"}


@pytest.fixture
def slot(home):
    """The one place on the CPU, taken."""
    queue = Queue.of_device(home, "cpu")
    queue.folder.mkdir(parents=True)
    held = Lock.taken(queue.folder / "slot-0.lock")
    assert held is not None
    return held


def waits(store, run_id, words="Waiting for cpu"):
    """A run as soon as its process says that it waits."""
    return until(lambda: (found := store.get(run_id)).reason.startswith(words) and found)


def test_it_loads_no_more_than_a_bare_interpreter_does():
    code = """
import sys
from itertools import pairwise
sys.path.insert(0, sys.argv[1])
import compecon.runs.waiter, compecon.runs.turn
print(*sys.modules)
"""
    command = [sys.executable, "-I", "-S", "-c", code, str(ROOT)]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert HEAVY.isdisjoint(loaded)


def test_who_waits_becomes_the_worker_with_the_same_locks(executor, store, slot):
    run_id = executor.submit(RunSpec("rehearsal", {"steps": 3}))
    waiting = waits(store, run_id)
    process = psutil.Process(waiting.status.pid)
    assert waiter.__file__ in process.cmdline()
    assert waiting.state is RunState.QUEUED
    slot.release()
    done = ended(store, run_id)
    assert (done.state, done.status.pid) == (RunState.SUCCEEDED, waiting.status.pid)
    assert waiter.SLOTS not in os.environ


def test_those_who_wait_work_one_after_the_other(executor, store, slot):
    runs = [executor.submit(RunSpec("rehearsal", {"steps": 3, "step_ms": 5.0})) for _ in range(4)]
    for n, run_id in enumerate(runs):
        waits(store, run_id, f"Waiting for cpu: {n or 'next'}")
    slot.release()
    spans = [[event["at"] for event in _events(ended(store, run_id))] for run_id in runs]
    assert all(before[-1] <= after[0] for before, after in pairwise(spans))


def test_what_it_does_not_know_in_a_status_stays_there(executor, store, slot):
    first = executor.submit(RunSpec("rehearsal", {"steps": 1}))
    second = executor.submit(RunSpec("rehearsal", {"steps": 1}))
    waits(store, second, "Waiting for cpu: 1")
    path = store.folder(second) / STATUS
    path.write_text(json.dumps({**json.loads(path.read_text()), "mood": "patient"}))
    executor.stop(first)
    waits(store, second, "Waiting for cpu: next")
    assert json.loads(path.read_text())["mood"] == "patient"
    slot.release()


def test_a_status_that_was_damaged_while_it_waited_is_left_to_the_worker(executor, store, slot):
    first, second = (executor.submit(RunSpec("rehearsal", {"steps": 1, "seed": n})) for n in range(2))
    waits(store, second, "Waiting for cpu: 1")
    (store.folder(second) / STATUS).write_text("{")
    executor.stop(first)
    waits(store, second, "Waiting for cpu: next")  # the worker, which can wait by itself
    slot.release()
    assert ended(store, second).state is RunState.SUCCEEDED


def _events(record):
    lines = (record.folder / "metrics.jsonl").read_text().splitlines()
    return [event for line in lines if "event" in (event := json.loads(line))] or pytest.fail("no attempt was told")
