"""Statistics of rows in a folder, and those that come with compecon: none is made twice. Loads without torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, final

from compecon.evaluation.cached_files import keep, read_kept
from compecon.evaluation.row_records import SCHEMA, RowStatistics, StatisticsKey
from compecon.files.schema import check_schema
from compecon.paths import assets, file_stamp

STATISTICS = "statistics"
MAX_FILE_BYTES = 20_000_000
_TEXTS = "texts-"  # begins the name of a file of texts
Text = tuple[str, str]  # a text, and the second one of a pair or ""


@final
class StatisticsStore:
    """Statistics in a folder, and those that come with compecon.

    Args:
        kept: Folder of measurements, which has one of statistics; None to keep nothing.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self._folder = kept / STATISTICS if kept else None

    def get(self, key: StatisticsKey) -> RowStatistics | None:
        """Statistics, or None if they were not made yet."""
        own = [] if self._folder is None else [self._folder / key.file_name]
        for path in (*own, bundled_folder() / key.file_name):
            found = _cached(path, *file_stamp(path))
            if found is not None and found.key == key:
                return found
        return None

    def put(self, found: RowStatistics) -> None:
        """Keep statistics.

        Raises:
            OSError: If they cannot be written.
        """
        if self._folder is not None:
            write_statistics(found, self._folder)

    def all(self) -> tuple[RowStatistics, ...]:
        """Everything there is, the newest first; what cannot be read is left out and logged."""
        folders = [bundled_folder(), *([self._folder] if self._folder else [])]
        paths = [path for each in folders for path in sorted(each.glob("*.json")) if not path.name.startswith(_TEXTS)]
        found = {each.key: each for path in paths if (each := _cached(path, *file_stamp(path))) is not None}
        return tuple(sorted(found.values(), key=lambda each: -each.measured_at))

    def texts(self, rows_digest: str) -> tuple[Text, ...]:
        """The texts of rows, in their order; none if they were not kept."""
        if not rows_digest.isalnum():
            return ()
        for folder in (*([self._folder] if self._folder else []), bundled_folder()):
            for found in read_kept(folder / f"{_TEXTS}{rows_digest}.json", _texts, MAX_FILE_BYTES):
                return found
        return ()

    def put_texts(self, rows_digest: str, texts: Sequence[Text]) -> None:
        """Keep the texts of rows, once for all checkpoints.

        Raises:
            OSError: If they cannot be written.
        """
        if self._folder is not None and not self.texts(rows_digest):
            content = {"schema": SCHEMA, "texts": [list(each) for each in texts]}
            keep(self._folder / f"{_TEXTS}{rows_digest}.json", content, SCHEMA)


def write_statistics(found: RowStatistics, folder: Path) -> Path:
    """Write statistics to a folder, which is made if it is not there.

    Raises:
        OSError: If they cannot be written.
    """
    path = folder / found.key.file_name
    keep(path, found.written(), SCHEMA)
    return path


def bundled_folder() -> Path:
    """Folder of those that come with compecon."""
    return assets() / STATISTICS


@lru_cache(maxsize=2000)
def _cached(path: Path, _changed: int, size: int) -> RowStatistics | None:
    return next(iter(read_kept(path, RowStatistics.read, MAX_FILE_BYTES)), None) if size else None


def _texts(written: Any) -> tuple[Text, ...]:
    check_schema(written, SCHEMA, "it")
    found = tuple((text, pair) for text, pair in written["texts"])
    if not all(isinstance(part, str) for each in found for part in each):
        raise ValueError("a text is none.")
    return found
