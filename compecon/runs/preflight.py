"""A look ahead before a run is submitted: what it will take, and whether there is room for it, in words."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import final

from compecon.errors import RunError
from compecon.runs.home import Home
from compecon.runs.record import RunSpec

_LEAST_BYTES = 10_000_000


@final
@dataclass(frozen=True)
class Ahead:
    """What a run will take.

    Attributes:
        sentences: What is expected, for people.
        problems: Why it should not be started now; empty if nothing speaks against it.
    """

    sentences: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def require(self) -> None:
        """Make sure that nothing speaks against it.

        Raises:
            RunError: If something does.
        """
        if self.problems:
            raise RunError(" ".join(self.problems))


def look_ahead(home: Home, spec: RunSpec) -> Ahead:
    """Look at the room for a run.

    Args:
        home: Where it will be kept.
        spec: What is to be run.
    """
    free = shutil.disk_usage(existing(home.root)).free
    if free < _LEAST_BYTES:
        return Ahead((), (f"{free / 1e6:.0f} MB are free in {home.root}, too few for {spec.recipe}. Free some room.",))
    return Ahead()


def existing(path: Path) -> Path:
    """A folder, or the nearest one above it that is there."""
    return next(each for each in (path, *path.parents) if each.exists())
