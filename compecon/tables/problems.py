"""What is wrong with a file, row by row, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

_LISTED = 20
_NAMED = 5


@final
@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used.

    Attributes:
        where: File and place: ``reviews.csv, line 12``, as an editor counts lines.
        what: The column and what is wrong with it.
        cure: What to do, a sentence.
    """

    where: str
    what: str
    cure: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.what}.{f' {self.cure}' if self.cure else ''}"


def refusal(problems: Sequence[Problem], name: str, cure: str = "") -> str:
    """All problems of a file as one message: alone on its line if there is one, else a line each, at most 20.

    Args:
        problems: At least one.
        name: What to call the file.
        cure: What else helps, a sentence.
    """
    tail = f" {cure}" if cure else ""
    if len(problems) == 1:
        return f"{problems[0]}{tail}"
    lines = [f"{name} has {len(problems):,} problems.{tail}", *map(str, problems[:_LISTED])]
    if len(problems) > _LISTED:
        lines.append(f"and {len(problems) - _LISTED:,} more.")
    return "\n".join(lines)


def left_out(problems: Sequence[Problem], n_rows: int) -> str:
    """How many rows are not used, and the first five problems with their places.

    Args:
        problems: At least one.
        n_rows: Rows that they concern.
    """
    first = " ".join(map(str, problems[:_NAMED]))
    more = f", for {len(problems):,} problems, the first {_NAMED} of which are" if len(problems) > _NAMED else ""
    return f"{n_rows:,} row{'s were' if n_rows > 1 else ' was'} left out{more}: {first}"
