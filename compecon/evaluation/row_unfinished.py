"""Budgets that an attempt has finished, so that the next one need not measure them again."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import final

import numpy as np

from compecon.evaluation.result_store import MAX_BYTES, keep
from compecon.evaluation.row_passes import Level
from compecon.evaluation.row_records import SCHEMA, StatisticsKey
from compecon.files.safe_reader import read_json
from compecon.files.schema import check_schema


@final
class Unfinished:
    """Finished budgets in a folder.

    Args:
        folder: Made if it is not there; None to keep nothing.
        key: What is measured; budgets of anything else are left alone.
    """

    def __init__(self, folder: Path | None, key: StatisticsKey) -> None:
        self._folder = folder
        self._key = json.loads(json.dumps(asdict(key)))

    def get(self, keys: int | None) -> Level | None:
        """What was measured under a budget; None if nothing was, or it cannot be read."""
        if self._folder is None:
            return None
        try:
            held = read_json(self._path(self._folder, keys), MAX_BYTES)
            check_schema(held, SCHEMA, "it")
            if held["key"] != self._key:
                return None
            return Level(np.array(held["logits"], dtype=np.float32), np.array(held["cells"], dtype=np.float64))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def put(self, keys: int | None, level: Level) -> None:
        """Keep what was measured under a budget.

        Raises:
            OSError: If it cannot be written.
        """
        if self._folder is None:
            return
        cells = np.where(np.isnan(level.cells), None, level.cells).tolist()  # type: ignore[call-overload]
        held = {"schema": SCHEMA, "key": self._key, "logits": level.logits.astype(float).tolist(), "cells": cells}
        keep(self._path(self._folder, keys), held, SCHEMA)

    def _path(self, folder: Path, keys: int | None) -> Path:
        return folder / f"{'all' if keys is None else keys}-keys.json"
