"""Statistics of rows in a folder, and those that come with compecon: none is made twice. Loads without torch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

from typing_extensions import override

from compecon.evaluation.result_store import Key, ResultStore, keep, read_kept
from compecon.evaluation.row_records import SCHEMA, RowStatistics, StatisticsKey
from compecon.files.schema import check_schema
from compecon.paths import assets

STATISTICS = "statistics"
SHOWN_ROWS = 5_000  # at most, of what pages list: they hold 2,000 resamples of the rows
_MANY = "many"  # folder of statistics of more rows
_TEXTS = "texts-"  # begins the name of a file of texts
Text = tuple[str, str]  # a text, and the second one of a pair or ""


@final
class StatisticsStore(ResultStore[RowStatistics]):
    """Statistics in a folder, and those that come with compecon; beside them, the texts of rows.

    Those of more than `SHOWN_ROWS` rows can be looked up, but are not listed, and their texts are not kept.

    Args:
        kept: Folder of measurements, which has one of statistics; None to store nothing.
    """

    def __init__(self, kept: Path | None = None) -> None:
        super().__init__(kept / STATISTICS if kept else None, assets() / STATISTICS, RowStatistics.read, SCHEMA)

    @override
    def all(self) -> tuple[RowStatistics, ...]:
        """Everything there is, the newest first; what cannot be read is left out and logged."""
        return tuple(sorted(super().all(), key=lambda each: -each.measured_at))

    @override
    def _name(self, key: Key) -> str:
        is_large = isinstance(key, StatisticsKey) and key.n_rows > SHOWN_ROWS
        return f"{_MANY}/{key.file_name}" if is_large else key.file_name

    @override
    def _paths(self) -> Iterator[Path]:
        return (path for path in super()._paths() if not path.name.startswith(_TEXTS))

    def texts(self, rows_digest: str) -> tuple[Text, ...]:
        """The texts of rows, in their order; none if they were not kept."""
        if not rows_digest.isalnum():
            return ()
        for folder in (*([self._folder] if self._folder else []), self._bundled):
            for found in read_kept(folder / f"{_TEXTS}{rows_digest}.json", _texts):
                return found
        return ()

    def put_texts(self, rows_digest: str, texts: Sequence[Text]) -> None:
        """Keep the texts of rows, unless they are many, once for all; raises OSError if they cannot be written."""
        if self._folder is not None and len(texts) <= SHOWN_ROWS and not self.texts(rows_digest):
            content = {"schema": SCHEMA, "texts": [list(each) for each in texts]}
            keep(self._folder / f"{_TEXTS}{rows_digest}.json", content, SCHEMA)


def write_statistics(found: RowStatistics, folder: Path) -> Path:
    """Write statistics to a folder, made if it is not there; raises OSError if they cannot be written."""
    path = folder / found.key.file_name
    keep(path, found.written(), SCHEMA)
    return path


def _texts(written: Any) -> tuple[Text, ...]:
    check_schema(written, SCHEMA, "it")
    found = tuple((text, pair) for text, pair in written["texts"])
    if not all(isinstance(part, str) for each in found for part in each):
        raise ValueError("a text is none.")
    return found
