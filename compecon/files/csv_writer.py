"""The one way to write CSV: numbers stay numbers, and no text becomes a formula when a spreadsheet opens the file.

Excel, LibreOffice and Google Sheets run a cell that begins with one of a few characters, quoted or not. Names of
folders, titles of runs and texts may come from anyone, so such a cell gets an apostrophe before it, as OWASP advises
(https://owasp.org/www-community/attacks/CSV_Injection).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO, TypeAlias

from compecon.files.safe_reader import valid_text

Row: TypeAlias = Mapping[str, Any] | Sequence[Any]
_FORMULA = re.compile(r"[\s\0]*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.ASCII)
_LATER = re.compile(r"([,;|\t]\s*)(?=[=+\-@＝＋－＠])")  # in a line of comment, where a cell could begin


def guarded(cell: Any) -> Any:
    """A cell as it may be written: a text that a spreadsheet would run begins with an apostrophe.

    Example:
        >>> [guarded(cell) for cell in ("=1+1", " @x", -1.5, "-1.5e3", "- 3", "a=b", None)]
        ["'=1+1", "' @x", -1.5, '-1.5e3', "'- 3", 'a=b', None]
    """
    if not isinstance(cell, str):
        return cell
    text = re.sub("\r\n?", "\n", valid_text(cell))  # a lone \r is not quoted, and readers begin a line there
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def write_csv(
    stream: TextIO, names: Sequence[str], rows: Iterable[Row], notes: Mapping[str, str] | None = None
) -> None:
    """Write a table with a header, in lines that end in a newline alone.

    Args:
        stream: Where to; a file is opened with ``newline=""``.
        names: Columns, in their order.
        rows: Cells in the order of the columns, or by their names; what is absent or None is an empty cell.
        notes: Where the numbers come from, what and its value: lines of comment before the header.
    """
    for name, value in (notes or {}).items():
        stream.write(f"# {_LATER.sub(_apostrophe, valid_text(' '.join(f'{name}: {value}'.split())))}\n")
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(map(guarded, names))
    for row in rows:
        writer.writerow(map(guarded, map(row.get, names) if isinstance(row, Mapping) else row))


def csv_text(names: Sequence[str], rows: Iterable[Row], notes: Mapping[str, str] | None = None) -> str:
    """The table of `write_csv` as a text."""
    stream = io.StringIO()
    write_csv(stream, names, rows, notes)
    return stream.getvalue()


def _apostrophe(separator: re.Match[str]) -> str:
    return f"{separator[1]}'"
