"""How quick this machine is, learnt from what earlier runs took. Loads without torch."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

_MOST_RUNS = 50
_APART = 2.0  # how many times the least work the most has to be, to tell the work from what comes on top


@final
@dataclass(frozen=True)
class Speed:
    """How quick a machine is, and how sure that is.

    Attributes:
        macs_per_second: Multiply-adds of a training in a second.
        overhead: Seconds of a run that do not grow with them: starting, reading data, loading models.
        low: A run may take this many times the expected seconds at least.
        high: And this many at most.
        runs: Earlier runs that this was learnt from.
    """

    macs_per_second: float = 1.5e10
    overhead: float = 20.0
    low: float = 0.4
    high: float = 2.5
    runs: int = 0

    def seconds(self, macs: float) -> float:
        """Expected seconds of a run."""
        return self.overhead + macs / self.macs_per_second


DEFAULT = Speed()
"""Two cores of a laptop or a small server, with a range that holds a machine of half or twice the speed."""


def calibrated(pairs: Iterable[tuple[float, float]]) -> Speed:
    """Learn a machine's speed from earlier runs; a few odd ones among them do no harm.

    Three runs or more of differing size tell the work from what comes on top of it: the slope is the median over all
    pairs of runs (Theil and Sen), the rest the median of what is left. From fewer, the overhead is the default.

    Args:
        pairs: Expected MACs and the seconds that the run took, of any number of runs; pairs that are not positive and
            finite are left out, and of many the last fifty count.

    Returns:
        The default if there is none. Its range is that of earlier runs, and wider the fewer they are.

    References:
        Sen (1968), "Estimates of the regression coefficient based on Kendall's tau".
    """
    known = [(macs, took) for macs, took in pairs if 0 < macs < math.inf and 0 < took < math.inf][-_MOST_RUNS:]
    if not known:
        return DEFAULT
    per_mac, overhead = _line(known)
    ratios = sorted(took / (overhead + macs * per_mac) for macs, took in known)
    slack = 1 + 1 / math.sqrt(len(known))
    low, high = _ends(ratios)
    return Speed(1 / per_mac, overhead, min(low, 1.0) / slack, max(high, 1.0) * slack, len(known))


def _line(known: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Seconds a MAC, and seconds on top."""
    work = [macs for macs, _ in known]
    if len(known) > 2 and max(work) >= _APART * min(work):
        slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in combinations(known, 2) if a[0] != b[0]]
        slope = statistics.median(slopes)
        if slope > 0:
            return slope, max(0.0, statistics.median(took - slope * macs for macs, took in known))
    overhead = min(DEFAULT.overhead, min(took for _, took in known) / 2)
    return statistics.median((took - overhead) / macs for macs, took in known), overhead


def _ends(ratios: Sequence[float]) -> tuple[float, float]:
    """The middle four fifths of sorted ratios; all of them if they are few."""
    if len(ratios) < 10:
        return ratios[0], ratios[-1]
    cut = len(ratios) // 10
    return ratios[cut], ratios[-1 - cut]
