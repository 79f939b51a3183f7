"""What one market earns on the measured streams, at the cost of treating all queries alike."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from compecon.allocation.streams.bundled_streams import PREDICTED, list_streams, streams_root
from compecon.allocation.streams.predicted_value import Gain
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.stats.intervals import Interval

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
    """By what budgets of a stream are divided to be read, and what they then count."""
    unit = next((entry.unit for entry in list_streams() if entry.name == stream), "")
    return _SCALES.get(unit, (1.0, unit))


def gains_of(stream: str) -> tuple[Gain, ...]:
    """Those of one stream, the cheapest first."""
    return tuple(gain for gain in measured_gains() if gain.stream == stream)


def gain_sentence(found: Sequence[Gain]) -> str:
    """A stream's scarcest budget at which everybody's treatment is a choice, in words.

    Args:
        found: Gains of one stream, the cheapest first.
    """
    gain = found[min(1, len(found) - 1)]
    scale, unit = scale_of(gain.stream)
    return (
        f"{gain.stream}: with {gain.mean_budget / scale:.3g} {unit} for every query, {gain.same:.1%} of answers are "
        f"correct. The same total shared at one price with known outcomes: {gain.same + gain.hindsight.value:.1%}, "
        f"{_points(gain.hindsight)}. With thresholds predicted from the texts {_points(gain.thresholds)}, with "
        f"predicted probabilities {_points(gain.chances)}."
    )


def _points(found: Interval) -> str:
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.value:+.1f} points ({low:+.1f} to {high:+.1f})"
