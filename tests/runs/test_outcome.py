"""Every fault has its sentence."""

import errno
import os
import shutil

import pytest

from compecon.errors import CheckpointError, RunError, TrainingInterruptedError
from compecon.runs.ending import DISK_FULL, NO_MEMORY, outcome_of
from compecon.runs.run_record import RunState


def raised(error, cause=None):
    error.__cause__ = cause
    return error


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FULL, DISK_FULL),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), DISK_FULL),
        (raised(RuntimeError("could not save"), FULL), DISK_FULL),
        (RuntimeError("[enforce fail] . file write failed: No space left on device"), DISK_FULL),
        (Exception("SafetensorError: I/O error: No space left on device (os error 28)"), DISK_FULL),
        (MemoryError(), NO_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes"), NO_MEMORY),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), NO_MEMORY),
        (ImportError("libtorch.so: failed to map segment from shared object"), NO_MEMORY),
        (raised(ValueError("x"), MemoryError()), NO_MEMORY),
        (OSError(errno.EMFILE, "Too many open files"), "Too many open files."),
        (CheckpointError("the folder is gone. Give another one."), "The folder is gone. Give another one."),
        (RunError("there is no recipe"), "There is no recipe."),
        (FloatingPointError("the loss is not finite at step 7"), "The loss is not finite at step 7. "),
        (ModuleNotFoundError("No module named 'torch'"), "A module could not be imported: No module named 'torch'."),
        (KeyError("x"), "KeyError: 'x'. "),
        (RuntimeError("first line\nsecond line"), "RuntimeError: first line. "),
        (RuntimeError(), "RuntimeError. See the log"),
        (RuntimeError("x" * 1000), f"RuntimeError: {'x' * 300}. "),
        (SystemExit(3), "SystemExit: 3. "),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_each_fault_is_told_in_words(tmp_path, error, words):
    state, reason = outcome_of(error, tmp_path, wanted=False)
    assert state is RunState.FAILED
    assert reason.startswith(words)
    assert reason.endswith(".")


@pytest.mark.parametrize("error", [TrainingInterruptedError("Left after step 5 of 9. Resume it."), KeyboardInterrupt()])
def test_being_asked_to_stop_is_told_apart_from_being_ended(tmp_path, error):
    state, reason = outcome_of(error, tmp_path, wanted=True)
    assert state is RunState.CANCELLED
    assert "step 5" in reason or isinstance(error, KeyboardInterrupt)
    state, reason = outcome_of(error, tmp_path, wanted=False)
    assert state is RunState.LOST
    assert "system" in reason


def test_a_library_that_only_says_it_could_not_write_is_believed_when_the_disk_is_full(tmp_path, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10))
    assert outcome_of(RuntimeError("unexpected pos 64 vs 0"), tmp_path, wanted=False)[1] == DISK_FULL
    assert outcome_of(CheckpointError("no."), tmp_path, wanted=False)[1] == "No."


def test_errors_that_cause_each_other_in_a_circle_come_to_an_end(tmp_path):
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert outcome_of(first, tmp_path, wanted=False)[0] is RunState.FAILED
