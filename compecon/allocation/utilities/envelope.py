"""Concave envelopes of many step curves at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.allocation.utilities.arrays import Mask, Numbers


@final
@dataclass(frozen=True, eq=False)
class Envelope:
    """Corners of the smallest concave curve above the levels of each agent, up to its highest value.

    Attributes:
        spend: Spend at each corner, shape (agent, corner), rising; the last corner repeated where an agent has fewer.
        slope: Gain per unit on the way to each corner, strictly falling; infinity for the first, 0 for repeated ones.

    Examples:
        >>> corners = Envelope(spend=np.array([[0.0, 2.0, 4.0]]), slope=np.array([[np.inf, 0.5, 0.1]]))
        >>> corners.demand(price=0.3).tolist()
        [2.0]
    """

    spend: Numbers
    slope: Numbers

    def demand(self, price: float) -> Numbers:
        """The corner at which a price leads to stop, shape (agent,): the last one whose slope is above the price."""
        place = np.maximum((self.slope > price).sum(axis=1) - 1, 0)
        return np.asarray(np.take_along_axis(self.spend, place[:, None], axis=1)[:, 0])


def envelope(spend: Numbers, value: Numbers, allowed: Mask) -> Envelope:
    """Wrap the levels: from each corner the next one is where the steepest line goes.

    All shapes are (agent, level); spends rise along a row. The envelope begins at the first allowed level, or at the
    first of all if none is.
    """
    n_levels = spend.shape[1]
    now = np.argmax(allowed, axis=1)
    corners, slopes = [now], [np.full(len(spend), np.inf)]
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(n_levels - 1):
            ahead = spend - np.take_along_axis(spend, now[:, None], axis=1)
            gain = value - np.take_along_axis(value, now[:, None], axis=1)
            rate = np.where(allowed & (ahead > 0) & (gain > 0), gain / ahead, 0.0)
            last = n_levels - 1 - np.argmax(rate[:, ::-1], axis=1)  # of equally steep ones the farthest
            best = np.take_along_axis(rate, last[:, None], axis=1)[:, 0]
            if not best.any():
                break
            now = np.where(best > 0, last, now)
            corners.append(now)
            slopes.append(best)
    return Envelope(np.take_along_axis(spend, np.stack(corners, axis=1), axis=1), np.stack(slopes, axis=1))
