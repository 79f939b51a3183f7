"""What is wrong with the rows of a file, all of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

_LISTED = 20
_NAMED = 5


@final
@dataclass(frozen=True)
class Problem:
    """Why a row cannot be used."""

    where: str  # file and place: ``reviews.csv, line 12``, as an editor counts lines
    what: str  # the column and what is wrong with it
    cure: str = ""  # what to do, a sentence

    def __str__(self) -> str:
        return f"{self.where}: {self.what}.{f' {self.cure}' if self.cure else ''}"


def refusal(problems: Sequence[Problem], name: str, cure: str = "") -> str:
    """All problems of a file (at least one) as one message: a single one in its line, else a line each, at most 20."""
    tail = f" {cure}" if cure else ""
    if len(problems) == 1:
        return f"{problems[0]}{tail}"
    lines = [f"{name} has {len(problems):,} problems.{tail}", *map(str, problems[:_LISTED])]
    if len(problems) > _LISTED:
        lines.append(f"and {len(problems) - _LISTED:,} more.")
    return "\n".join(lines)


def left_out(problems: Sequence[Problem], n_rows: int) -> str:
    """How many rows are not used, and the first five of their problems with their places."""
    first = " ".join(map(str, problems[:_NAMED]))
    more = f", for {len(problems):,} problems, the first {_NAMED} of which are" if len(problems) > _NAMED else ""
    return f"{n_rows:,} row{'s were' if n_rows > 1 else ' was'} left out{more}: {first}"
