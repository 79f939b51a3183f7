"""What a checkup finds, and what can be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, final

from compecon.errors import RunError
from compecon.runs.folder import LOCK
from compecon.runs.locks import Lock


@final
@dataclass(frozen=True)
class Finding:
    """A finding of a checkup."""

    about: str  # a run's name, "home" or "machine"
    level: Literal["problem", "note"]  # "problem" if something is wrong, "note" if it is for information
    sentence: str  # what it is, and what to do
    # repairs it, deletes nothing, and returns a sentence on what it did; None if a person has to do it
    repair: Callable[[], str] | None = None
    repaired: str = ""  # what was done; "" before

    @property
    def is_open(self) -> bool:
        """Whether it is a problem that has not been repaired."""
        return self.level == "problem" and not self.repaired

    def set_right(self) -> Finding:
        """The finding after its repair, if it has one."""
        if self.repair is None:
            return self
        try:
            return replace(self, repaired=self.repair())
        except (OSError, RunError) as error:
            why = f"{error.strerror or error}." if isinstance(error, OSError) else str(error)
            return replace(self, sentence=f"{self.sentence} It could not be repaired: {why}")


def aside(path: Path, name: str) -> Path:
    """Rename a file or folder within its folder, replacing nothing; returns its new path."""
    target, n = path.with_name(name), 1
    while target.exists():
        n += 1
        stem, dot, rest = name.partition(".")
        target = path.with_name(f"{stem}-{n}{dot}{rest}")
    path.rename(target)
    return target


def while_idle(folder: Path, change: Callable[[], str]) -> Callable[[], str]:
    """A change to a run that is made only while no worker holds its lock; returns "" if one does."""

    def changed() -> str:
        lock = Lock.taken(folder / LOCK)
        if lock is None:
            return ""
        with lock:
            return change()

    return changed


def counted(number: int, noun: str) -> str:
    """A number and its noun: "1 run", "2 runs"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
