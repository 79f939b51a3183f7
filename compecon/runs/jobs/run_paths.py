"""Where a job reads and writes its files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final


@final
@dataclass(frozen=True)
class RunPaths:
    """Where the files of a run go.

    Attributes:
        checkpoint: Folder of the new checkpoint; must not exist unless an earlier attempt finished it.
        work: Folder for intermediate checkpoints; removed when the new checkpoint is there.
        notes: Existing folder for small JSON files, such as `examples.json`.
        kept: Folder of measurements shared by all runs; None: nothing is reused or stored.
    """

    checkpoint: Path
    work: Path
    notes: Path
    kept: Path | None = None
