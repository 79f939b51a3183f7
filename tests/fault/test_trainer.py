"""The real trainer under `kill -9`, and a run whose parent checkpoint vanished."""

import os
import shutil
import signal
from collections import Counter

import pytest
import torch
from safetensors.torch import load_file

from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.run_record import RunSpec, RunState
from tests.commands.conftest import classifier, parent, task  # noqa: F401 - fixtures
from tests.support.rehearsals import history
from tests.support.runs import ended, until

pytestmark = [pytest.mark.fault, pytest.mark.slow, pytest.mark.timeout(600)]
STAGE, STEPS = "incentive", 30


@pytest.fixture
def training(task, parent):  # noqa: F811 - fixtures
    params = {"task": task, "base": str(parent), "device": "cpu", "precision": "float32"}
    sizes = {"steps": STEPS, "batch_size": 8, "save_every": 4, "target": 0.5, "recovery_share": 0.2}
    known = {setting.name for setting in RECIPES["train"].settings}
    return RunSpec("train", RECIPES["train"].checked({**params, **{k: v for k, v in sizes.items() if k in known}}))


def told(store, run_id):
    return [(stage, step["step"]) for stage, steps in history(store, run_id).steps.items() for step in steps]


def weights(store, run_id):
    return load_file(store.get(run_id).checkpoint / "model.safetensors")


def test_a_training_that_is_killed_twice_ends_in_the_weights_of_an_undisturbed_one(executor, store, training):
    whole = executor.submit(training)
    record = ended(store, whole, 240)
    assert record.state is RunState.SUCCEEDED, record.reason
    parts = executor.submit(training)
    for n_told in (len(told(store, whole)) // 3, 2 * len(told(store, whole)) // 3):
        until(lambda n_told=n_told: len(told(store, parts)) >= n_told or store.get(parts).state.is_finished, 240)
        os.kill(store.get(parts).status.pid, signal.SIGKILL)
        assert ended(store, parts).state is RunState.LOST
        executor.start(parts)
        until(lambda: store.get(parts).status.pid)
        until(lambda: store.get(parts).status.step or store.get(parts).state.is_finished, 240)
    record = ended(store, parts, 240)
    assert record.state is RunState.SUCCEEDED, record.reason
    assert record.status.attempt == 3
    one, other = weights(store, whole), weights(store, parts)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert told(store, parts) == told(store, whole)
    assert set(Counter(told(store, parts)).values()) == {1}


def test_a_training_whose_parent_checkpoint_vanished_says_so(executor, store, training, tmp_path):
    base = str(training.params["base"])
    shutil.move(base, tmp_path / "elsewhere")
    run_id = executor.submit(training)
    record = ended(store, run_id, 240)
    assert record.state is RunState.FAILED
    assert base in record.reason
    shutil.move(tmp_path / "elsewhere", base)
    executor.start(run_id)
    assert ended(store, run_id, 240).state is RunState.SUCCEEDED
