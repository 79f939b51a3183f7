"""Small random markets, and their optima found the slow way."""

import numpy as np
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import lambertw

from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.surge import ShiftedSurge
from compecon.allocation.utilities.truncation import Truncation

TOKENS = st.integers(0, 12)


def per_agent(elements, n):
    return st.lists(elements, min_size=n, max_size=n).map(np.array)


@st.composite
def surges(draw, largest=5, shared=False, tokens=TOKENS):
    n = draw(st.integers(1, largest))
    size = 1 if shared else n
    slope = draw(per_agent(st.floats(0.1, 3), size))
    decay = draw(per_agent(st.floats(0.1, 1.5), size))
    return ShiftedSurge(draw(per_agent(tokens, n)).astype(float), slope, decay)


@st.composite
def truncations(draw, largest=4):
    n = draw(st.integers(1, largest))
    return Truncation(
        draw(per_agent(TOKENS, n)).astype(float),
        draw(per_agent(st.floats(0.2, 2), n)),
        draw(per_agent(st.floats(0.05, 1), n)),
    )


@st.composite
def measured(draw, largest=4):
    n, n_levels = draw(st.integers(1, largest)), draw(st.integers(1, 4))
    levels = draw(st.lists(st.integers(1, 12), min_size=n_levels, max_size=n_levels, unique=True).map(sorted))
    values = [draw(st.lists(st.integers(0, 5), min_size=n_levels, max_size=n_levels)) for _ in range(n)]
    return MeasuredCurve(np.array([levels], dtype=float), np.array(values, dtype=float))


@st.composite
def limited(draw, curves):
    """The same curves with floors and caps."""
    utility = draw(curves)
    floor = draw(per_agent(st.integers(0, 4), utility.n_agents)).astype(float)
    extra = draw(per_agent(st.integers(0, 25), utility.n_agents))
    return utility.within(floor, floor + extra)


def any_market(**sizes):
    return st.one_of(
        surges(**sizes), truncations(), measured(), limited(st.one_of(surges(), truncations(), measured()))
    )


def best_in_whole_units(utility, budget):
    """The optimum in whole units by a programme over budgets, an agent at a time."""
    budget = int(budget)
    best = np.full(budget + 1, -np.inf)
    best[0] = 0.0
    table = utility.value(np.arange(budget + 1.0)[:, None] * np.ones(utility.n_agents))
    for agent in range(utility.n_agents):
        after = np.full(budget + 1, -np.inf)
        for spend in range(int(np.ceil(utility.floor[agent])), int(min(budget, np.floor(utility.cap[agent]))) + 1):
            after[spend:] = np.maximum(after[spend:], best[: budget + 1 - spend] + table[spend, agent])
        best = after
    return best.max()


def best_of_all_sets(surge, budget):
    """The optimum of surges without limits: every funded set, the price inside found by halving."""
    best = 0.0
    for chosen in range(1, 2**surge.n_agents):
        mask = np.array([bool(chosen >> agent & 1) for agent in range(surge.n_agents)])
        room = budget - surge.threshold[mask].sum()
        if room > 0:
            best = max(best, float(_filled(surge.slope[mask], surge.decay[mask], room)))
    return best


def _filled(slope, decay, room):
    """Funded agents at the price at which they use up the room, by SciPy's root finder and its Lambert W."""

    def wanted(price):
        return (1 - lambertw(np.e * np.minimum(price / slope, 1)).real) / decay

    price = 0.0 if wanted(0.0).sum() <= room else brentq(lambda p: wanted(p).sum() - room, 0.0, slope.max(), xtol=1e-15)
    x = wanted(price)
    return (slope * x * np.exp(-decay * x)).sum()
