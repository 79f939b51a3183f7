"""The sizes of an elastic model that are worth a stop of a slider."""

from __future__ import annotations

import math
from itertools import pairwise

from compecon.compression.elastic.price_list import PriceList

_DIGITS = 3  # of a size between two trained ones


def sizes_offered(prices: PriceList) -> tuple[float, ...]:
    """The whole model, the trained sizes, and one between each two neighbours: their geometric mean, rounded.

    Of sizes that buy the same units one is left: 1 before any other, and a trained one before one between.

    Returns:
        Budgets, from 1 down to the smallest that was trained; each buys fewer units than the one before.

    Example:
        >>> from compecon.compression.units import UnitMacs, Units
        >>> import torch
        >>> worth = Units((torch.arange(8.0, 0.0, -1),), (torch.zeros(0),))
        >>> macs = UnitMacs((torch.ones(8),), (torch.ones(0),), 8.0)
        >>> prices, _ = PriceList.of(worth, macs, {b: worth.map(lambda w: w > 8 - 8 * b) for b in (1.0, 0.25)}, 4)
        >>> sizes_offered(prices)
        (1.0, 0.5, 0.25)
    """
    whole = prices.number(1.0)
    stops = {1.0: whole} | {size: number for size, number in prices.bought.items() if number < whole}
    offered = [1.0]
    for larger, smaller in pairwise(stops):
        between = float(f"{math.sqrt(larger * smaller):.{_DIGITS}g}")
        if smaller < between < larger and stops[smaller] < prices.number(between) < stops[larger]:
            offered.append(between)
        offered.append(smaller)
    return tuple(offered)
