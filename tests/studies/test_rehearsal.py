"""A rehearsal does what a training does: every step once, whatever happens to it."""

from __future__ import annotations

import hashlib
import math

import pytest

from compecon.callbacks import Callbacks, StepCallbacks
from compecon.errors import CheckpointError, TrainingInterruptedError
from compecon.files.complete import KEEP, checkpoints_of, is_complete
from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.rehearsal import Chain, undisturbed
from compecon.runs.jobs.run_paths import RunPaths

QUICK = {"steps": 12, "step_ms": 0, "save_every": 5, "size_kb": 1}


class Onlooker:
    """Notes what it is told, and says stop after a step."""

    def __init__(self, stop_after=math.inf):
        self.stages, self.records, self.stop_after = [], [], stop_after

    @property
    def callbacks(self):
        watch = StepCallbacks(report=self.records.append, stop=lambda: self.records[-1].step >= self.stop_after)
        return Callbacks(begin=lambda *stage: self.stages.append(stage), watch=watch)

    @property
    def steps(self):
        return [record.step for record in self.records]


@pytest.fixture
def place(tmp_path):
    return RunPaths(tmp_path / "result" / "run", tmp_path / "checkpoints", tmp_path)


def run(place, onlooker, **params):
    recipe = RECIPES["rehearsal"]
    return recipe.run(recipe.checked({**QUICK, **params}), place, onlooker.callbacks)


def by_hand(seed, steps):
    link = hashlib.sha256(f"seed {seed}".encode()).hexdigest()
    for step in range(1, steps + 1):
        link = hashlib.sha256(f"{link} {step}".encode()).hexdigest()
    return link


def test_it_goes_through_all_steps_and_leaves_its_result_alone(place):
    onlooker = Onlooker()
    results = run(place, onlooker, seed=3)
    assert results["chain"] == by_hand(3, 12) == undisturbed({"seed": 3, "steps": 12})
    assert onlooker.stages == [("rehearsal", 12)]
    assert onlooker.steps == list(range(1, 13))
    assert onlooker.records[-1].loss < onlooker.records[0].loss
    assert (place.checkpoint / "weights.bin").stat().st_size == 1024
    assert not place.work.exists()


def test_it_keeps_two_checkpoints_that_are_whole(place):
    with pytest.raises(TrainingInterruptedError, match="after step 11 of 12"):
        run(place, Onlooker(stop_after=11), save_every=3)
    found = checkpoints_of(place.work)
    assert [folder.name for folder in found] == ["checkpoint-9", "checkpoint-11"]
    assert len(found) == KEEP
    assert all(map(is_complete, found))
    assert not place.checkpoint.exists()


@pytest.mark.parametrize("stop_after", range(1, 12))
def test_resumed_it_takes_every_step_once(place, stop_after):
    first, second = Onlooker(stop_after), Onlooker()
    with pytest.raises(TrainingInterruptedError):
        run(place, first)
    assert run(place, second)["chain"] == by_hand(0, 12)
    assert first.steps + second.steps == list(range(1, 13))


def test_stop_at_the_last_step_is_the_end(place):
    assert run(place, Onlooker(stop_after=12))["steps"] == 12


def test_a_broken_checkpoint_costs_the_steps_since_the_one_before(place):
    with pytest.raises(TrainingInterruptedError):
        run(place, Onlooker(stop_after=11))
    (place.work / "checkpoint-11" / "weights.bin").write_bytes(b"\x00" * 1024)
    onlooker = Onlooker()
    assert run(place, onlooker)["chain"] == by_hand(0, 12)
    assert onlooker.steps == list(range(11, 13))


def test_a_result_that_is_there_is_taken_and_the_rest_swept(place):
    expected = run(place, Onlooker())
    place.work.mkdir()
    onlooker = Onlooker()
    assert run(place, onlooker) == expected
    assert onlooker.records == []
    assert not place.work.exists()


def test_another_rehearsal_is_refused(place):
    with pytest.raises(TrainingInterruptedError):
        run(place, Onlooker(stop_after=6))
    with pytest.raises(CheckpointError, match="other settings"):
        run(place, Onlooker(), seed=1)


@pytest.mark.parametrize(("params", "error"), [({"nan_at": 7}, FloatingPointError), ({"fail_at": 7}, RuntimeError)])
def test_it_fails_when_asked_to_and_keeps_what_it_had(place, params, error):
    onlooker = Onlooker()
    with pytest.raises(error, match="at step 7"):
        run(place, onlooker, **params)
    assert onlooker.steps == list(range(1, 7))
    assert [folder.name for folder in checkpoints_of(place.work)] == ["checkpoint-5"]
    assert run(place, Onlooker())["chain"] == by_hand(0, 12)


def test_weights_are_those_of_one_link_alone():
    one = Chain.begun(0)
    assert len(one.weights(3)) == 3 * 1024
    assert one.weights(1) == Chain.begun(0).weights(1)
    assert len({one.weights(1), one.longer().weights(1), Chain.begun(1).weights(1)}) == 3
