"""Runs as folders: made once, told truthfully, thrown away gently."""

import json
import os
import subprocess
import threading
from dataclasses import replace

import pytest

from compecon.errors import RunError
from compecon.files.durable import read_json, write_json
from compecon.runs.run_record import RunSpec, RunState, Status
from compecon.runs.store import RunStore
from tests.support.runs import python

SPEC = RunSpec("rehearsal", {"steps": 3}, title="A title")
CREATE = """
import sys
from pathlib import Path
from compecon.runs.home import Home
from compecon.runs.run_record import RunSpec
from compecon.runs.store import RunStore
store = RunStore(Home(Path(sys.argv[1])))
print("ready", flush=True)
input()
run_id, lock = store.create(RunSpec("rehearsal"), "one form")
print(run_id, lock is not None)
"""


def made(store, spec=SPEC, key="", **status):
    """A run whose worker is gone."""
    run_id, lock = store.create(spec, key)
    if status:
        path = store.folder(run_id) / "status.json"
        write_json(path, replace(Status.read(read_json(path)), **status).as_json())
    lock.release()
    return run_id


def test_a_run_is_found_as_it_was_made(store):
    run_id, lock = store.create(SPEC)
    record = store.get(run_id)
    assert record.state is RunState.QUEUED
    assert (record.spec.recipe, record.spec.params, record.title) == ("rehearsal", {"steps": 3}, "A title")
    assert (record.spec.order, record.status.spec_sha256) == (1, record.spec.digest)
    assert store.list() == (record,)
    lock.release()


def test_the_same_key_makes_one_run(store):
    first, lock = store.create(SPEC, "one form")
    assert lock is not None
    assert store.create(SPEC, "one form") == (first, None)
    assert store.create(SPEC, "another form")[0] != first
    assert len(store.list()) == 2
    lock.release()


def test_without_a_key_every_run_is_new(store):
    assert len({store.create(SPEC)[0] for _ in range(5)}) == 5


def test_threads_that_ask_at_once_make_one_run(store):
    barrier, found = threading.Barrier(12), []

    def create():
        barrier.wait()
        found.append(store.create(SPEC, "one form"))

    threads = [threading.Thread(target=create) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run_id for run_id, _ in found}) == 1
    assert sum(lock is not None for _, lock in found) == 1
    assert len(store.list()) == 1
    assert [path for path in store.home.runs.iterdir() if path.name.startswith(".")] == []


def test_processes_that_ask_at_once_make_one_run(store):
    command = [*python(CREATE), str(store.home.root)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(6)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate()[0].split() for process in processes]
    assert len({run_id for run_id, _ in said}) == 1
    assert sum(first == "True" for _, first in said) == 1
    assert len(store.list()) == 1


def test_newest_runs_come_first_whatever_the_clock_says(store, monkeypatch):
    found = []
    for second in (300.0, 200.0, 100.0):
        monkeypatch.setattr("compecon.runs.store.time.time", lambda second=second: second)
        found.append(made(store))
    assert [record.run_id for record in store.list()] == found[::-1]


def test_there_is_no_run_before_the_first(tmp_path):
    assert RunStore(type("H", (), {"runs": tmp_path / "none"})()).list() == ()


def test_a_run_that_is_not_there_is_refused(store):
    with pytest.raises(RunError, match="There is no run"):
        store.get("train-000000000000")
    with pytest.raises(RunError, match="a run's name"):
        store.get("../../etc")


@pytest.mark.parametrize("state", ["QUEUED", "STARTING", "RUNNING", "STOPPING"])
def test_a_run_without_a_worker_is_lost(store, state):
    record = store.get(made(store, state=RunState(state), pid=7))
    assert record.state is RunState.LOST
    assert record.reason.startswith("Its worker ended without") == (state != "QUEUED")
    assert record.state.can_resume


def test_a_run_whose_worker_never_came_is_lost(store):
    run_id = made(store)
    assert store.get(run_id).reason == (
        f"It was never started. It has no checkpoint yet; `compecon resume {run_id}` starts it."
    )


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "CANCELLED", "LOST"])
def test_what_has_ended_stays_so(store, state):
    run_id = made(store, state=RunState(state), reason="Its words.")
    (store.folder(run_id) / "cancel").touch()
    record = store.get(run_id)
    assert (record.state, record.reason) == (RunState(state), "Its words.")


