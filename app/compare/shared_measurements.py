"""What was measured on data sets, read and compared once for all pages that show it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from app.server.resources import runs
from compecon.checkpoints.checkpoint_fingerprint import digest_of
from compecon.evaluation.row_records import RowStatistics
from compecon.evaluation.row_store import StatisticsStore, Text
from compecon.runs.home import Home
from compecon.views.compare.paired_rows import DatasetView, dataset_view
from compecon.views.compare.row_sets import RowSet, row_sets, texts_of


def store() -> StatisticsStore:
    """What comes with compecon, and what this user's runs have measured."""
    return StatisticsStore(Home.default().measurements)


def sets_of(a: str, b: str) -> tuple[RowSet, ...]:
    """The rows that two checkpoints, as `load_checkpoint` takes them, were measured on.

    Raises:
        CompeconError: If one of them cannot be loaded.
        OSError: If one of them cannot be read.
    """
    return row_sets(store().all(), digest_of(a), digest_of(b))


@lru_cache(maxsize=64)  # the store gives the same object for the same file
def compared(a: RowStatistics, b: RowStatistics) -> DatasetView:
    """Two checkpoints on the same rows.

    Raises:
        ValueError: If they are not the same rows.
    """
    return dataset_view(a, b)


def texts_at_hand(found: RowStatistics) -> tuple[Text, ...]:
    """Texts of the rows that were kept; none if they were not."""
    return store().texts(found.key.rows_digest)


def find_texts(found: RowStatistics, data: str) -> None:
    """Read the texts of rows from a data folder, and keep them.

    Raises:
        CompeconError: If they are not there, or differ from the measured ones.
        OSError: If a file cannot be read, or they cannot be kept.
    """
    store().put_texts(found.key.rows_digest, texts_of(found, Path(data).expanduser()))


def last_folder(task: str) -> str:
    """The data folder of the last run on this task that had one; "" if none had."""
    given = (each.spec.params for each in runs())
    same = (params for params in given if str(params.get("task", "")).partition("?")[0] == task)
    return next((str(params["data"]) for params in same if params.get("data")), "")
