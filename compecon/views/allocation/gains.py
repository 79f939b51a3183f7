"""What allocating at one price gains on the measured streams, for the same total as equal budgets."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from compecon.allocation.streams.bundled_streams import PREDICTED, list_streams, streams_root
from compecon.allocation.streams.predicted_value import Gain
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.stats.intervals import Interval
from compecon.views.spans import signed

_SCALES = {"MACs": (1e6, "million MACs"), "keys": (1.0, "keys read")}


@cache
def measured_gains() -> tuple[Gain, ...]:
    """The gains that come with the measured streams; none without their file."""
    file = streams_root() / PREDICTED
    if not file.is_file():
        return ()
    rows = read_json(file, MEGABYTE)
    parts = ("hindsight", "thresholds", "chances")
    return tuple(Gain(**{**row, **{name: Interval(*row[name]) for name in parts}}) for row in rows)


def scale_of(stream: str) -> tuple[float, str]:
    """What to divide budgets of a stream by to show them, and the unit that they then have."""
    unit = next((entry.unit for entry in list_streams() if entry.name == stream), "")
    return _SCALES.get(unit, (1.0, unit))


def gains_of(stream: str) -> tuple[Gain, ...]:
    """The gains on one stream, the smallest budget first."""
    return tuple(gain for gain in measured_gains() if gain.stream == stream)


def gain_sentence(found: Sequence[Gain]) -> str:
    """The gain at a stream's second smallest budget, in a few sentences; at the smallest there is little to choose."""
    gain = found[min(1, len(found) - 1)]
    scale, unit = scale_of(gain.stream)
    return (
        f"{gain.stream}: with {gain.mean_budget / scale:.3g} {unit} for every query, {gain.same:.1%} of answers are "
        f"correct. The same total shared at one price with known outcomes: {gain.same + gain.hindsight.value:.1%}, "
        f"{_points(gain.hindsight)}. With thresholds predicted from the texts {_points(gain.thresholds)}, with "
        f"predicted probabilities {_points(gain.chances)}."
    )


def _points(found: Interval) -> str:
    value, low, high = (signed(100 * each, "+.1f") for each in found)
    return f"{value} points ({low} to {high})"
