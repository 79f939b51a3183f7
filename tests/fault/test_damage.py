"""Damaged, removed and edited files: what is whole is used, what is not is set aside and told."""

import json
import os
import random
import shutil
import signal

import pytest

from compecon.files.complete import MARKER, checkpoints_of
from compecon.runs.folder import LOCK, METRICS, SPEC, STATUS
from compecon.runs.run_record import RunState
from tests.support.rehearsals import assert_undisturbed, at_step, history, last_step, rehearsal, saved_step
from tests.support.runs import ended, until, workers

pytestmark = pytest.mark.fault


def slow(value):
    return pytest.param(value, marks=pytest.mark.slow)


@pytest.fixture
def left(executor, store):
    """A run whose worker was killed after some checkpoints."""
    run_id = executor.submit(rehearsal(save_every=3))
    os.kill(at_step(store, run_id, 10).status.pid, signal.SIGKILL)
    assert ended(store, run_id).state is RunState.LOST
    assert saved_step(store, run_id) >= 6
    return run_id


def truncate(folder):
    path = folder / "weights.bin"
    os.truncate(path, path.stat().st_size // 2)


def flip_a_bit(folder):
    raw = bytearray((folder / "weights.bin").read_bytes())
    raw[random.Random(0).randrange(len(raw))] ^= 1  # noqa: S311 - the same bit every time
    (folder / "weights.bin").write_bytes(bytes(raw))


def lose_a_file(folder):
    (folder / "state.json").unlink()


def damage_the_marker(folder):
    (folder / MARKER).write_text('{"step": 3, "files": {}}')


@pytest.mark.parametrize("damage", [truncate, flip_a_bit, slow(lose_a_file), slow(damage_the_marker)])
def test_a_truncated_or_bit_flipped_checkpoint_is_set_aside_and_the_one_before_taken(executor, store, left, damage):
    newest = checkpoints_of(store.folder(left) / "checkpoints")[-1]
    damage(newest)
    executor.start(left)
    until(lambda: newest.with_name(f"broken-{newest.name}").is_dir() or store.get(left).state.is_finished)
    assert_undisturbed(ended(store, left))


def test_without_any_whole_checkpoint_it_begins_anew(executor, store, left):
    for folder in checkpoints_of(store.folder(left) / "checkpoints"):
        truncate(folder)
    executor.start(left)
    assert_undisturbed(ended(store, left))


@pytest.mark.parametrize("torn", [b'{"stage": "rehearsal", "step": 11, "lo', slow(b"\x00" * 4096)])
def test_a_torn_metrics_line_is_cut_off(executor, store, left, torn):
    with (store.folder(left) / METRICS).open("ab") as stream:
        stream.write(torn)
    assert history(store, left).damaged == 0
    executor.start(left)
    assert_undisturbed(ended(store, left))


def test_an_edited_spec_is_refused_until_it_is_put_back(executor, store, left):
    path = store.folder(left) / SPEC
    before = path.read_text()
    spec = json.loads(before)
    spec["params"]["steps"] = 10
    path.write_text(json.dumps(spec))
    executor.start(left)
    record = ended(store, left)
    assert record.state is RunState.FAILED
    assert record.reason.startswith("Spec.json was changed after the run was submitted.")
    path.write_text(before)
    executor.start(left)
    assert_undisturbed(ended(store, left))


@pytest.mark.parametrize(
    "text", [slow(""), slow("{"), slow("[]"), '{"schema": 1, "recipe": "rehearsal", "queue": "../.."}']
)
def test_a_spec_that_is_no_spec_is_refused_at_once(executor, store, left, text):
    path = store.folder(left) / SPEC
    before = path.read_text()
    path.write_text(text)
    assert "spec.json" in store.get(left).reason or "queue" in store.get(left).reason
    with pytest.raises(ValueError, match=r"spec\.json|queue"):
        executor.start(left)
    assert workers(store.home.root) == []
    path.write_text(before)
    executor.start(left)
    assert_undisturbed(ended(store, left))


def test_a_status_that_names_another_process_never_gets_that_killed(executor, store, monkeypatch):
    monkeypatch.setattr("compecon.runs.executors.local._UNTIL_IT_SPEAKS_S", 0.1)
    run_id = executor.submit(rehearsal(step_ms=20))
    record = at_step(store, run_id, 2)
    os.kill(record.status.pid, signal.SIGSTOP)  # so that it does not put its status right
    status = json.loads((record.folder / STATUS).read_text())
    for pid in (os.getpid(), -1, 0, 1, 2**22 - 1):
        (record.folder / STATUS).write_text(json.dumps({**status, "pid": pid}))
        with pytest.raises(ValueError, match="has not reported its process"):
            executor.kill(run_id)
    (record.folder / STATUS).write_text(json.dumps(status))
    executor.kill(run_id)
    assert ended(store, run_id).state is RunState.CANCELLED


def test_a_status_that_someone_damaged_is_put_right_by_its_worker(executor, store):
    run_id = executor.submit(rehearsal(step_ms=20))
    (at_step(store, run_id, 2).folder / STATUS).write_text("{")
    until(lambda: store.get(run_id).state in (RunState.RUNNING, RunState.SUCCEEDED))
    assert_undisturbed(ended(store, run_id))


def test_deleting_the_folder_of_a_run_ends_its_worker_and_frees_its_slot(executor, store, bystander):
    run_id = executor.submit(rehearsal(steps=2000))
    following = executor.submit(rehearsal(seed=2))
    record = at_step(store, run_id, 5)
    trash = store.home.root / "moved-away"
    record.folder.rename(trash)  # in one step: a worker that saves while its files are removed one by one is no better
    shutil.rmtree(trash)
    until(lambda: not any(run_id in " ".join(each.info["cmdline"] or ()) for each in workers(store.home.root)))
    assert_undisturbed(ended(store, following))
    assert {each.run_id for each in store.list()} == {following, bystander}
    assert not record.folder.exists()


def test_removing_the_files_of_a_run_one_by_one_leaves_no_run_that_seems_to_work(executor, store):
    run_id = executor.submit(rehearsal(steps=2000))
    folder = at_step(store, run_id, 5).folder
    shutil.rmtree(folder, ignore_errors=True)
    until(lambda: not any(run_id in " ".join(each.info["cmdline"] or ()) for each in workers(store.home.root)))
    shutil.rmtree(folder, ignore_errors=True)


def test_a_lock_file_that_is_deleted_leaves_one_worker(home, executor, store):
    home.set_slots("cpu", 2)  # the first worker still holds its slot
    run_id = executor.submit(rehearsal(step_ms=20))
    record = at_step(store, run_id, 6)
    os.kill(record.status.pid, signal.SIGSTOP)
    (record.folder / LOCK).unlink()
    assert store.get(run_id).state is RunState.LOST
    executor.start(run_id)
    reached = at_step(store, run_id, last_step(store, run_id) + 2)
    os.kill(record.status.pid, signal.SIGCONT)
    assert reached.status.attempt == 2
    until(lambda: record.status.pid not in [each.pid for each in workers(store.home.root)])
    assert_undisturbed(ended(store, run_id))


def test_a_lock_file_that_is_deleted_ends_its_worker_alone(executor, store):
    run_id = executor.submit(rehearsal(step_ms=20))
    record = at_step(store, run_id, 6)
    (record.folder / LOCK).unlink()
    until(lambda: record.status.pid not in [each.pid for each in workers(store.home.root)])
    assert store.get(run_id).state is RunState.LOST
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))
