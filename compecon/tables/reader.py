"""One reader of CSV, TSV and JSON Lines, for tasks, for queries and for points of a sweep.

A cell is the text that stands in it, whether it looks like a number, a missing value or a formula; nothing is fetched
or run. How the file is written is decided in one way (see `dialects` and `encodings`) and handed back with the rows, so
that it can be shown; rows that do not fit are handed back with what is wrong with them, so that all of it can be said.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TextIO, final

from compecon.errors import CompeconError
from compecon.files.safe_reader import open_file, read_stream
from compecon.tables.dialects import HEADER, Columns, dialect_of, records, require
from compecon.tables.encodings import archive_of, as_text, encoding_of, known_encoding, shown, undecodable
from compecon.tables.problems import Problem

DELIMITED = {".csv": ",", ".tsv": "\t"}
JSON_LINES = (".jsonl", ".ndjson")
ENDINGS = (*DELIMITED, *JSON_LINES)
_BEGINNING = 4096


@final
@dataclass(frozen=True)
class Row:
    """A row, or what is wrong with it.

    Attributes:
        where: File and line: ``reviews.csv, line 12``.
        cells: By the names that were asked for, then by the file's own.
        problem: Why there are no cells; None if there are.
    """

    where: str
    cells: Mapping[str, Any]
    problem: Problem | None = None


@final
@dataclass(frozen=True)
class Table:
    """A file as it was understood.

    Attributes:
        name: Of the file.
        form: How it is written, in words.
        columns: Its columns; those of its first row if it is JSON Lines.
        rows: Each row, read as it is asked for, once.
    """

    name: str
    form: str
    columns: Columns
    rows: Iterator[Row]


def read_table(
    path: Path,
    wanted: Sequence[str],
    *,
    limit: int,
    error: type[CompeconError],
    encoding: str = "",
    cure: str = HEADER,
) -> Table:
    """Read a file that ends in one of `ENDINGS`, perhaps packed, with .gz behind it.

    Args:
        path: The file; a regular one.
        wanted: Columns that it must have; empty if any will do, each once.
        limit: Bytes that it may have, unpacked.
        error: What to raise.
        encoding: What a person says that it is; "" for what the file itself says.
        cure: What to do where a column is absent, a sentence.

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
        raise error(f"{path.name} is {archive}, and no text. Unpack it, or save it as CSV.")
    found = known_encoding(encoding, error) if encoding else encoding_of(beginning)

    def text() -> TextIO:
        return as_text(raw(), found)

    make = _json_lines if ending in JSON_LINES else _delimited
    try:
        about = (shown(found), _guarded(raw, path.name, found, error), error, cure)
        return make(path.name, ending, text, wanted, about)
    except UnicodeError as bad:
        raise error(_why(raw, path.name, found)) from bad


def ending_of(name: str) -> str:
    """What a file's name ends in, lower case, packed or not: ``.csv`` of ``a.CSV.gz``."""
    return Path(name.lower().removesuffix(".gz")).suffix


_About = tuple[str, Callable[[Iterator[Row]], Iterator[Row]], type[CompeconError], str]


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


def _guarded(
    raw: Callable[[], BinaryIO], name: str, encoding: str, error: type[CompeconError]
) -> Callable[[Iterator[Row]], Iterator[Row]]:
    def guarded(rows: Iterator[Row]) -> Iterator[Row]:
        try:
            yield from rows
        except UnicodeError as bad:
            raise error(_why(raw, name, encoding)) from bad

    return guarded


def _why(raw: Callable[[], BinaryIO], name: str, encoding: str) -> str:
    with closing(raw()) as stream:
        return undecodable(stream, name, encoding)


def _delimited(name: str, ending: str, text: Callable[[], TextIO], wanted: Sequence[str], about: _About) -> Table:
    (encoding, guarded, error, missing), usual = about, DELIMITED[ending]
    dialect, columns = dialect_of(text, usual, wanted)
    if not wanted:
        columns = Columns.of(columns.names, columns.names)
    require(columns, wanted, name, error, missing)
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
                    yield Row(where, {}, Problem(where, fields, cure))
                elif len(fields) != len(columns.names):
                    what = f"{len(fields)} cells, expected {len(columns.names)}"
                    yield Row(where, {}, Problem(where, what, cure))
                else:
                    yield Row(where, {asked: fields[place] for asked, place in places.items()})

    return Table(name, f"{encoding}, {dialect}", columns, guarded(rows()))


def _json_lines(name: str, _ending: str, text: Callable[[], TextIO], wanted: Sequence[str], about: _About) -> Table:
    encoding, guarded, error, missing = about
    with closing(text()) as stream:
        first = next(_objects(stream, name), None)
    if first is not None and first.problem is not None:
        columns = Columns((), {each: each for each in wanted})  # nothing can be told of them
    else:
        columns = Columns.of([] if first is None else [str(each) for each in first.cells], wanted)
        require(columns, wanted, name, error, missing)

    def rows() -> Iterator[Row]:
        with closing(text()) as stream:
            for row in _objects(stream, name):
                asked = {each: row.cells.get(columns.found[each]) for each in wanted}
                others = {key: cell for key, cell in row.cells.items() if key not in columns.found.values()}
                yield Row(row.where, {**asked, **others}, row.problem)

    return Table(name, f"{encoding}, an object a line", columns, guarded(rows()))


def _objects(stream: TextIO, name: str) -> Iterator[Row]:
    """Every line with something in it; lines end in a line feed alone, as JSON may hold other line ends."""
    for number, line in enumerate(_lines(stream), start=1):
        if not line.strip():
            continue
        where = f"{name}, line {number}"
        try:
            row = json.loads(line, object_pairs_hook=_once)
        except (ValueError, RecursionError) as bad:
            why = "it is nested too deep" if isinstance(bad, RecursionError) else str(bad)[:100]
            what = f"not JSON: {why}, got {line[:60]!r}"
            yield Row(where, {}, Problem(where, what, "Write one object in each line."))
            continue
        if isinstance(row, dict):
            yield Row(where, row)
        else:
            what = f"{type(row).__name__}, expected an object with columns"
            yield Row(where, {}, Problem(where, what, "Write one object in each line."))


def _lines(stream: TextIO) -> Iterator[str]:
    stream.reconfigure(newline="\n")  # type: ignore[attr-defined]
    return iter(stream)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("it has a column twice")
    return row
