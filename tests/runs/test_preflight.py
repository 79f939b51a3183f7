"""What is said before a run is submitted, and what is refused."""

import shutil
import socket
from collections import namedtuple
from dataclasses import replace

import psutil
import pytest

from compecon.errors import CheckpointError, RunError
from compecon.runs.home import Home
from compecon.runs.jobs.expected import expected
from compecon.runs.jobs.machine_speed import DEFAULT
from compecon.runs.look_ahead import look_ahead, speed_of
from compecon.runs.run_record import RunState, Status
from compecon.runs.submission import new_spec
from tests.support.made_runs import made

Memory = namedtuple("Memory", "total available")
Disk = namedtuple("Disk", "total used free")
PLENTY = 10**12


@pytest.fixture
def machine(monkeypatch):
    """A machine with so much memory and disk: ``machine(total=..., available=..., free=...)``."""

    def of(total=PLENTY, available=PLENTY, free=PLENTY):
        monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(total, available))
        monkeypatch.setattr(shutil, "disk_usage", lambda _path: Disk(PLENTY, 0, free))

    return of


@pytest.fixture
def spec():
    return new_spec("rehearsal", {"steps": 600, "step_ms": 1000.0, "grow_mb": 1, "size_kb": 1000})


def test_where_there_is_room_it_is_only_said_what_it_takes(store, machine, spec):
    machine()
    ahead = look_ahead(store, spec)
    ahead.require()
    assert ahead.problems == ()
    [sentence] = ahead.sentences
    assert sentence == "It will take 10 min to 20 min, about 699 MB of memory and up to 4 MB of disk."


def test_more_memory_than_the_machine_has_is_refused(store, machine, spec):
    machine(total=600 * 2**20)
    with pytest.raises(RunError, match=r"699 MB of memory.* 629 MB"):
        look_ahead(store, spec).require()


def test_memory_that_is_taken_by_others_is_a_warning(store, machine, spec):
    machine(available=600 * 2**20)
    ahead = look_ahead(store, spec)
    ahead.require()
    assert "629 MB of memory" in ahead.sentences[1]


def test_those_who_wait_take_memory_too(store, machine, spec):
    machine(total=2_500_000_000)
    look_ahead(store, spec, n_waiting=100).require()
    with pytest.raises(RunError, match=r"of memory.* 2\.5 GB"):
        look_ahead(store, spec, n_waiting=500).require()


def test_memory_of_another_machine_is_not_looked_at(store, machine, spec):
    machine(total=1, available=1)
    for elsewhere in (replace(spec, executor="ray"), replace(spec, queue="gpu")):
        look_ahead(store, elsewhere).require()


def test_too_little_disk_is_refused(store, machine, spec):
    machine(free=200_000_000)
    with pytest.raises(RunError, match=r"4 MB, .*200 MB"):
        look_ahead(store, spec).require()


def test_a_checkpoint_that_is_not_there_is_refused(store):
    with pytest.raises(CheckpointError, match="no checkpoint 'nowhere'"):
        look_ahead(store, new_spec("train", {"task": "sst2", "base": "nowhere"}))


def test_what_is_not_known_is_said(store, machine):
    machine()
    ahead = look_ahead(store, new_spec("train", {"task": "sst2", "base": "sentiment"}))
    assert "cannot be estimated" in ahead.sentences[0]


QUICK_LOOK = {"task": "sst2", "base": "sentiment", "steps": 200}


def learnt(store, recipe="train", queue="cpu"):
    return speed_of(store, recipe, queue)


def finished(store, recipe="train", params=QUICK_LOOK, **status):
    return made(store, recipe=recipe, params=params, **{"host": socket.gethostname(), "seconds": 100.0, **status})


def test_earlier_runs_tell_how_quick_the_machine_is(store):
    assert learnt(store) == DEFAULT
    macs = expected("train", new_spec("train", QUICK_LOOK).params, speed=DEFAULT).macs
    for _ in range(9):
        finished(store)
    speed = learnt(store)
    assert speed.runs == 9
    assert speed.seconds(macs) == pytest.approx(100.0, rel=0.02)


@pytest.mark.parametrize(
    "other",
    [
        {"state": RunState.FAILED},
        {"host": "there"},
        {"params": {**QUICK_LOOK, "base": "gone"}},
        {"recipe": "statistics", "params": {"task": "reviews", "checkpoint": "sentiment", "rows": 20}},
        {"recipe": "evaluate", "params": {"task": "reviews", "checkpoint": "sentiment"}},
        {"recipe": "rehearsal", "params": {}},
    ],
    ids=str,
)
def test_a_run_of_another_kind_or_place_tells_nothing_of_a_training(store, other):
    finished(store, **{"seconds": 6.0, **other})
    assert learnt(store) == DEFAULT
    assert learnt(store, queue="gpu") == DEFAULT


def test_statistics_learn_from_statistics(store):
    about = {"task": "reviews", "checkpoint": "sentiment", "rows": 20}
    finished(store, recipe="statistics", params=about, seconds=6.0)
    assert learnt(store, "statistics").runs == 1
    assert learnt(store, "evaluate") == DEFAULT


def test_a_run_that_was_resumed_counts_with_the_time_of_all_its_attempts(store):
    finished(store)
    in_one_go = learnt(store)
    store_of_two = type(store)(Home(store.home.root / "other"))
    former = Status(RunState.CANCELLED, seconds=70.0).again(2).again(3)
    finished(store_of_two, seconds=30.0, attempt=3, earlier_seconds=former.earlier_seconds)
    assert learnt(store_of_two) == in_one_go
