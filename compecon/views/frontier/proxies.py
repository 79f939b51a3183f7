"""How well cheap proxies of cost rank models: rank correlation with MACs and with measured time.

A proxy that ranks models as their counted MACs do can steer a search; only one that ranks them as their time does may
be called a cost. Spearman's rho, average ranks for ties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.stats import spearmanr

from compecon.views.frontier.axes import asked_for
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_points import FrontierPoint

_LEAST = 4  # points that a correlation needs


@final
@dataclass(frozen=True)
class Correlation:
    """Spearman's rho over n points; None below four points, or where one side is constant."""

    rho: float | None
    n: int


@final
@dataclass(frozen=True)
class ProxyRow:
    """A proxy: against the counted share of the dense MACs, and the measured share of the dense time in one setting."""

    name: str
    description: str
    with_macs: Correlation
    with_latency: Correlation


@final
@dataclass(frozen=True)
class ProxyView:
    """All proxies."""

    rows: tuple[ProxyRow, ...]  # counted MACs, then the proxies, those that rank MACs best first
    setting: str  # what time was measured on; "" if it was not
    n_points: int  # finished models that took part, each shape once
    sentences: tuple[str, ...]  # what to read in them


Proxy = Callable[[FrontierPoint], float | None]


def proxy_view(points: Iterable[FrontierPoint], task: str) -> ProxyView:
    """Rank correlation of every proxy with counted MACs and measured time, over the finished points of a task."""
    known = tuple(points)
    asked = asked_for(known, FrontierAxes(task, "latency"))
    same = _shapes(p for p in known if p.task == asked.task and p.state == "done" and p.origin != "quoted")
    shares = [point.cost("share") for point in same]
    times = [point.cost(f"latency: {asked.device}") for point in same]
    rows = []
    for name, description, proxy in _proxies(same):
        values = [proxy(point) for point in same]
        rows.append(ProxyRow(name, description, correlation(values, shares), correlation(values, times)))
    rows.sort(key=lambda row: -abs(row.with_macs.rho or 0.0))
    macs = ProxyRow("counted MACs", "share of the dense MACs", correlation(shares, shares), correlation(shares, times))
    return ProxyView((macs, *rows), asked.device, len(same), _sentences((macs, *rows), asked.device))


def _shapes(points: Iterable[FrontierPoint]) -> list[FrontierPoint]:
    """A point for each shape, the one with most costs: seeds that removed the same units are one model to a proxy."""
    found: dict[object, FrontierPoint] = {}
    for point in sorted(points, key=lambda one: -len(one.costs)):
        size = point.size
        found.setdefault((size.heads, size.neurons) if size.heads and size.neurons else point.key, point)
    return list(found.values())


def correlation(one: Sequence[float | None], other: Sequence[float | None]) -> Correlation:
    """Spearman's rank correlation over the places where both are known and finite."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < _LEAST or (np.ptp(table, axis=0) == 0).any():
        return Correlation(None, len(table))
    return Correlation(round(float(spearmanr(table[:, 0], table[:, 1]).statistic), 12), len(table))


def _proxies(points: Sequence[FrontierPoint]) -> tuple[tuple[str, str, Proxy], ...]:
    most_heads, most_neurons = (max((n(p) or 0 for p in points), default=0) for n in (_heads, _neurons))

    def units(point: FrontierPoint) -> float | None:
        heads, neurons = _heads(point), _neurons(point)
        return None if heads is None or neurons is None else heads + neurons

    return (
        ("share of heads kept", "heads left / heads of the dense model", _part(_heads, most_heads)),
        ("share of neurons kept", "FFN neurons left / neurons of the dense model", _part(_neurons, most_neurons)),
        (
            "share of units kept",
            "all units weighted equally; times the dense MACs it is an estimate, not a count",
            _part(units, most_heads + most_neurons),
        ),
        ("parameters", "stored weights, embeddings included", lambda point: point.cost("parameters")),
        ("target", "target share of the MACs", lambda point: point.training.target),
        (
            "expected share",
            "share of the MACs of heads and neurons, as stated by the gates or pruning",
            lambda point: point.training.left,
        ),
        ("price", "shadow or fixed price of compute, negated", _negated_price),
        ("attention reads", "keys read without a budget", lambda point: point.cost("reads")),
    )


def _heads(point: FrontierPoint) -> float | None:
    return sum(point.size.heads) if point.size.heads else None


def _neurons(point: FrontierPoint) -> float | None:
    return sum(point.size.neurons) if point.size.neurons else None


def _negated_price(point: FrontierPoint) -> float | None:
    return None if point.training.price is None else -point.training.price


def _part(units: Proxy, most: float) -> Proxy:
    return lambda point: None if not most or (n := units(point)) is None else n / most


def _sentences(rows: Sequence[ProxyRow], setting: str) -> tuple[str, ...]:
    known = [row for row in rows if row.with_macs.rho is not None]
    if not known:
        return (f"Fewer than {_LEAST} finished models have both a proxy and MACs, so there is nothing to correlate.",)
    found = [
        "Rank correlation over the models shown, each shape once, dense and smaller ones of all methods. It tells "
        "which proxies rank models alike, not by how much they differ; rows with different n cover different models."
    ]
    timed = [row for row in known if row.with_latency.rho is not None]
    if timed:
        best = max(timed[1:], key=lambda row: abs(row.with_latency.rho or 0.0), default=timed[0])
        macs, proxy = timed[0].with_latency, best.with_latency
        found.append(
            f"Counted MACs rank models as measured time does (ρ = {macs.rho:.2f}, n = {macs.n}, {setting}); "
            f"the best proxy, {best.name}, has ρ = {proxy.rho:.2f} (n = {proxy.n})."
        )
    elif not setting:
        found.append("No time was measured for this task.")
    return tuple(found)
