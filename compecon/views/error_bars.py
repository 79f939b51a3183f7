"""Error bars of a Plotly trace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def error_bars(
    values: Sequence[float],
    lows: Sequence[float | None],
    highs: Sequence[float | None],
    *,
    thickness: float = 1,
    **style: Any,
) -> dict[str, Any]:
    """Bars from the lower to the upper ends of intervals; none where an end is unknown, and none that point inwards.

    Args:
        values: What the bars go around, in the axis' unit.
        lows: Lower ends.
        highs: Upper ends.
        thickness: In pixels.
        style: Other properties of Plotly's error bars, such as the width of their caps.
    """
    return {
        "type": "data",
        "symmetric": False,
        "array": [0.0 if high is None else max(0.0, high - value) for value, high in zip(values, highs, strict=True)],
        "arrayminus": [0.0 if low is None else max(0.0, value - low) for value, low in zip(values, lows, strict=True)],
        "thickness": thickness,
        **style,
    }
