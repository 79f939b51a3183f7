"""One reader of CSV, TSV and JSON Lines, for tasks, for queries and for points of a sweep.

A cell is the text that stands in it, whether it looks like a number, a missing value or a formula; nothing is fetched
or run. How a file is written is decided in one way (see `dialects` and `encodings`) and returned with the rows, so that
it can be shown; rows that do not fit are returned with what is wrong with them, so that all problems can be reported.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TextIO, final

from compecon.errors import CompeconError
from compecon.files.safe_reader import open_file, read_stream
from compecon.tables.dialects import HEADER, Columns, Source, dialect_of, records, require
from compecon.tables.encodings import archive_of, as_text, encoding_of, known_encoding, shown, undecodable
from compecon.tables.problems import Problem

DELIMITED = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
ENDINGS = (*DELIMITED, *JSON_LINES)
_BEGINNING = 4096  # bytes


@final
@dataclass(frozen=True)
class Row:
    """A row, or what is wrong with it."""

    where: str  # file and line: ``reviews.csv, line 12``
    cells: Mapping[str, Any]  # by the wanted names, then by the file's own
    problem: Problem | None = None  # why there are no cells; None if there are


@final
@dataclass(frozen=True)
class Table:
    """A file as it was understood."""

    form: str  # how it is written, in words
    columns: Columns  # its columns; those of its first row if it is JSON Lines
    rows: Iterator[Row]  # each row, read when it is needed, once


_Check = Callable[[Columns], None]
_Parts = tuple[str, Columns, Iterator[Row]]  # of a `Table`


def read_table(  # noqa: PLR0913 - what a caller says about a file, each with its own name
    path: Path,
    wanted: Sequence[str],
    *,
    limit: int,
    error: type[CompeconError],
    encoding: str = "",
    cure: str = HEADER,
    optional: Sequence[str] = (),
) -> Table:
    """Read a file whose name ends in one of `ENDINGS`, or in one of them and .gz.

    Args:
        path: The file; a regular one.
        wanted: Columns that it must have; empty if any will do, each once.
        limit: Most bytes that it may have, unpacked.
        error: What to raise.
        encoding: As stated by a person; "" for what the file itself says.
        cure: What to do if a column is absent, a sentence.
        optional: More columns that are found whatever the case of their names, if they are there.

    Raises:
        FileNotFoundError: If it is not there.
        CompeconError: Of the type `error`, if it is of another format, damaged, too large, in another encoding, or
            lacks a column. The same while the rows are read.
    """
    ending = ending_of(path.name)
    if ending not in ENDINGS:
        raise error(f"{path.name} ends in {ending or 'nothing'}, expected one of {', '.join(ENDINGS)}.")
    raw = _source(path, limit, error)
    with closing(raw()) as stream:
        beginning = stream.read(_BEGINNING)
    if archive := archive_of(beginning):
        raise error(f"{path.name} is {archive}, not text. Unpack it, or save it as CSV.")
    found = known_encoding(encoding, error) if encoding else encoding_of(beginning)

    def text() -> TextIO:
        return as_text(raw(), found)

    @contextmanager
    def decoding() -> Iterator[None]:
        try:
            yield
        except UnicodeError as bad:
            with closing(raw()) as stream:
                raise error(undecodable(stream, path.name, found)) from bad

    def guarded(rows: Iterator[Row]) -> Iterator[Row]:
        with decoding():
            yield from rows

    check = partial(require, wanted=wanted, name=path.name, error=error, cure=cure)
    with decoding():
        if ending in JSON_LINES:
            form, columns, rows = _json_lines(path.name, text, (*wanted, *optional), check)
        else:
            form, columns, rows = _delimited(path.name, text, DELIMITED[ending], (*wanted, *optional), check)
    return Table(f"{shown(found)}, {form}", columns, guarded(rows))


def ending_of(name: str) -> str:
    """The ending of a file's name in lower case, packed or not: ``.csv`` of ``a.CSV.gz``."""
    return Path(name.lower().removesuffix(".gz")).suffix


def _source(path: Path, limit: int, error: type[CompeconError]) -> Callable[[], BinaryIO]:
    """Opens the file again and again, from its beginning; a packed one is unpacked once."""
    try:
        with open_file(path, error=error) as file:
            if path.suffix.lower() == ".gz":
                content = read_stream(gzip.GzipFile(fileobj=file), limit, path.name, error=error)  # type: ignore[arg-type]
                return lambda: io.BytesIO(content)
            if (size := file.seek(0, io.SEEK_END)) >= limit:
                raise error(f"{path.name} has {_size(size)}, expected less than {_size(limit)}. Take fewer rows.")
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zlib.error) as bad:
        raise error(f"{path.name} cannot be read: {bad}.") from bad
    return lambda: open_file(path, error=error)


def _size(n_bytes: int) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:g} MB"


def _delimited(name: str, text: Source, usual: str, wanted: Sequence[str], check: _Check) -> _Parts:
    dialect, columns = dialect_of(text, usual, wanted)
    if not wanted:
        columns = Columns.of(columns.names, columns.names)
    check(columns)
    named = [*columns.found.items(), *((each, each) for each in columns.names if each not in columns.found.values())]
    places = {asked: columns.names.index(each) for asked, each in named}
    cure = "Put quotes around cells that hold the separator, or save as JSON Lines."

    def rows() -> Iterator[Row]:
        with closing(text()) as stream:
            lines = records(stream, dialect)
            next(lines, None)
            for number, fields in lines:
                where = f"{name}, line {number}"
                if isinstance(fields, str):
                    yield _bad(where, fields, cure)
                elif len(fields) != len(columns.names):
                    yield _bad(where, f"{len(fields)} cells, expected {len(columns.names)}", cure)
                else:
                    yield Row(where, {asked: fields[place] for asked, place in places.items()})

    return str(dialect), columns, rows()


def _json_lines(name: str, text: Source, wanted: Sequence[str], check: _Check) -> _Parts:
    with closing(text()) as stream:
        first = next(_objects(stream, name), None)
    if first is not None and first.problem is not None:
        columns = Columns((), {each: each for each in wanted})  # unknown
    else:
        columns = Columns.of([] if first is None else [str(each) for each in first.cells], wanted)
        check(columns)

    def rows() -> Iterator[Row]:
        with closing(text()) as stream:
            for row in _objects(stream, name):
                asked = {each: row.cells.get(name) for each, name in columns.found.items()}
                others = {key: cell for key, cell in row.cells.items() if key not in columns.found.values()}
                yield Row(row.where, {**asked, **others}, row.problem)

    return "an object a line", columns, rows()


def _objects(stream: TextIO, name: str) -> Iterator[Row]:
    """Every line that is not blank; lines end in a line feed alone, as JSON may hold other line ends."""
    stream.reconfigure(newline="\n")  # type: ignore[attr-defined]
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        where, cure = f"{name}, line {number}", "Write one object in each line."
        try:
            row = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as bad:
            why = "it is nested too deeply" if isinstance(bad, RecursionError) else str(bad)[:100]
            yield _bad(where, f"not JSON: {why}, got {line[:60]!r}", cure)
            continue
        if isinstance(row, dict):
            yield Row(where, row)
        else:
            yield _bad(where, f"{type(row).__name__}, expected an object with columns", cure)


def _bad(where: str, what: str, cure: str) -> Row:
    return Row(where, {}, Problem(where, what, cure))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("it has a column twice")
    return row
