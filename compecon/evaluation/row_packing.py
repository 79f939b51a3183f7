"""A table of small non-negative numbers as text: three digits after the point, two bytes a number, deflated, base 64.

All high bytes come before all low ones, and a column's before the next one's: like beside like deflates best.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

STEP = 1e-3
_LARGEST = 65_535
_MISSING = _LARGEST  # of a text that reads nothing


def packed(table: NDArray[np.floating[Any]]) -> str:
    """Shape (row, column), in [0, 65.534], as text: rounded to a thousandth; larger ones clipped, NaN stays NaN."""
    columns = np.empty(table.shape[::-1], dtype=">u2")
    for place, column in enumerate(table.T):  # one at a time: copies of a whole table would be most of the memory
        whole = np.round(np.clip(column.astype(np.float64), 0, (_LARGEST - 1) * STEP) / STEP)
        columns[place] = np.where(np.isnan(column), _MISSING, whole)
    raw = columns.view(np.uint8).reshape(-1, 2).T.tobytes()
    return base64.b64encode(zlib.compress(raw, 9)).decode("ascii")


def unpacked(text: str, n_rows: int, n_columns: int) -> NDArray[np.float64]:
    """The table again; raises ValueError if the text is none, or of another shape."""
    size = 2 * n_rows * n_columns
    try:
        inflate = zlib.decompressobj()
        raw = inflate.decompress(base64.b64decode(text, validate=True), size + 1)  # never more than asked for
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"a packed table is damaged: {error}.") from error
    if len(raw) != size:
        raise ValueError(f"a packed table does not hold {n_rows} × {n_columns} numbers.")
    halves = np.ascontiguousarray(np.frombuffer(raw, dtype=np.uint8).reshape(2, -1).T)
    table = np.empty((n_rows, n_columns))
    for place, whole in enumerate(halves.view(">u2").reshape(n_columns, n_rows)):
        table[:, place] = np.where(whole == _MISSING, np.nan, whole * STEP)
    return table