def test_a_run_that_was_to_stop_and_is_gone_was_cancelled(store):
    run_id = made(store, state=RunState.RUNNING, pid=7)
    (store.folder(run_id) / "cancel").touch()
    assert store.get(run_id).state is RunState.CANCELLED


def test_a_run_that_was_asked_to_stop_is_stopping(store):
    run_id, lock = store.create(SPEC)
    store.ask_to_stop(run_id)
    assert store.get(run_id).state is RunState.STOPPING
    lock.release()


def test_what_no_one_knows_is_not_called_lost(store):
    run_id = made(store, replace(SPEC, executor="cluster"), state=RunState.RUNNING)
    assert store.get(run_id).state is RunState.RUNNING
    for answer, state in ((None, RunState.RUNNING), (True, RunState.RUNNING), (False, RunState.LOST)):
        asked = RunStore(store.home, {"cluster": lambda _record, answer=answer: answer})
        assert asked.get(run_id).state is state


@pytest.mark.parametrize("name", ["spec.json", "status.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"state": "?"}', b'{"schema": 0}', b"\x00" * 100])
def test_a_damaged_file_is_told_and_leaves_the_other_runs_alone(store, name, content):
    good, bad = made(store), made(store)
    (store.folder(bad) / name).write_bytes(content)
    by_name = {record.run_id: record for record in store.list()}
    assert by_name[good].state is RunState.LOST
    assert by_name[bad].state is RunState.FAILED
    assert name in by_name[bad].reason
    assert "compecon doctor" in by_name[bad].reason


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_in_the_place_of_a_status_holds_up_no_list(store):
    run_id = made(store)
    (store.folder(run_id) / "status.json").unlink()
    os.mkfifo(store.folder(run_id) / "status.json")
    assert "not a regular file" in store.list()[0].reason


def test_a_run_without_files_says_so(store):
    (store.home.runs / "train-00000000").mkdir()
    assert "cannot be read" in store.list()[0].reason


def test_what_is_no_run_is_not_listed(store, tmp_path):
    (store.home.runs / ".train-x-123.part").mkdir()
    (store.home.runs / "Notes").mkdir()
    (store.home.runs / "notes.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (store.home.runs / "linked-elsewhere").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert store.list() == ()


def test_a_deleted_run_comes_back_as_it_was(store):
    run_id = made(store)
    (store.folder(run_id) / "metrics.jsonl").write_text("{}\n")
    before = store.get(run_id)
    target = store.delete(run_id)
    assert store.list() == ()
    assert target.parent == store.home.trash
    store.restore(run_id)
    assert store.get(run_id) == before
    assert (store.folder(run_id) / "metrics.jsonl").read_text() == "{}\n"


def test_the_one_that_was_deleted_last_is_restored(store):
    for words in ("first", "second"):
        run_id = made(store, key="same", state=RunState.FAILED, reason=words)
        store.delete(run_id)
    store.restore(run_id)
    assert store.get(run_id).reason == "second"
    with pytest.raises(RunError, match="Delete it first"):
        store.restore(run_id)
    store.delete(run_id)
    assert len(list(store.home.trash.iterdir())) == 2


def test_a_run_with_a_worker_is_not_deleted(store):
    run_id, lock = store.create(SPEC)
    with pytest.raises(RunError, match=r"is queued\. Stop it"):
        store.delete(run_id)
    write_json(store.folder(run_id) / "status.json", Status(RunState.FAILED).as_json())
    with pytest.raises(RunError, match="has a worker again"):
        store.delete(run_id)
    assert store.get(run_id).state is RunState.FAILED
    lock.release()
    store.delete(run_id)


def test_nothing_is_restored_from_an_empty_trash(store):
    with pytest.raises(RunError, match="There is no run"):
        store.restore("train-00000000")


def test_a_run_that_cannot_be_written_leaves_nothing(store, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("compecon.runs.folder.write_json", full)
    with pytest.raises(RunError, match="No space left on device"):
        store.create(SPEC)
    assert list(store.home.runs.iterdir()) == []


def test_a_thousand_files_are_plain_json(store):
    run_id = made(store)
    for name in ("spec.json", "status.json"):
        assert json.loads((store.folder(run_id) / name).read_text())
