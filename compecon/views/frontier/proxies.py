"""How well cheap proxies of cost order the models that were made: rank correlation with MACs and with measured time.

A proxy that orders models as their counted MACs do can steer a search; only one that orders them as their time does
may be called a cost. Spearman's rho, average ranks for ties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from scipy.stats import spearmanr

from compecon.views.frontier.axes import asked_for
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.points_of import FrontierPoint

LEAST = 4  # points that a correlation is told of


@final
@dataclass(frozen=True)
class Correlation:
    """A rank correlation.

    Attributes:
        rho: Spearman's rho in [-1, 1]; None below four points, or where one side is constant.
        n: Points that state both.
    """

    rho: float | None
    n: int


@final
@dataclass(frozen=True)
class ProxyRow:
    """A proxy.

    Attributes:
        name: For people.
        description: What it is.
        with_macs: Against the counted share of the dense MACs.
        with_latency: Against the measured share of the dense time, in one setting.
    """

    name: str
    description: str
    with_macs: Correlation
    with_latency: Correlation


@final
@dataclass(frozen=True)
class ProxyView:
    """All proxies.

    Attributes:
        rows: The proxies, those that order MACs best first.
        setting: What time was measured on; "" if it was not.
        n_points: Finished models that took part, each shape once.
        sentences: What to read in them.
    """

    rows: tuple[ProxyRow, ...]
    setting: str
    n_points: int
    sentences: tuple[str, ...]


Proxy = Callable[[FrontierPoint], float | None]


def proxy_view(points: Iterable[FrontierPoint], task: str) -> ProxyView:
    """Rank correlation of every proxy with counted MACs and measured time, over the finished points of a task.

    Args:
        points: All points.
        task: As a `TaskChoice` names it.
    """
    known = tuple(points)
    asked = asked_for(known, FrontierAxes(task, "latency"))
    same = _shapes(p for p in known if p.task == asked.task and p.state == "done" and p.origin != "quoted")
    shares = [_cost(point, "share") for point in same]
    times = [_cost(point, f"latency: {asked.device}") if asked.device else None for point in same]
    rows = []
    for name, told, proxy in _proxies(same):
        values = [proxy(point) for point in same]
        rows.append(ProxyRow(name, told, correlation(values, shares), correlation(values, times)))
    time = ProxyRow("counted MACs", "share of the dense MACs", correlation(shares, shares), correlation(shares, times))
    ordered = (time, *sorted(rows, key=lambda row: -abs(row.with_macs.rho or 0.0)))
    return ProxyView(ordered, asked.device, len(same), _sentences(ordered, asked.device))


def _shapes(points: Iterable[FrontierPoint]) -> list[FrontierPoint]:
    """A point for each shape, the one with most costs: seeds that removed the same units are one model to a proxy."""
    found: dict[object, FrontierPoint] = {}
    for point in sorted(points, key=lambda one: -len(one.costs)):
        found.setdefault((point.heads, point.neurons) if point.heads and point.neurons else point.key, point)
    return list(found.values())


def correlation(one: Sequence[float | None], other: Sequence[float | None]) -> Correlation:
    """Spearman's rank correlation over the places where both are known and finite."""
    pairs = [(a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None]
    table = np.array(pairs, dtype=float).reshape(-1, 2)
    table = table[np.isfinite(table).all(axis=1)]
    if len(table) < LEAST or (np.ptp(table, axis=0) == 0).any():
        return Correlation(None, len(table))
    return Correlation(round(float(spearmanr(table[:, 0], table[:, 1]).statistic), 12), len(table))


def _proxies(points: Sequence[FrontierPoint]) -> tuple[tuple[str, str, Proxy], ...]:
    most_heads, most_neurons = (max((sum(kept(p)) for p in points), default=0) for kept in (_heads, _neurons))
    density = _density(most_heads, most_neurons)
    return (
        ("share of heads kept", "heads left / heads of the dense model", _kept(_heads, most_heads)),
        ("share of neurons kept", "FFN neurons left / neurons of the dense model", _kept(_neurons, most_neurons)),
        (
            "share of units kept",
            "all units weighted equally; times the dense MACs it is an estimate, not a count",
            density,
        ),
        ("parameters", "stored weights, embeddings included", lambda point: _cost(point, "parameters")),
        ("target", "target share of the MACs", lambda point: point.target),
        (
            "expected share",
            "share of the MACs of heads and neurons, as stated by the gates or pruning",
            lambda p: p.left,
        ),
        ("price", "shadow or fixed price of compute, negated", lambda p: None if p.price is None else -p.price),
        ("attention reads", "keys read without a budget", lambda point: _cost(point, "reads")),
    )


def _heads(point: FrontierPoint) -> tuple[int, ...]:
    return point.heads


def _neurons(point: FrontierPoint) -> tuple[int, ...]:
    return point.neurons


def _kept(units: Callable[[FrontierPoint], tuple[int, ...]], most: int) -> Proxy:
    return lambda point: sum(units(point)) / most if most and units(point) else None


def _density(most_heads: int, most_neurons: int) -> Proxy:
    def of(point: FrontierPoint) -> float | None:
        if not point.heads or not point.neurons or not most_heads + most_neurons:
            return None
        return (sum(point.heads) + sum(point.neurons)) / (most_heads + most_neurons)

    return of


def _cost(point: FrontierPoint, name: str) -> float | None:
    reading = point.costs.get(name)
    return None if reading is None else reading.value


def _sentences(rows: Sequence[ProxyRow], setting: str) -> tuple[str, ...]:
    known = [row for row in rows if row.with_macs.rho is not None]
    if not known:
        return (f"Fewer than {LEAST} finished models have both a proxy and MACs, so there is nothing to correlate.",)
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
