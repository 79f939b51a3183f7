"""How fast this machine is, learned from earlier runs. Loads without torch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.runs.run_record import RunRecord, RunState

_MOST_RUNS = 50
_ALIKE = ("train", "prune")  # spend their time on the same steps, so that they tell each other's speed
_MISFIT = 0.15  # how far runs lie from what is expected of them, as a logarithm
_UNUSUAL = 0.5  # how far machines lie from the default, in decades
_TELLING = 5  # runs that tell an odd one among them
_ZOOMS = tuple(4.0 / 2**zoom for zoom in range(13))  # decades around the best so far that are searched


@final
@dataclass(frozen=True)
class Speed:
    """How fast a machine is, and how certain that is."""

    macs_per_second: float = 1.5e10  # multiply-adds of a training per second
    overhead: float = 20.0  # seconds of a run that do not grow with them: starting, reading data, loading models
    low: float = 0.4  # lower end of a run's time, as a multiple of the expected seconds
    high: float = 2.5  # upper end
    runs: int = 0  # earlier runs that this was learned from

    def seconds(self, macs: float) -> float:
        """Expected seconds of a run."""
        return self.overhead + macs / self.macs_per_second


DEFAULT = Speed()
"""Two cores of a laptop or a small server, with a range that holds a machine of half or twice the speed."""


def learnt_speed(
    records: Iterable[RunRecord], recipe: str, queue: str, host: str, macs_of: Callable[[RunRecord], float | None]
) -> Speed:
    """How fast a machine is at one kind of run, by those that succeeded on it; all attempts of a run count.

    Args:
        records: Runs, newest first; the newest fifty of the kind count.
        recipe: What is to be run.
        queue: The kind of device: "cpu", "gpu" or "".
        host: Name of the machine.
        macs_of: Expected multiply-adds of a run; None if unknown.
    """
    kind = _ALIKE if recipe in _ALIKE else (recipe,)
    done = (
        record
        for record in records
        if record.state is RunState.SUCCEEDED
        and record.spec.recipe in kind
        and (record.spec.queue, record.status.host) == (queue, host)
    )
    pairs = [(macs_of(record), record.status.all_seconds) for record in islice(done, _MOST_RUNS)]
    return calibrated((macs, seconds) for macs, seconds in reversed(pairs) if macs is not None)


def calibrated(pairs: Iterable[tuple[float, float]]) -> Speed:
    """Learn a machine's speed from earlier runs; a few outliers do no harm.

    Short runs tell the overhead and long ones the speed; what no run tells stays near the default. The range is that of
    the earlier runs, wider the less of their time was work.

    Args:
        pairs: Expected MACs and the seconds taken; those not positive and finite are ignored, the last fifty count.
    """
    known = [(macs, took) for macs, took in pairs if 0 < macs < math.inf and 0 < took < math.inf][-_MOST_RUNS:]
    if not known:
        return DEFAULT
    work, took = np.array(known).T
    rate, overhead = _most_likely(work, took)
    expected = overhead + work / rate
    low, high = _ends(sorted((took / expected).tolist()))
    slack = 1 + (DEFAULT.high - 1) / math.sqrt(1 + 1.25 * float((work / rate / expected).sum()))
    return Speed(rate, overhead, min(low, 1.0) / slack, max(high, 1.0) * slack, len(known))


def _most_likely(work: NDArray[np.float64], took: NDArray[np.float64]) -> tuple[float, float]:
    """MACs per second and overhead in seconds that fit the runs while staying near the defaults."""
    rate, overhead = 0.0, 0.0  # decades from the default
    for reach in _ZOOMS:
        steps = np.linspace(-reach, reach, 33)
        rates, overheads = (rate + steps)[:, None], (overhead + steps)[None, :]
        seconds = DEFAULT.overhead * 10**overheads
        expected = seconds[..., None] + work / (DEFAULT.macs_per_second * 10**rates)[..., None]
        misfit = _distance(np.log(took / expected) / _MISFIT).sum(-1)
        best = np.argmin(misfit + _distance(rates / _UNUSUAL) + _distance(overheads / _UNUSUAL))
        row, column = divmod(int(best), len(steps))
        rate, overhead = rate + float(steps[row]), overhead + float(steps[column])
    return DEFAULT.macs_per_second * 10**rate, DEFAULT.overhead * 10**overhead


def _distance(errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quadratic for small errors and linear for large ones, so that no outlier dominates."""
    return np.sqrt(1 + errors**2) - 1


def _ends(ratios: Sequence[float]) -> tuple[float, float]:
    """The middle four fifths of sorted ratios; all of them if there are too few to tell an outlier."""
    cut = max(len(ratios) // 10, int(len(ratios) >= _TELLING))
    return ratios[cut], ratios[-1 - cut]
