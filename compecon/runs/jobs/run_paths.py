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
        work: Folder for the training's own checkpoints; removed when the new checkpoint is there.
        notes: Folder for small JSON files, such as `examples.json`; must exist.
        kept: Folder of measurements that every run finds again, such as `evaluations/`; need not exist. None: nothing
            is looked up or kept.
    """

    checkpoint: Path
    work: Path
    notes: Path
    kept: Path | None = None
