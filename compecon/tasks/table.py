"""Rows of one local file: CSV, TSV, JSON Lines or Parquet, as texts and labels that were looked at one by one.

Text formats are parsed by the standard library, not by `datasets`, which guesses types a chunk at a time, unpacks
archives that pose as text, and keeps a copy in its cache. Here a cell is the text that stands in it, whether it looks
like a number, a missing value or a formula; nothing is fetched, unpacked or run.
"""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from compecon.errors import TaskError
from compecon.tasks.cells import Columns, TableRow, checked

MAX_BYTES = 2_000_000_000
Cells = dict[str, Any]


def table_rows(path: Path, columns: Columns) -> list[TableRow]:
    """Read a file.

    Args:
        path: A .csv (quotes doubled within quotes), .tsv (no quotes), .jsonl or .parquet file, in UTF-8, below 2 GB.
        columns: Which of its columns to read.

    Raises:
        FileNotFoundError: If it is not there.
        TaskError: If it is of another format, too large, damaged or not UTF-8, lacks a column, or has a row whose text
            is empty, not a text, or longer than 100,000 characters, or whose label is missing.
    """
    reader = _reader(path)
    try:
        return [checked(cells, columns, f"{path.name}, row {n}") for n, cells in enumerate(reader(path, columns), 1)]
    except UnicodeDecodeError as error:
        raise TaskError(
            f"{path.name} is not UTF-8 ({error.reason}: {error.object[error.start]:#x}). Save it as UTF-8."
        ) from error


def is_table(path: Path) -> bool:
    """Whether the name of a file ends as that of a format that can be read."""
    return path.suffix.lower() in _READERS


def _reader(path: Path) -> Callable[[Path, Columns], Iterator[Cells]]:
    if not path.is_file():
        raise FileNotFoundError(f"{path} is not a file.")
    if not is_table(path):
        raise TaskError(f"{path.name} ends in {path.suffix or 'nothing'}, expected one of {', '.join(_READERS)}.")
    _limit(path.stat().st_size, path.name)
    return _READERS[path.suffix.lower()]


def _limit(size: int, what: str) -> None:
    if size >= MAX_BYTES:
        raise TaskError(f"{what} has {size / 1e9:.1f} GB, expected less than {MAX_BYTES / 1e9:g} GB. Take fewer rows.")


def _require(columns: Columns, names: list[str], path: Path) -> None:
    absent = [name for name in columns.all if name not in names]
    if absent:
        listed = ", ".join(names[:50]) or "none"
        raise TaskError(f"{path.name} has no column {', '.join(absent)}. It has: {listed}. Name those to read.")
    doubled = [name for name in columns.all if names.count(name) > 1]
    if doubled:
        raise TaskError(f"{path.name} has more than one column {doubled[0]}. Rename one.")


def _delimited(path: Path, columns: Columns, **dialect: Any) -> Iterator[Cells]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True, **dialect)
        try:
            names = next(lines, [])
            _require(columns, names, path)
            for number, fields in enumerate((fields for fields in lines if fields), start=1):
                if len(fields) != len(names):
                    raise TaskError(
                        f"{path.name}, row {number} has {len(fields)} columns, expected {len(names)}. "
                        "Quote texts that hold the separator, or save as JSON Lines."
                    )
                yield dict(zip(names, fields, strict=True))
        except csv.Error as error:
            raise TaskError(f"{path.name}, line {lines.line_num} is not of the format: {error}.") from error


def _csv(path: Path, columns: Columns) -> Iterator[Cells]:
    return _delimited(path, columns)


def _tsv(path: Path, columns: Columns) -> Iterator[Cells]:
    return _delimited(path, columns, delimiter="\t", quoting=csv.QUOTE_NONE)


def _json_lines(path: Path, columns: Columns) -> Iterator[Cells]:
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate((line for line in file if line.strip()), start=1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise TaskError(f"{path.name}, row {number} is not JSON: {error}. Got: {line[:80]!r}") from error
            if not isinstance(row, dict):
                raise TaskError(f"{path.name}, row {number} is {type(row).__name__}, expected an object with columns.")
            if number == 1:
                _require(columns, list(row), path)
            yield {name: row.get(name) for name in columns.all}  # absent later on: missing in that row


def _parquet(path: Path, columns: Columns) -> Iterator[Cells]:
    parquet: Any = importlib.import_module("pyarrow.parquet")  # heavy, and seldom needed; `datasets` brings it
    broken: Any = importlib.import_module("pyarrow").ArrowException
    try:
        with parquet.ParquetFile(path) as file:
            _require(columns, list(file.schema_arrow.names), path)
            size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.num_row_groups))
            _limit(size, f"{path.name}, once unpacked,")
            for batch in file.iter_batches(columns=list(columns.all)):
                yield from batch.to_pylist()
    except (broken, OSError, UnicodeDecodeError) as error:
        raise TaskError(f"{path.name} is damaged: {error}.") from error


_READERS: Mapping[str, Callable[[Path, Columns], Iterator[Cells]]] = {
    ".csv": _csv,
    ".tsv": _tsv,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".parquet": _parquet,
}
