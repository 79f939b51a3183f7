"""How the files of a task were understood, to be shown before anything is done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import final

from compecon.tables.problems import Problem
from compecon.tasks.readers.cells import TableRow


@final
@dataclass(frozen=True)
class FileRead:
    """A file that was read.

    Attributes:
        name: Of the file.
        form: Its encoding, separator and quotes, in words.
        columns: Name in the file of each column that was asked for.
    """

    name: str
    form: str
    columns: Mapping[str, str]

    def __str__(self) -> str:
        columns = ", ".join(asked if asked == name else f"{asked} = {name!r}" for asked, name in self.columns.items())
        return f"{self.name}: {self.form}; columns {columns}"


@final
@dataclass(frozen=True)
class Found:
    """Rows of one file or several, and what is wrong with others.

    Attributes:
        files: What was read.
        rows: Rows that can be used.
        problems: What is wrong with those that cannot.
        n_bad: How many these are.
    """

    files: tuple[FileRead, ...]
    rows: tuple[TableRow, ...]
    problems: tuple[Problem, ...]
    n_bad: int

    @classmethod
    def joined(cls, parts: Iterable[Found]) -> Found:
        """Several files, one after the other."""
        parts = list(parts)
        return cls(
            tuple(each for part in parts for each in part.files),
            tuple(each for part in parts for each in part.rows),
            tuple(each for part in parts for each in part.problems),
            sum(part.n_bad for part in parts),
        )


@final
@dataclass(frozen=True)
class Reading:
    """How a task's files were understood.

    Attributes:
        files: What was read.
        notes: What was decided or left out, and what may be wrong, a sentence each.
    """

    files: tuple[FileRead, ...]
    notes: tuple[str, ...]
