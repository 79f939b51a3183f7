"""A lock is held by a living process, and free the moment it is gone."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from compecon.runs.locks import Lock, is_held
from tests.support.runs import python, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="hands descriptors to child processes")
HOLD = """
import sys, time
from pathlib import Path
from compecon.runs.locks import Lock
lock = Lock.inherited(Path(sys.argv[1]), int(sys.argv[2])) if len(sys.argv) > 2 else Lock.taken(Path(sys.argv[1]))
print("held" if lock else "taken", flush=True)
time.sleep(60)
"""


def holder(path, *descriptors):
    given = [str(each) for each in descriptors]
    command = [*python(HOLD), str(path), *given]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=descriptors)
    assert process.stdout is not None
    process.said = process.stdout.readline().strip()
    return process


@pytest.fixture
def ending():
    processes = []
    yield processes.append
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_nobody_else_gets_a_lock_that_is_held(tmp_path):
    lock = Lock.taken(tmp_path / "lock")
    assert lock is not None
    assert Lock.taken(tmp_path / "lock", patience_s=0.0) is None
    assert is_held(tmp_path / "lock")
    lock.release()
    assert not is_held(tmp_path / "lock")
    again = Lock.taken(tmp_path / "lock")
    assert again is not None
    again.release()


def test_looking_makes_no_file(tmp_path):
    assert not is_held(tmp_path / "lock")
    assert not is_held(tmp_path / "no folder" / "lock")
    (tmp_path / "file").touch()
    assert not is_held(tmp_path / "file" / "lock")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_those_who_look_do_not_see_each_other(tmp_path):
    (tmp_path / "lock").touch()
    seen = []

    def look():
        seen.extend(is_held(tmp_path / "lock") for _ in range(300))

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 1200
    assert not any(seen)


def test_a_lock_can_be_taken_while_others_look(tmp_path):
    path, over = tmp_path / "lock", threading.Event()
    path.touch()

    def look():
        while not over.is_set():
            is_held(path)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(100):
            lock = Lock.taken(path)
            assert lock is not None
            lock.release()
    finally:
        over.set()
        thread.join()


def test_killing_the_holder_frees_the_lock(tmp_path, ending):
    process = holder(tmp_path / "lock")
    ending(process)
    assert process.said == "held"
    assert is_held(tmp_path / "lock")
    process.send_signal(signal.SIGKILL)
    until(lambda: not is_held(tmp_path / "lock"))


def test_a_holder_that_was_halted_still_holds(tmp_path, ending):
    process = holder(tmp_path / "lock")
    ending(process)
    process.send_signal(signal.SIGSTOP)
    assert is_held(tmp_path / "lock")


def test_a_lock_is_held_at_every_moment_of_being_handed_over(tmp_path, ending):
    path, over, seen = tmp_path / "lock", threading.Event(), []
    lock = Lock.taken(path)
    assert lock is not None

    def look():
        while not over.is_set():
            seen.append(is_held(path))

    thread = threading.Thread(target=look)
    thread.start()
    process = holder(path, lock.descriptor)
    ending(process)
    lock.handed_over()
    over.set()
    thread.join()
    assert process.said == "held"
    assert seen
    assert all(seen)
    assert is_held(path)
    process.kill()
    until(lambda: not is_held(path))


def test_a_descriptor_of_another_file_is_refused(tmp_path):
    (tmp_path / "lock").touch()
    with (tmp_path / "other").open("w") as other, pytest.raises(OSError, match="does not belong"):
        Lock.inherited(tmp_path / "lock", other.fileno())


def test_a_lock_is_not_passed_on_to_children(tmp_path):
    lock = Lock.taken(tmp_path / "lock")
    assert lock is not None
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False)
    try:
        lock.release()
        assert not is_held(tmp_path / "lock")
    finally:
        child.communicate()


@pytest.mark.parametrize("change", ["removed", "replaced", "folder removed"])
def test_a_lock_knows_whether_its_file_is_still_there(tmp_path, change):
    folder = tmp_path / "run"
    folder.mkdir()
    lock = Lock.taken(folder / "lock")
    assert lock is not None
    assert lock.is_in_place
    (folder / "lock").unlink()
    if change == "replaced":
        (folder / "lock").touch()
    if change == "folder removed":
        folder.rmdir()
    assert not lock.is_in_place
    lock.release()


def test_what_cannot_be_looked_at_counts_as_held(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert is_held(tmp_path / "a"), "not to know is no reason to start another worker"


def test_a_lock_that_may_only_be_read_is_seen(tmp_path):
    lock = Lock.taken(tmp_path / "lock")
    assert lock is not None
    (tmp_path / "lock").chmod(0o444)
    assert is_held(tmp_path / "lock")
    lock.release()
    assert not is_held(tmp_path / "lock")


def test_a_pipe_in_the_place_of_a_lock_holds_nobody_up(tmp_path):
    os.mkfifo(tmp_path / "lock")
    assert is_held(tmp_path / "lock") in (True, False)
