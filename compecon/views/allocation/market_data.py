"""What is allocated on the Allocation page: queries, the curves that a rule sees, and the true ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.streams.bundled_streams import StreamEntry
from compecon.allocation.streams.stream import Stream
from compecon.allocation.streams.synthetic import Mixture, SyntheticStream
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve
from compecon.allocation.utilities.utility import Utility
from compecon.views.allocation.choice_names import Belief

MOST_QUERIES = 500
_MEAN_BUDGETS = np.linspace(0.0, 1500.0, 61)  # tokens: as far as the paper's draft figure goes
_LOW, _HIGH = 61, 20
_MILLION = 1e6
_ROUNDING = 1 + 1e-9

_WORTH: Mapping[Belief, str] = {
    "chance": "answers if all were solvable",
    "solvable": "expected correct answers",
    "surge": "latent utility",
}
HINDSIGHT = (
    "Measured by us on bundled checkpoints: {description}. The outcomes are known, so a rule that reads these curves "
    "is an oracle: a rule that must predict them cannot be expected to match it."
)
_OWN = HINDSIGHT.replace("Measured by us on bundled checkpoints", "Measured with compecon stream")
DRAWN = (
    "Synthetic: {n} queries drawn at random, nothing measured. The mixture is named as in the paper; its parameters "
    "are ours. It illustrates how a rule behaves and is not a result."
)
YOURS = (
    "From your file: {n} queries. If its outcomes were measured on these same queries, allocating by them is an oracle."
)
FORMULA = "From your file: {n} queries with curves of a formula, given or fitted to attempts."
_LEAST_PRICE = 0.01  # share of the choke price: the bar ends where demand meets it


@final
@dataclass(frozen=True, eq=False)
class Market:
    """Queries that compete for one budget."""

    name: str
    description: str  # where the numbers are from, in a sentence or two
    unit: str  # what budgets count
    queries: tuple[str, ...]  # an id each
    seen: Utility  # the curves that rules see
    truth: Utility  # the true curves; the same ones unless they were predicted
    correct: Callable[[Numbers], Numbers]  # share of correct answers that spends bring, shape (query,) to (query,)
    used: Callable[[Numbers], Numbers]  # what is used of spends, shape (query,) to (query,)
    budgets: Numbers  # totals on the bar, shape (budget,), rising from 0
    is_drawn: bool  # whether it is synthetic
    worth: str = "correct answers"  # what the curves count
    levels: NDArray[np.str_] | None = None  # what each level is called, shape (query, level), rising; None if nothing
    level_title: str = "Size"  # what these names are

    def level_of(self, query: int, spend: float) -> str:
        """What a query's level at a spend is called; "" below the first one, and where levels have no names."""
        if self.levels is None or not isinstance(self.seen, MeasuredCurve):
            return ""
        place = int((self.seen.levels[query] <= spend * _ROUNDING).sum())
        return str(self.levels[query, place - 1]) if place else ""


def measured_market(stream: Stream, entry: StreamEntry | None = None, *, is_bundled: bool = True) -> Market:
    """Queries whose outcomes are known.

    Args:
        stream: Their outcomes. Of more than `MOST_QUERIES` an even sample is taken; MACs are counted in millions.
        entry: Its line in the list of a folder of streams; None for a user's file.
        is_bundled: Whether that folder is the one that comes with compecon.
    """
    n_all = len(stream.queries)
    stream = stream.part(_sample(n_all))
    scale = _MILLION if stream.unit == "MACs" else 1.0
    curves = stream.curves().rescaled(scale)
    if entry is None:
        description = " ".join((YOURS.format(n=f"{n_all:,}"), *stream.notes))
    else:
        description = (HINDSIGHT if is_bundled else _OWN).format(description=entry.description)
    unit = "million MACs" if scale > 1 else stream.unit

    def used(spend: Numbers) -> Numbers:
        if stream.tokens is not None:
            return stream.spent(spend * scale) / scale
        place = (curves.levels <= spend[:, None]).sum(axis=1) - 1  # no more than the level that a budget reaches
        reached = np.take_along_axis(curves.levels, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return np.where(place >= 0, reached, 0.0)

    enough, most = float(curves.most.sum()), float(curves.levels[:, -1].sum())
    beyond = np.geomspace(enough, most, _HIGH + 1)[1:] if most > enough > 0 else np.empty(0)
    budgets = np.concatenate([np.linspace(0.0, enough or most or 1.0, _LOW), beyond])
    title = entry.title if entry else stream.name
    names = stream.names
    if entry is not None and len(entry.levels) == stream.levels.shape[1]:
        names = np.broadcast_to(np.array(entry.levels), stream.levels.shape)
    return Market(
        title, description + _sampled(n_all), unit, stream.queries, curves, curves, curves.value, used, budgets,
        is_drawn=False, levels=names, level_title="Size" if entry else "Send to",
    )  # fmt: skip


def formula_market(name: str, queries: Sequence[str], utility: Utility) -> Market:
    """Queries whose curves are given by a formula, or were fitted to attempts, from a user's file.

    Args:
        name: Of the file.
        queries: Ids.
        utility: Their curves in tokens, in the same order; of more than `MOST_QUERIES` an even sample is taken.
    """
    n_all, places = len(queries), _sample(len(queries))
    curves = utility.take(places)
    most = float(np.minimum(curves.most, curves.demand(curves.choke_price * _LEAST_PRICE)).sum())
    return Market(
        name,
        FORMULA.format(n=f"{n_all:,}") + _sampled(n_all),
        "tokens",
        tuple(queries[place] for place in places),
        curves,
        curves,
        curves.value,
        lambda spend: spend,
        np.linspace(0.0, most or 1.0, _LOW),
        is_drawn=False,
        worth="value of the curves",
    )


def _sample(n: int) -> NDArray[np.intp]:
    """Places of at most `MOST_QUERIES` of so many queries, evenly apart."""
    return np.asarray(np.arange(min(n, MOST_QUERIES)) * n // min(n, MOST_QUERIES), dtype=np.intp)


def _sampled(n: int) -> str:
    if n <= MOST_QUERIES:
        return ""
    return f" Shown is an even sample of {MOST_QUERIES:,}; budgets are theirs, {MOST_QUERIES / n:.1%} of the file's."


def drawn_market(mixture: Mixture, belief: Belief, noise: float, *, n_queries: int = MOST_QUERIES) -> Market:
    """Queries drawn at random.

    Args:
        mixture: How many of each kind.
        belief: Which curve a rule takes a query to have; its threshold is predicted.
        noise: Error of the predicted thresholds' logarithm, at least 0.
        n_queries: How many.
    """
    stream = mixture.draw(n_queries)

    def curves(of: SyntheticStream) -> Utility:
        return of.surge() if belief == "surge" else of.truncation(with_ceilings=belief == "solvable")

    truth = curves(stream)
    return Market(
        mixture.name,
        DRAWN.format(n=n_queries),
        "tokens",
        tuple(f"{mixture.name.lower()}-{place:03d}" for place in range(n_queries)),
        curves(stream.predicted(noise)) if noise else truth,
        truth,
        lambda spend: stream.correct(spend).astype(np.float64),
        lambda spend: np.minimum(spend, stream.lengths),
        _MEAN_BUDGETS * n_queries,
        is_drawn=True,
        worth=_WORTH[belief],
    )
