"""How the characters of a file are stored: as the file itself says, or a person; it is never guessed.

A byte order mark, or the zeros of UTF-16, say it; anything else is UTF-8. Bytes that are not UTF-8 may be in one of
dozens of encodings, all of which can be read and mean other letters, so such a file is refused with what it may be.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable
from typing import BinaryIO, TextIO

from compecon.errors import CompeconError

_MARKS = {  # the longer ones first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_ARCHIVES = {
    b"\x1f\x8b": "packed (gzip)", b"PK\x03\x04": "a zip archive, perhaps a spreadsheet", b"BZh": "packed (bzip2)",
    b"\xfd7zXZ\0": "packed (xz)", b"7z\xbc\xaf\x27\x1c": "a 7z archive", b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"PAR1": "a Parquet file", b"\x28\xb5\x2f\xfd": "packed (zstd)", b"SQLite format 3\0": "a SQLite database",
}  # fmt: skip
_LOOKED_AT = 4096
_FEW = 0.02  # of every second byte of UTF-16 text in Latin letters, that may be no zero
_CONTROL = frozenset(range(32)) - set(b"\t\n\f\r\x1a")
_WESTERN = "cp1252"


def encoding_of(beginning: bytes) -> str:
    """The encoding that the first few thousand bytes of a file indicate, as Python calls it; UTF-8 by default."""
    for mark, name in _MARKS.items():
        if beginning.startswith(mark):
            return name
    looked_at = beginning[:_LOOKED_AT]
    even, odd = (half.count(0) / max(1, len(half)) for half in (looked_at[::2], looked_at[1::2]))
    if odd > 0.5 and even < _FEW:
        return "utf-16-le"
    return "utf-16-be" if even > 0.5 and odd < _FEW else "utf-8"


def archive_of(beginning: bytes) -> str:
    """What kind of binary file this is by its first 16 bytes, or all; "" if it may be text."""
    return next((name for mark, name in _ARCHIVES.items() if beginning.startswith(mark)), "")


def known_encoding(said: str, error: type[CompeconError]) -> str:
    """An encoding that a person named, as Python calls it; raises `error` if Python knows no such text encoding."""
    try:
        return as_text(io.BytesIO(), said).encoding
    except (LookupError, ValueError) as bad:
        raise error(f"encoding={said} is not a text encoding. Give one such as utf-8, utf-16 or cp1252.") from bad


def shown(encoding: str) -> str:
    """An encoding for people."""
    marks = {"utf-8-sig": "UTF-8 with a byte order mark", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}
    return marks.get(encoding, encoding.upper() if encoding.startswith("utf") else encoding)


def as_text(stream: BinaryIO, encoding: str) -> TextIO:
    """An open file as text, with its line ends as they are."""
    return io.TextIOWrapper(stream, encoding=encoding, newline="")


def undecodable(stream: Iterable[bytes], name: str, encoding: str) -> str:
    """Why the lines of a file, from its beginning, are not in an encoding, and what it may be in instead."""
    what, number, decoder = shown(encoding), 0, codecs.getincrementaldecoder(encoding)()
    for number, line in enumerate(stream, start=1):
        try:
            decoder.decode(line)
        except UnicodeDecodeError as bad:
            where = f"{name}, line {number} is not {what}: byte {bad.object[bad.start]:#04x}"
            letters = _as_western(line)
            if not letters or not encoding.startswith("utf-8"):
                return f"{where} ({bad.reason}). Save it as UTF-8, or state its encoding with encoding=..."
            return (
                f"{where}. If {letters!r} is right, give encoding={_WESTERN}; otherwise save it as UTF-8, or "
                "state its encoding."
            )
    return f"{name} is not {what}: it ends within a character, in line {number}. Save it as UTF-8."


def _as_western(line: bytes) -> str:
    """What surrounds the first non-ASCII letter of a line in the encoding of Western Windows; "" if it is not in it."""
    if _CONTROL & set(line):
        return ""
    try:
        text = line.decode(_WESTERN).strip()
    except UnicodeDecodeError:
        return ""
    place = next((place for place, letter in enumerate(text) if not letter.isascii()), 0)
    return text[max(0, place - 10) : place + 10]
