"""What a look at the runs finds, and what could be done about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, final

from compecon.errors import RunError
from compecon.runs.locks import Lock
from compecon.runs.store import LOCK


@final
@dataclass(frozen=True)
class Finding:
    """Something that was found.

    Attributes:
        about: A run's name, "home" or "machine".
        level: "problem" if something is wrong, "note" if somebody may want to know.
        sentence: What it is, and what can be done.
        repair: Sets it right and says in a sentence what it did; nothing that was there is deleted. None if a person
            has to do it.
        repaired: What was done; "" before.
    """

    about: str
    level: Literal["problem", "note"]
    sentence: str
    repair: Callable[[], str] | None = None
    repaired: str = ""

    @property
    def is_open(self) -> bool:
        """Whether something is wrong still."""
        return self.level == "problem" and not self.repaired

    def set_right(self) -> Finding:
        """The same after its repair, if it has one."""
        if self.repair is None:
            return self
        try:
            return replace(self, repaired=self.repair())
        except OSError as error:
            return replace(self, sentence=f"{self.sentence} It could not be set right: {error.strerror or error}.")
        except RunError as error:
            return replace(self, sentence=f"{self.sentence} It could not be set right: {error}")


def aside(path: Path, name: str) -> Path:
    """Rename a file or folder within its folder, without taking the place of another one; gives its new path."""
    target, n = path.with_name(name), 1
    while target.exists():
        n += 1
        stem, dot, rest = name.partition(".")
        target = path.with_name(f"{stem}-{n}{dot}{rest}")
    path.rename(target)
    return target


def while_nobody_works(folder: Path, change: Callable[[], str]) -> Callable[[], str]:
    """A change to a run that is made only while nobody holds its lock; says "" if somebody does."""

    def changed() -> str:
        lock = Lock.taken(folder / LOCK)
        if lock is None:
            return ""
        try:
            return change()
        finally:
            lock.release()

    return changed


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
