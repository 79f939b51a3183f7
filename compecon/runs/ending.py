"""How a run ended: its state, and a sentence for the person who has to do something about it."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from pathlib import Path

from compecon.errors import CompeconError, TrainingInterruptedError, is_out_of_memory
from compecon.runs.run_record import RunState

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FULL_WORDS = ("no space left on device", "disk quota exceeded", "os error 28")
_ALMOST_NOTHING = 65_536
DISK_FULL = "The disk is full. Free some space and resume; the run continues from its last complete checkpoint."
NO_MEMORY = "Out of memory. Use a smaller batch size, more accumulated passes, or checkpointing."


def outcome_of(error: BaseException, folder: Path, *, wanted: bool) -> tuple[RunState, str]:
    """State and sentence for the error that ended a run; `wanted`: whether it had been asked to stop."""
    if isinstance(error, TrainingInterruptedError | KeyboardInterrupt):
        at = str(error).split(". ")[0].rstrip(".") if isinstance(error, TrainingInterruptedError) else "Interrupted"
        if wanted:
            return RunState.CANCELLED, f"{at}, as requested."
        return RunState.LOST, f"{at}: the system ended its worker."
    chain = list(_chain(error))
    if any(isinstance(each, OSError) and each.errno in _FULL for each in chain) or _says(chain, _FULL_WORDS):
        return RunState.FAILED, DISK_FULL
    if any(map(is_out_of_memory, chain)):
        return RunState.FAILED, NO_MEMORY
    return RunState.FAILED, _other(error, chain, folder)


def _other(error: BaseException, chain: list[BaseException], folder: Path) -> str:
    if any(isinstance(each, OSError) and each.errno in (errno.EMFILE, errno.ENFILE) for each in chain):
        return "Too many open files. Raise the limit (`ulimit -n`) or close other programs, and resume."
    if isinstance(error, CompeconError):
        return _sentence(str(error))
    if isinstance(error, FloatingPointError):
        return f"{_sentence(str(error))} Duplicate the run with a smaller learning rate or price."
    if isinstance(error, ImportError):
        return f"A module could not be imported: {error}. Reinstall compecon, with its constraints."
    if _nearly_full(folder):
        return DISK_FULL
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {lines[0][:300]}' if lines else ''}. See the log for details."


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _says(chain: list[BaseException], words: tuple[str, ...]) -> bool:
    return any(word in str(each).lower() for each in chain for word in words)


def _nearly_full(folder: Path) -> bool:
    """Libraries written in C report a full disk only as a failed write."""
    try:
        return shutil.disk_usage(folder).free < _ALMOST_NOTHING
    except OSError:
        return False


def _sentence(text: str) -> str:
    first = f"{text[:1].upper()}{text[1:]}"
    return first if first.endswith((".", "!", "?")) else f"{first}."
