"""A disk that is full, and one that can only be read: told in words, and resumed when there is room again.

Each test runs in a mount namespace of its own, so that its tiny disk is nobody else's.
"""

import pytest

from tests.support.namespace import run_apart

pytestmark = pytest.mark.fault
HEAD = """
import shutil, time
from compecon.errors import RunError
from compecon.runs.home import Home
from compecon.runs.ending import DISK_FULL
from compecon.runs.run_record import RunState
from tests.fault.conftest import content
from tests.support.rehearsals import assert_undisturbed, at_step, last_step, rehearsal, saved_step
from tests.support.runs import ended, executor_of, until

def refused(call, words):
    try:
        call()
    except RunError as error:
        assert words in str(error), error
    else:
        raise AssertionError("nothing was refused")

def fill(leave_kb):
    free = shutil.disk_usage(root).free - leave_kb * 1024
    (root / "filler").write_bytes(b"x" * max(0, free))
"""
SMALL = 'mount("-t", "tmpfs", "-o", "size=600k", "none", str(root))\n'


def test_ENOSPC_while_a_checkpoint_is_written_ends_the_run_in_words_and_it_can_be_resumed(tmp_path):
    run_apart(
        tmp_path / "disk",
        HEAD
        + SMALL
        + """
with executor_of(root / "home") as executor:
    store = executor.store
    bystander, lock = store.create(rehearsal(seed=9))
    lock.release()
    before = content(store.folder(bystander))
    run_id = executor.submit(rehearsal(size_kb=200, save_every=4))
    record = ended(store, run_id)
    assert (record.state, record.reason) == (RunState.FAILED, DISK_FULL), record
    assert saved_step(store, run_id) >= 4
    assert record.state.can_resume
    assert content(store.folder(bystander)) == before
    mount("-o", "remount,size=2m", str(root))
    executor.start(run_id)
    assert_undisturbed(ended(store, run_id))
""",
    )


def test_ENOSPC_at_any_step_leaves_room_for_the_last_words(tmp_path):
    run_apart(
        tmp_path / "disk",
        HEAD
        + SMALL
        + """
with executor_of(root / "home") as executor:
    store = executor.store
    run_id = executor.submit(rehearsal(steps=4000, size_kb=1, save_every=20, step_ms=2))
    at_step(store, run_id, 25)
    fill(0)
    record = ended(store, run_id)
    assert (record.state, record.reason) == (RunState.FAILED, DISK_FULL), record
    assert not (record.folder / "ballast").exists()
    reached = last_step(store, run_id)
    assert 25 <= reached < 4000
    refused(lambda: executor.start(run_id), "cannot be started")
    assert store.get(run_id).reason == DISK_FULL
    (root / "filler").unlink()
    executor.start(run_id)
    at_step(store, run_id, reached + 5)
    executor.stop(run_id)
    ended(store, run_id)
""",
    )


def test_a_run_is_refused_on_a_full_disk_and_leaves_nothing(tmp_path):
    run_apart(
        tmp_path / "disk",
        HEAD
        + SMALL
        + """
with executor_of(root / "home") as executor:
    store = executor.store
    store.home.made()
    fill(0)
    refused(lambda: executor.submit(rehearsal(), "form"), "full")
    fill(150)
    assert list(store.home.runs.iterdir()) == []
    for leave in (0, 4, 8, 16, 24, 32, 40):  # kilobytes: the disk is full in the middle of what is written
        (root / "filler").unlink(missing_ok=True)
        fill(leave)
        shutil.disk_usage, usage = (lambda _: usage(root)._replace(free=10**6)), shutil.disk_usage
        try:
            executor.submit(rehearsal(), f"form {leave}")
        except RunError as error:
            assert "No space left on device" in str(error), error
        else:
            ended(store, store.list()[0].run_id)
        finally:
            shutil.disk_usage = usage
        assert [path.name for path in store.home.runs.iterdir() if path.name.startswith(".")] == []
    (root / "filler").unlink()
    run_id = executor.submit(rehearsal(steps=3), "form")
    assert_undisturbed(ended(store, run_id))
""",
    )


def test_a_home_that_can_only_be_read_is_still_shown_and_says_what_cannot_be_done(tmp_path):
    run_apart(
        tmp_path / "disk",
        HEAD
        + """
with executor_of(root / "home") as executor:
    store, home = executor.store, root / "home"
    done = executor.submit(rehearsal(steps=3))
    ended(store, done)
    run_id = executor.submit(rehearsal(steps=4000))
    waiting = executor.submit(rehearsal(steps=3, seed=2))
    at_step(store, run_id, 5)
    mount("--bind", str(home), str(home))
    until(lambda: mounted("-o", "remount,bind,ro", str(home)))
    assert store.get(run_id).state is RunState.RUNNING, "a lock can be looked at without writing"
    assert len(store.list()) == 3
    refused(lambda: executor.submit(rehearsal()), "Set COMPECON_HOME")
    refused(lambda: store.ask_to_stop(run_id), "Read-only file system")
    refused(lambda: store.delete(done), "not writable")
    record = ended(store, run_id)
    assert record.state is RunState.LOST, record
    assert record.reason.startswith("Its worker ended")
    ended(store, waiting)
    assert "Read-only file system" in (record.folder / "worker.log").read_text()
    refused(lambda: executor.start(run_id), "cannot be started: Read-only file system")
    subprocess.run(["umount", str(home)], check=True)
    executor.start(run_id)
    executor.start(waiting)
    at_step(store, run_id, 8)
    executor.stop(run_id)
    ended(store, run_id)
    assert_undisturbed(ended(store, waiting))
    assert_undisturbed(store.get(done))
""",
    )
