"""Curves of queries and of demand, as lines to draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility
from compecon.views.allocation.market_data import Market

_N_POINTS = 24
_MOST_STEPS = 48


@final
@dataclass(frozen=True)
class QueryCurve:
    """A query's curve as a line to draw."""

    spends: tuple[float, ...]  # rising; a step has its spend twice
    values: tuple[float, ...]  # what each is worth, as the rule sees it
    choke: float  # price at and above which it buys nothing
    entry: float  # what it buys just below that


def query_curves(market: Market) -> tuple[QueryCurve, ...]:
    """The curve of each query, as the rule sees it."""
    spends, values = _steps(market.seen) if isinstance(market.seen, MeasuredCurve) else _smooth(market.seen)
    columns = (spends.tolist(), values.tolist(), market.seen.choke_prices.tolist(), market.seen.entry.tolist())
    return tuple(QueryCurve(tuple(s), tuple(v), c, e) for s, v, c, e in zip(*columns, strict=True))


def _smooth(curves: Utility) -> tuple[Numbers, Numbers]:
    top = np.minimum(curves.most, curves.thresholds + 2.5 * np.maximum(curves.entry - curves.thresholds, 1.0))
    shares = np.linspace(0.0, 1.0, _N_POINTS) ** 1.3
    rise = curves.thresholds[:, None] + (top - curves.thresholds)[:, None] * shares
    spends = np.concatenate([np.zeros((curves.n_agents, 1)), rise], axis=1)
    return spends, curves.value(spends.T).T


def _steps(curves: MeasuredCurve) -> tuple[Numbers, Numbers]:
    levels = curves.levels
    levels = levels[:, np.unique(np.linspace(0, levels.shape[1] - 1, _MOST_STEPS).round().astype(int))]
    at, before = curves.value(levels.T).T, curves.value(levels.T * (1 - 1e-12)).T
    zeros = np.zeros((len(at), 1))
    spends = np.concatenate([zeros, np.repeat(levels, 2, axis=1)], axis=1)
    values = np.concatenate([zeros, np.stack([before, at], axis=2).reshape(len(at), -1)], axis=1)
    return spends, values


@final
@dataclass(frozen=True)
class DemandCurve:
    """Total demand at each price."""

    prices: tuple[float, ...]  # falling
    totals: tuple[float, ...]  # demand there, rising


def demand_curve(market: Market, n_prices: int = 160) -> DemandCurve:
    """Demand of all queries, as the rule sees them, at about so many prices, on both sides of its jumps."""
    curves = market.seen
    jumps = np.unique(curves.jumps)
    jumps = jumps[:: max(1, 2 * len(jumps) // n_prices)]
    sides = np.concatenate([jumps, jumps * (1 - 1e-9), np.linspace(0.0, curves.choke_price * 1.05, n_prices // 2)])
    prices = np.unique(sides)[::-1]
    return DemandCurve(tuple(prices.tolist()), tuple(float(curves.demand(float(p)).sum()) for p in prices))
