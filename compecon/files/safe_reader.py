"""Reading files that anyone may have written: nothing blocks, nothing is endless, and what is returned is sound.

A path may turn out to be a pipe, a device or a link to one; a file may be huge, in another encoding, or hold JSON that
parses and then breaks whatever walks over it (too deep, the same key twice, NaN, half a surrogate pair). All of that is
refused here in one sentence, or made valid, so that no caller has to think of it. Every function raises `error`, a
`CompeconError`, for what it refuses, and OSError for what cannot be opened or read.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import stat
import time
from collections import Counter
from pathlib import Path
from typing import Any, BinaryIO

from compecon.errors import CompeconError, FileError

MEGABYTE = 1 << 20
MAX_DEPTH = 64  # of nested arrays and objects; what json.loads accepts is too deep for json.dumps, repr and deepcopy
_MAX_DIGITS = 300  # of a number; with more, float() overflows
_PATIENCE_S = 60.0  # a network drive may trickle for ever
_FLAGS = ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY")
_ENCODINGS = {  # beginnings that are not UTF-8; the longer ones first, because UTF-32's begins with UTF-16's
    b"\xff\xfe\0\0": "UTF-32", b"\0\0\xfe\xff": "UTF-32", b"\xff\xfe": "UTF-16", b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "a gzip archive", b"PK\x03\x04": "a zip archive",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAYBE_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(r"\\(?:(u[dD][89abAB]..\\u[dD][c-fC-F]..)|(u[dD][89a-fA-F]..)|.)", re.DOTALL)


def open_file(path: Path, *, error: type[CompeconError] = FileError, follow: bool = True) -> BinaryIO:
    """Open a regular file for reading without ever waiting for it; with `follow=False`, not through a symbolic link."""
    flags = os.O_RDONLY | (0 if follow else getattr(os, "O_NOFOLLOW", 0))
    for flag in _FLAGS:
        flags |= getattr(os, flag, 0)
    try:
        mode = path.stat().st_mode
    except ValueError as bad:  # a NUL byte, or characters that no name has
        raise error(f"{shown(path)!r} is not a path: {bad}.") from bad
    _check_regular(path, mode, error)  # before opening it, which does something to some devices
    descriptor = os.open(path, flags)
    try:
        _check_regular(path, os.fstat(descriptor).st_mode, error)
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def read_bytes(path: Path, limit: int, *, error: type[CompeconError] = FileError) -> bytes:
    """Content of a regular file of at most `limit` bytes, refused if reading it takes more than a minute."""
    with open_file(path, error=error) as stream:
        return read_stream(stream, limit, shown(path), error=error)


def read_stream(stream: BinaryIO, limit: int, name: str, *, error: type[CompeconError] = FileError) -> bytes:
    """The rest of a file from :func:`open_file`, as :func:`read_bytes` reads it; messages call it `name`."""
    parts, left, until = [], limit + 1, time.monotonic() + _PATIENCE_S
    while left and (part := stream.read(min(left, MEGABYTE))):
        parts.append(part)
        left -= len(part)
        if time.monotonic() > until:
            raise error(f"{name} took more than {_PATIENCE_S:g} s to read. Copy it to a local disk.")
    if not left:
        raise error(f"{name} has more than the {limit:,} bytes accepted.")
    return b"".join(parts)


def sha256_of(stream: BinaryIO) -> str:
    """Digest of the rest of an open file, in hexadecimal."""
    return hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]  # BinaryIO lacks `readinto`


def read_text(path: Path, limit: int) -> str:
    """Text of a regular file in UTF-8, with or without a byte order mark."""
    return decode(read_bytes(path, limit), shown(path))


def read_json(path: Path, limit: int, *, error: type[CompeconError] = FileError) -> Any:
    """Value of a JSON file, as :func:`parse_json` reads it."""
    return parse_json(read_bytes(path, limit, error=error), shown(path), error=error)


def decode(raw: bytes, name: str, *, error: type[CompeconError] = FileError) -> str:
    """Text of bytes in UTF-8, without its byte order mark; another encoding is named if it can be recognised."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as bad:
        what = next((what for start, what in _ENCODINGS.items() if raw.startswith(start)), "")
        found = f"it is {what}" if what else f"byte {bad.start:,} is {raw[bad.start]:#04x}"
        raise error(f"{name} is not UTF-8: {found}. Save it as UTF-8.") from bad
    if "\0" in text[:4]:  # the first letters of UTF-16 or UTF-32 without a mark
        raise error(f"{name} is not UTF-8: it looks like UTF-16 or UTF-32. Save it as UTF-8.")
    return text


def parse_json(content: bytes | str, name: str, *, error: type[CompeconError] = FileError) -> Any:
    """A JSON value that can be walked over, shown and written again.

    Half a surrogate pair becomes U+FFFD. Refused are more than `MAX_DEPTH` levels, a key twice in one object, numbers
    that are not finite, and whatever JSON itself forbids.
    """
    text = content if isinstance(content, str) else decode(content, name, error=error)
    try:
        value = _DECODER.decode(_ESCAPE.sub(_whole, text) if _MAYBE_HALF.search(text) else text)
        too_deep = _is_deeper(value, MAX_DEPTH)
    except RecursionError:
        too_deep = True
    except ValueError as bad:
        raise error(f"{name} is not valid JSON: {bad}.") from bad
    if too_deep:
        raise error(f"{name} is not accepted as JSON: it is nested more than {MAX_DEPTH} levels deep.")
    return value


def parse_object(content: bytes | str, name: str, *, error: type[CompeconError] = FileError) -> dict[str, Any]:
    """A JSON object, as :func:`parse_json` reads it."""
    value = parse_json(content, name, error=error)
    if not isinstance(value, dict):
        raise error(f"{name} holds a {type(value).__name__} where a JSON object is expected.")
    return value


def valid_text(text: str) -> str:
    r"""The same text with surrogates written out, as in names of files that are not UTF-8.

    Example:
        >>> valid_text("caf\udce9")
        'caf\\udce9'
    """
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def is_valid_text(text: str) -> bool:
    """Whether a text can be written as UTF-8."""
    return _SURROGATE.search(text) is None


def shown(name: str | Path) -> str:
    r"""A name from outside as one line for people: what cannot be printed is written out.

    Example:
        >>> shown("two\nlines of caf\udce9")
        'two\\nlines of caf\\udce9'
    """
    text = str(name)
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def sentence_of(error: Exception) -> str:
    """What to say of an error where one bad file must not hide the others: one line of valid text.

    Errors raised on purpose speak for themselves; of others, the kind and the first line.
    """
    if isinstance(error, CompeconError):
        return shown(str(error))
    first = str((isinstance(error, OSError) and error.strerror) or error).strip().split("\n")[0][:200]
    return shown(f"It cannot be read ({type(error).__name__}{first and ': '}{first}).")


def _check_regular(path: Path, mode: int, error: type[CompeconError]) -> None:
    if not stat.S_ISREG(mode):
        raise error(f"{shown(path)} is not a regular file (a folder, a pipe or a device). Replace it.")


def _whole(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape[2] else escape[0]


def _is_deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most):
        inner = (each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list))
        level = [each for values in inner for each in values if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        repeated, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"the key {repeated[:80]!r} appears twice")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a finite number")
    return value


def _whole_number(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise ValueError(f"a number has {len(text):,} digits")
    return int(text)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is not a finite number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_finite, parse_int=_whole_number, parse_constant=_no_number
)
