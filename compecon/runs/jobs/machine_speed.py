"""How quick this machine is, learnt from what earlier runs took. Loads without torch."""

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


def learnt_speed(
    records: Iterable[RunRecord], recipe: str, queue: str, host: str, macs_of: Callable[[RunRecord], float | None]
) -> Speed:
    """How quick a machine is at one kind of run, by those of that kind that succeeded on it.

    A run that was resumed counts with the time of all its attempts.

    Args:
        records: Runs, newest first; the newest fifty of the kind count.
        recipe: What is to be run.
        queue: The kind of device: "cpu", "gpu" or "".
        host: Name of the machine.
        macs_of: Expected multiply-adds of a run; None if they are not known.
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
    """Learn a machine's speed from earlier runs; a few odd ones among them do no harm.

    A run tells of what it spent its time on: short ones of what starting takes, long ones of the speed, and both are as
    usual where no run tells otherwise.

    Args:
        pairs: Expected MACs and the seconds that the run took, of any number of runs; pairs that are not positive and
            finite are left out, and of many the last fifty count.

    Returns:
        The default if there is none. Its range is that of earlier runs, and wider the less of their time was work.
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
    """MACs a second and seconds on top that fit the runs, and are no more unusual than that needs."""
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
    """As a square for small ones and straight for large ones, so that no odd run outweighs the others."""
    return np.sqrt(1 + errors**2) - 1


def _ends(ratios: Sequence[float]) -> tuple[float, float]:
    """The middle four fifths of sorted ratios; all of them if they are too few to tell an odd one."""
    cut = max(len(ratios) // 10, int(len(ratios) >= _TELLING))
    return ratios[cut], ratios[-1 - cut]
