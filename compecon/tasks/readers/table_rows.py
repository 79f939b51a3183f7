"""Rows of one local file: CSV, TSV, JSON Lines or Parquet, as texts and labels that were looked at one by one.

Text formats are read by `compecon.tables`, not by `datasets`, which guesses types a chunk at a time, unpacks archives
that pose as text, and keeps a copy in its cache.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.errors import TaskError
from compecon.files.safe_reader import open_file
from compecon.tables.dialects import Columns as Places
from compecon.tables.dialects import require
from compecon.tables.problems import Problem
from compecon.tables.reader import ENDINGS, Row, Table
from compecon.tables.reader import read_table as read_text_table
from compecon.tasks.readers.cells import Columns, TableRow, problems_of, row_of

MAX_BYTES = 2_000_000_000
_PARQUET = ".parquet"
KNOWN = (*ENDINGS, _PARQUET)
_NAME_IT = "Name the columns after the path, as '?text=COLUMN&label=COLUMN', or in the first line of the file."


@final
@dataclass(frozen=True)
class Found:
    """Rows of one file or several, and what is wrong with others."""

    files: tuple[str, ...]  # name, form and columns of each file that was read, in a line
    rows: tuple[TableRow, ...]  # rows that can be used
    problems: tuple[Problem, ...]  # what is wrong with those that cannot
    n_bad: int  # how many these are

    @classmethod
    def joined(cls, parts: Iterable[Found]) -> Found:
        """Several files, one after the other."""
        parts = list(parts)
        return cls(
            tuple(each for part in parts for each in part.files),
            tuple(each for part in parts for each in part.rows),
            tuple(each for part in parts for each in part.problems),
            sum(part.n_bad for part in parts),
        )


def table_rows(path: Path, columns: Columns, encoding: str = "") -> Found:
    """Read a file: its rows, without those that cannot be used, and what is wrong with these.

    Args:
        path: A .csv, .tsv, .jsonl or .parquet file, below 2 GB; see `compecon.tables` for how text is read.
        columns: Which of its columns to read.
        encoding: As stated by a person; "" for what the file itself says.

    Raises:
        FileNotFoundError: If it is not there.
        TaskError: If it is of another format, too large, damaged, in another encoding, or lacks a column.
    """
    table = _opened(path, columns, encoding)
    rows, problems, n_bad = list[TableRow](), [], 0
    for row in table.rows:
        wrong = [row.problem] if row.problem else problems_of(row.cells, columns, row.where)
        problems += wrong
        if wrong:
            n_bad += 1
        else:
            rows.append(row_of(row.cells, columns, row.where))
    names = {asked: table.columns.found[asked] for asked in columns.all}
    shown = ", ".join(asked if asked == name else f"{asked} = {name!r}" for asked, name in names.items())
    return Found((f"{path.name}: {table.form}; columns {shown}",), tuple(rows), tuple(problems), n_bad)


def is_table(path: Path) -> bool:
    """Whether the ending of a file's name is that of a format that can be read."""
    return path.suffix.lower() in KNOWN


def _opened(path: Path, columns: Columns, encoding: str) -> Table:
    if not path.exists():
        raise FileNotFoundError(f"{path} is not a file.")
    if not is_table(path):
        raise TaskError(f"{path.name} ends in {path.suffix or 'nothing'}, expected one of {', '.join(KNOWN)}.")
    if path.suffix.lower() == _PARQUET:
        return _parquet(path, columns)
    return read_text_table(path, columns.all, limit=MAX_BYTES, error=TaskError, encoding=encoding, cure=_NAME_IT)


def _parquet(path: Path, columns: Columns) -> Table:
    parquet: Any = importlib.import_module("pyarrow.parquet")  # heavy, and seldom needed; `datasets` brings it
    broken: Any = importlib.import_module("pyarrow").ArrowException
    _limit(path.stat().st_size, path.name)
    try:
        with open_file(path, error=TaskError) as raw, parquet.ParquetFile(raw) as file:
            found = Places.of(list(file.schema_arrow.names), columns.all)
            require(found, columns.all, path.name, TaskError, _NAME_IT)
            size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
            _limit(size, f"{path.name}, once unpacked,")
    except (broken, OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path.name} is damaged: {error}.") from error

    def rows() -> Iterator[Row]:
        names = {name: asked for asked, name in found.found.items()}
        try:
            with open_file(path, error=TaskError) as raw, parquet.ParquetFile(raw) as file:
                number = 0
                for batch in file.iter_batches(columns=list(names)):
                    for cells in batch.to_pylist():
                        number += 1
                        yield Row(f"{path.name}, row {number}", {names[name]: cell for name, cell in cells.items()})
        except (broken, OSError, UnicodeDecodeError) as error:
            raise TaskError(f"{path.name} is damaged: {error}.") from error

    return Table("Parquet", found, rows())


def _limit(size: int, what: str) -> None:
    if size >= MAX_BYTES:
        raise TaskError(f"{what} has {size / 1e9:.1f} GB, expected less than {MAX_BYTES / 1e9:g} GB. Take fewer rows.")
