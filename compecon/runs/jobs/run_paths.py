"""Where a job reads and writes its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class RunPaths:
    """Where the files of a run go."""

    checkpoint: Path  # folder of the new checkpoint; must not exist unless an earlier attempt finished it
    work: Path  # folder for intermediate checkpoints; removed when the new checkpoint is there
    notes: Path  # existing folder for small JSON files, such as `examples.json`
    kept: Path | None = None  # folder of measurements shared by all runs; None: nothing is reused or stored
