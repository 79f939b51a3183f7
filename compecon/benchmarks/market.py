"""Sharing a budget: many queries at one price, few exactly, and one arrival after the other; beside SciPy."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array, vstack

from compecon import children
from compecon.allocation.clearing import clear
from compecon.allocation.online import OnlineMarket, play
from compecon.allocation.rules.exact_scan import ExactScan
from compecon.allocation.rules.knapsack_exact import KnapsackExact
from compecon.allocation.rules.repaired import RepairedShadowPrice
from compecon.allocation.rules.shadow_price import ShadowPrice
from compecon.allocation.streams.synthetic import MIXTURES
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.benchmarks.figures import Figure, Goal, Settings, Table

_MANY, _FEW, _ARRIVALS, _PLAIN = 1_000_000, 500, 20_000, 20_000
_TOKENS = 300.0  # a query
_N_LEVELS = 24  # of a measured curve
_MILP_SECONDS = 60.0
_HALVINGS = 60
_ORDERED, _SHARES = 4_000, (0.05, 0.2, 0.5, 0.9, 1.0)  # arrivals; budgets, as shares of what all would take
_Result = TypeVar("_Result")
_PEAK = """
import resource, sys
from compecon.benchmarks.market import random_market
from compecon.allocation.rules.shadow_price import ShadowPrice
scale = 1024 if sys.platform != "darwin" else 1
market = random_market(int(sys.argv[1]))
ShadowPrice().allocate(market, 300.0 * market.n_agents)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale / 1e6)
"""


def measure(settings: Settings) -> list[Table]:
    """Four tables: a million queries, five hundred exactly, arrivals, and their orders."""
    many = settings.pick(_MANY, 20_000)
    return [
        many_table(many, settings.pick(5, 1)),
        exact_table(settings.pick(_FEW, 40), settings.pick(3, 1)),
        online_table(settings.pick(_ARRIVALS, 500), settings.pick(5, 1)),
        orders_table(settings.pick(_ORDERED, 100)),
    ]


def random_market(n_queries: int, seed: int = 0) -> ShiftedSurge:
    """Surges that differ in threshold, slope and decay."""
    rng = np.random.default_rng(seed)
    return ShiftedSurge(
        rng.uniform(50, 1500, n_queries), rng.uniform(0.5, 2, n_queries), rng.uniform(3e-3, 1e-2, n_queries)
    )


def many_table(n_queries: int, rounds: int) -> Table:
    """One price for many, and a plain bisection in Python beside it."""
    drawn, budget = random_market(n_queries), _TOKENS * n_queries
    fields = (drawn.threshold, drawn.slope, drawn.decay)
    seconds, found = _timed(rounds, lambda: ShadowPrice().allocate(ShiftedSurge(*fields), budget))
    alike = (drawn.threshold, np.array(1.5), np.array(0.005))
    scanned, exact = _timed(rounds, lambda: ExactScan().allocate(ShiftedSurge(*alike), budget))
    few = drawn.take(slice(0, min(_PLAIN, n_queries)))
    ours, _ = _timed(rounds, lambda: clear(few.take(slice(None)), _TOKENS * few.n_agents))
    plain, price = _timed(1, lambda: _plain_bisection(few, _TOKENS * few.n_agents))
    off = abs(price / clear(few, _TOKENS * few.n_agents).price - 1)
    figures = (
        Figure(f"shadow price, {n_queries:,} different queries", "s", seconds, Goal("median", 1.5)),
        Figure("  peak memory of the process", "MB", (_peak_megabytes(n_queries),), Goal("max", 1000)),
        Figure("  gap to the bound", "ppm", (found.gap / found.upper_bound * 1e6,)),
        Figure(f"exact scan, {n_queries:,} queries of one shape", "s", scanned, Goal("median", 1.0)),
        Figure(f"shadow price, {few.n_agents:,} queries", "s", ours),
        Figure("  plain bisection in Python, the same", "s", plain),
    )
    notes = (
        "Processor time of one thread, curves made anew each time; memory of a process of its own, imports included.",
        f"The price of the plain bisection is off by {off:.0e}; the scan's price {exact.price or 0:.4g} is exact.",
    )
    return Table("market: one price for many queries", figures, notes)


def exact_table(n_queries: int, rounds: int) -> Table:
    """The optimum with its proof, beside HiGHS on the same curves."""
    surge, budget = random_market(n_queries, seed=1), _TOKENS * n_queries
    seconds, found = _timed(rounds, lambda: KnapsackExact(whole=True).allocate(surge.take(slice(None)), budget))
    repaired, near = _timed(rounds, lambda: RepairedShadowPrice(whole=True).allocate(surge.take(slice(None)), budget))
    steps = _measured(surge)
    ours, best = _timed(rounds, lambda: KnapsackExact(whole=True).allocate(steps.take(slice(None)), budget))
    rows, one_each, worth = _programme(steps, budget)
    relaxed, bound = _timed(1, lambda: linprog(-worth, A_ub=rows, b_ub=one_each, bounds=(0, 1), method="highs"))
    constraints = LinearConstraint(rows, -np.inf, one_each)
    whole, solved = _timed(
        1, lambda: milp(-worth, constraints=constraints, integrality=np.ones(len(worth)), bounds=Bounds(0, 1),
                        options={"time_limit": _MILP_SECONDS, "mip_rel_gap": 0.0}),
    )  # fmt: skip
    price, _ = _timed(1, lambda: clear(steps.take(slice(None)), budget))
    figures = (
        Figure(f"exact knapsack, {n_queries} surges, every whole token", "s", seconds, Goal("median", 2.0)),
        Figure("  gap that is left", "ppm", (found.gap / found.upper_bound * 1e6,)),
        Figure("repaired shadow price, the same", "s", repaired),
        Figure("  gap to the optimum", "ppm", ((found.value - near.value) / found.value * 1e6,)),
        Figure(f"exact knapsack, {n_queries} curves of {_N_LEVELS} levels", "s", ours),
        Figure("  scipy.optimize.milp (HiGHS), the same", "s", whole),
        Figure("  its value beside ours", "ppm", () if solved.x is None else ((-solved.fun / best.value - 1) * 1e6,)),
        Figure("bound by a price, the same curves", "s", price),
        Figure("  scipy.optimize.linprog (HiGHS), the relaxation", "s", relaxed),
    )
    agree = abs(-bound.fun / clear(steps, budget).upper_bound - 1)
    notes = (
        f"Processor time. HiGHS stops after {_MILP_SECONDS:g} s; its message: {solved.message}",
        f"The relaxation and the bound by a price are the same number, here to {agree:.0e}.",
    )
    return Table("market: the optimum, proven", figures, notes)


def online_table(n_arrivals: int, rounds: int) -> Table:
    """Time of a decision on one arrival."""
    utility = MIXTURES["Balanced"].draw(n_arrivals).surge()
    budget = 150.0 * n_arrivals
    seconds, played = _timed(rounds, lambda: play(utility, OnlineMarket(utility.take(slice(200)), budget, n_arrivals)))
    each = tuple(s / n_arrivals * 1e6 for s in seconds)
    figures = (
        Figure("an arrival: forecast, price, demand, cap", "µs", each, Goal("median", 50)),
        Figure("  regret against the offline bound", "%", (100 * played.regret / played.offline_bound,)),
    )
    notes = (f"{n_arrivals:,} arrivals; the offline bound is part of the time.",)
    return Table("market: one arrival at a time", figures, notes)


def two_models(n_queries: int, seed: int) -> MeasuredCurve:
    """Queries that a cheap model answers at times, and a dear one more often."""
    rng = np.random.default_rng(seed)
    cost = np.stack([rng.lognormal(5, 0.4, n_queries), rng.lognormal(7, 0.4, n_queries)], axis=1)
    right = (rng.random((n_queries, 2)) < [0.6, 0.85]).astype(float)
    order = np.argsort(cost, axis=1)
    return MeasuredCurve(np.take_along_axis(cost, order, axis=1), np.take_along_axis(right, order, axis=1))


def orders_table(n_arrivals: int) -> Table:
    """What the online rule earns less than hindsight, at the worst of five budgets."""
    utility, past, rng = two_models(n_arrivals, 1), two_models(n_arrivals, 2), np.random.default_rng(0)
    cheap_first = np.argsort(np.where(utility.choke_prices > 0, utility.entry, np.inf), kind="stable")
    blocks = np.array_split(cheap_first, 20)
    orders = {
        "random": rng.permutation(n_arrivals),
        "cheap first": cheap_first,
        "cheap last": cheap_first[::-1],
        "bursts": np.concatenate([blocks[block] for block in rng.permutation(20)]),
    }
    figures = []
    for name, order in orders.items():
        missed = []
        for share in _SHARES:
            budget = share * float(utility.most.sum())
            found = play(utility, OnlineMarket(past, budget, n_arrivals), order=order)
            missed.append(100 * (1 - found.value / RepairedShadowPrice().allocate(utility, budget).value))
        figures.append(Figure(name, "%", (max(missed),), Goal("median", 1 if name == "random" else 5)))
    budgets = ", ".join(f"{share:.0%}" for share in _SHARES)
    notes = (
        f"{n_arrivals:,} drawn queries for two models; expected from as many others. The worst of {budgets} of what "
        "all would take. Bursts: 20 blocks of equal cost in random order.",
    )
    return Table("market: regret against hindsight, by order of arrival", tuple(figures), notes)


def _timed(rounds: int, call: Callable[[], _Result]) -> tuple[tuple[float, ...], _Result]:
    seconds = []
    for _ in range(rounds):
        started = time.process_time()
        result = call()
        seconds.append(time.process_time() - started)
    return tuple(seconds), result


def _peak_megabytes(n_queries: int) -> float:
    return float(children.output("-c", _PEAK, str(n_queries)))


def _plain_bisection(utility: ShiftedSurge, budget: float) -> float:
    """The textbook way, a query at a time."""
    queries = list(zip(utility.threshold.tolist(), utility.slope.tolist(), utility.decay.tolist(), strict=True))
    low, high = 0.0, float(utility.slope.max())
    for _ in range(_HALVINGS):
        price = (low + high) / 2
        total = sum(_plain_demand(*query, price) for query in queries)
        low, high = (price, high) if total > budget else (low, price)
    return high


def _plain_demand(threshold: float, slope: float, decay: float, price: float) -> float:
    z = math.e * min(price / slope, 1.0)
    w = math.log1p(z)
    for _ in range(5):
        w -= (w - z * math.exp(-w)) / (1.0 + w)
    x = (1.0 - w) / decay
    return threshold + x if slope * x * math.exp(-decay * x) > price * (threshold + x) else 0.0


def _measured(surge: ShiftedSurge) -> MeasuredCurve:
    """The surges at some spends between threshold and peak, as if they had been measured."""
    share = np.linspace(0.0, 1.0, _N_LEVELS + 1)[1:, None]
    levels = np.round(surge.threshold + share / surge.decay)
    return MeasuredCurve(levels.T, surge.value(levels).T)


def _programme(curves: MeasuredCurve, budget: float) -> tuple[Any, np.ndarray, np.ndarray]:
    """The same as a programme: a variable a level, at most one level a query, the budget."""
    n_queries, n_levels = curves.levels.shape
    place = np.arange(n_queries * n_levels)
    one = csr_array((np.ones(len(place)), (place // n_levels, place)))
    rows = vstack([csr_array(curves.levels.reshape(1, -1)), one], format="csr")
    return rows, np.concatenate([[budget], np.ones(n_queries)]), curves.values.ravel()
