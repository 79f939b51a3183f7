"""A table of small non-negative numbers as text: three digits after the point, two bytes a number, deflated, base 64.

All high bytes come before all low ones, and a column's before the next one's: like beside like deflates best.
"""

from __future__ import annotations

import base64
import binascii
import zlib

import numpy as np
from numpy.typing import NDArray

STEP = 1e-3
_LARGEST = 65_535
_MISSING = _LARGEST  # of a text that reads nothing


def packed(table: NDArray[np.float64]) -> str:
    """Shape (row, column), in [0, 65.534], as text: rounded to a thousandth; larger ones clipped, NaN stays NaN."""
    whole = np.round(np.clip(table, 0, (_LARGEST - 1) * STEP) / STEP)
    columns = np.ascontiguousarray(np.where(np.isnan(table), _MISSING, whole).astype(">u2").T)
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
    whole = halves.view(">u2").reshape(n_columns, n_rows).T
    table: NDArray[np.float64] = np.where(whole == _MISSING, np.nan, whole * STEP)
    return table
