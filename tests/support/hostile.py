"""Content that breaks readers: damaged, huge in a small way, of another type, or no regular file at all."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

NAMES = [
    "plain",
    "caf\udce9",
    "\udcff\udcfe",
    "semi;colon & <b>",
    "日本 😀",
    "line\nbreak",
    "=1+1",
    "%2e%2e",
    "a" * 200,
]
DEEP = [("[" * n + "]" * n).encode() for n in (50, 200, 900, 50_000)] + [
    b'{"a":' * n + b"1" + b"}" * n for n in (60, 900)
]
RAW = [
    *DEEP, b"", b"\0", b"{", b"null", b"[]", b"3", b'"x"', b"NaN", b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}",
    b'{"a":1,"a":2}',     b"\xff" * 100, b'{"a": 1e999}', b'{"a": ' + b"9" * 5000 + b"}",
    b" " * 2_000_000, b"\n" * 1000, b"{}\n[]\nnull\n",
    b'{"\\ud800": "\\udfff"}',
]  # fmt: skip

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**25), 10**25) | st.floats() | st.text(max_size=8)
    | st.sampled_from(["\ud800", "=cmd", "\x00", "../..", "a" * 5000, 10**300, -0.0, 2**63, "NaN", [], {}]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def pipe(path: Path) -> None:
    """A pipe that nobody writes to."""
    os.mkfifo(path)


NO_FILES: list[Callable[[Path], object]] = [
    pipe,
    Path.mkdir,
    lambda path: path.symlink_to("/dev/zero"),
    lambda path: path.symlink_to(path.name),
    lambda path: path.symlink_to("nowhere"),
]


def changed(good: Any) -> st.SearchStrategy[bytes]:
    """JSON that is right but for one entry, anywhere in it, which is missing or of any type."""

    def places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
        return [here, *(place for key, item in inner for place in places(item, (*here, key)))][:200]

    def put(place: tuple[Any, ...], value: Any) -> bytes:
        whole = json.loads(json.dumps(good))
        if not place:
            return json.dumps(value).encode()
        at = whole
        for key in place[:-1]:
            at = at[key]
        at[place[-1]] = value
        return json.dumps(whole).encode()

    return st.builds(put, st.sampled_from(places(good)), values)


def spoiled(good: Any = None) -> st.SearchStrategy[bytes | Callable[[Path], object]]:
    """What may stand in the place of a file that should hold this JSON."""
    any_file = st.sampled_from([*RAW, *NO_FILES]) | st.binary(max_size=50)
    return any_file if good is None else any_file | changed(good) | changed(good)


def put(path: Path, content: bytes | Callable[[Path], object]) -> None:
    """Write content, or make what is no file, in the place of whatever is there."""
    path.unlink(missing_ok=True)
    if callable(content):
        content(path)
    else:
        path.write_bytes(content)
