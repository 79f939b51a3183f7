"""What every executor promises, whoever starts the worker: this machine, a job server like Ray's, Ray itself."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from compecon.errors import RunError
from compecon.files.durable import tail
from compecon.runs.executors.choice import executor_for
from compecon.runs.executors.executor import Executor
from compecon.runs.executors.ray import Cluster
from compecon.runs.folder import LOG, METRICS
from compecon.runs.history import History
from compecon.runs.home import Home
from compecon.runs.jobs.rehearsal import undisturbed
from compecon.runs.run_record import RunRecord, RunSpec, RunState
from compecon.runs.store import RunStore
from compecon.runs.submission import new_spec
from tests.runs.job_server import serving
from tests.support.ray_head import ray_head
from tests.support.runs import ended, kill_workers, until, workers

pytestmark = pytest.mark.slow

RAY = [
    pytest.mark.ray,
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(find_spec("ray") is None, reason='Ray is not installed: pip install -e ".[ray]"'),
]


@dataclass(frozen=True)
class Place:
    executor: Executor
    store: RunStore

    def submit(self, key: str = "", **settings: int) -> str:
        return self.executor.submit(rehearsal(**settings), key)


def rehearsal(**settings: int) -> RunSpec:
    return new_spec("rehearsal", {"steps": 30, "step_ms": 10, "save_every": 4, **settings})


@pytest.fixture(scope="module")
def head() -> Iterator[str]:
    with ray_head() as address:
        yield address


@pytest.fixture(params=["local", "like ray", pytest.param("ray", marks=RAY)])
def place(request: pytest.FixtureRequest, home: Home, tmp_path: Path) -> Iterator[Place]:
    store = RunStore(home)
    try:
        if request.param == "local":
            yield Place(executor_for("local", store), store)
        elif request.param == "ray":
            yield Place(executor_for("ray", store, Cluster(request.getfixturevalue("head"))), store)
        else:
            with serving(tmp_path) as server:
                yield Place(executor_for("ray", store, Cluster(server.address)), store)
    finally:
        kill_workers(home.root)


def running(place: Place, run_id: str, step: int = 1) -> RunRecord:
    """A run as soon as it has done so many steps; a cluster takes its time to find a place."""

    def look() -> RunRecord | None:
        record = place.store.get(run_id)
        assert not record.state.is_finished, f"{record.state}: {record.reason}"
        return record if record.status.step >= step else None

    return until(look, 120.0)


def history(record: RunRecord) -> History:
    found = History(record.folder / METRICS)
    found.read_on()
    return found


def attempts(record: RunRecord) -> int:
    return sum(event["event"] == "attempt" for event in history(record).events)


def assert_went_through(record: RunRecord) -> None:
    """As if nothing had happened: the undisturbed run's last link, and every step once."""
    assert (record.state, record.reason) == (RunState.SUCCEEDED, record.status.results["sentence"])
    assert record.status.results["chain"] == undisturbed(record.spec.params)
    [steps] = history(record).steps.values()
    assert [step["step"] for step in steps] == list(range(1, int(str(record.spec.params["steps"])) + 1))


def test_a_run_ends_with_what_its_recipe_gives(place):
    record = ended(place.store, place.submit())
    assert_went_through(record)
    assert record.spec.executor == place.executor.name
    until(lambda: not place.executor.lives(record))


def test_one_key_is_one_run(place):
    first, second = place.submit("a form"), place.submit("a form")
    assert first == second
    record = ended(place.store, first)
    assert [each.run_id for each in place.store.list()] == [first]
    assert attempts(record) == 1


def test_a_run_that_was_stopped_goes_on_where_it_was(place):
    run_id = place.submit(step_ms=30)
    running(place, run_id, step=3)
    place.executor.stop(run_id)
    record = ended(place.store, run_id)
    assert record.state is RunState.CANCELLED
    assert record.state.can_resume
    left_at = record.status.step
    assert 3 <= left_at < 30
    place.executor.start(run_id)
    record = ended(place.store, run_id)
    assert_went_through(record)
    assert record.status.attempt == attempts(record) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="this system cannot halt a process")
def test_stopping_twice_ends_a_worker_that_does_not_listen(place):
    run_id = place.submit(step_ms=30)
    os.kill(running(place, run_id, step=5).status.pid, signal.SIGSTOP)
    place.executor.stop(run_id)
    assert place.store.get(run_id).state is RunState.STOPPING
    place.executor.stop(run_id)
    assert ended(place.store, run_id).state is RunState.CANCELLED
    place.executor.start(run_id)
    assert_went_through(ended(place.store, run_id))


def test_a_run_whose_worker_was_killed_is_lost_and_can_be_resumed(place):
    run_id = place.submit(step_ms=30)
    psutil.Process(running(place, run_id, step=6).status.pid).kill()
    record = ended(place.store, run_id)
    assert record.state is RunState.LOST
    assert record.state.can_resume
    place.executor.start(run_id)
    assert_went_through(ended(place.store, run_id))


def test_a_run_that_fails_says_why_and_can_be_tried_again(place):
    run_id = place.submit(fail_at=7)
    for attempt in (1, 2):
        record = ended(place.store, run_id)
        assert (record.state, record.status.attempt) == (RunState.FAILED, attempt)
        assert "step 7" in record.reason
        if attempt == 1:
            place.executor.start(run_id)
    assert "Traceback" in tail(record.folder / LOG)


def test_a_run_that_lives_is_not_started_again(place):
    run_id = place.submit(step_ms=30)
    before = running(place, run_id)
    place.executor.start(run_id)
    record = ended(place.store, run_id)
    assert_went_through(record)
    assert (record.status.pid, attempts(record)) == (before.status.pid, 1)


def test_what_is_finished_stays_so(place):
    run_id = place.submit(steps=3)
    before = ended(place.store, run_id)
    place.executor.stop(run_id)
    with pytest.raises(RunError, match="has succeeded"):
        place.executor.start(run_id)
    assert place.store.get(run_id) == before


def test_a_worker_whose_folder_was_deleted_leaves(place):
    other = ended(place.store, place.submit(steps=3))
    files = {path: path.read_bytes() for path in other.folder.rglob("*") if path.is_file()}
    run_id = place.submit(step_ms=30, steps=2000)
    record = running(place, run_id)
    shutil.rmtree(record.folder)
    until(lambda: not workers(record.folder))
    assert not record.folder.exists()
    with pytest.raises(RunError, match="There is no run"):
        place.store.get(run_id)
    with pytest.raises(RunError, match="There is no run"):
        place.executor.start(run_id)
    assert {path: path.read_bytes() for path in other.folder.rglob("*") if path.is_file()} == files


def test_a_name_that_is_none_is_refused(place):
    for name in ("../../etc", "x" * 41, "no-such-run"):
        for ask in (place.executor.start, place.executor.stop):
            with pytest.raises(RunError):
                ask(name)
