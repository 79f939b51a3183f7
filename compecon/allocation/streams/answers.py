"""Answers of a log, put together: what each query costs and earns at each level."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.streams.columns import LEVEL_NAMES
from compecon.allocation.streams.prices import Prices
from compecon.allocation.streams.row_files import CellError, RowFile, amount_in, is_cut, name_in
from compecon.allocation.utilities.arrays import Numbers
from compecon.errors import StreamError
from compecon.tables.reader import Row

MOST = 1e15  # of a row: sums of millions of them are finite, and exact in whole units
_MOST_CELLS = 50_000_000
_JOINT = " · "

Spending: TypeAlias = Literal["priced", "cost", "tokens", "budget"]


class Answer(NamedTuple):
    """One row."""

    level: str  # its name; "" if levels have none
    budget: float | None  # its limit, where that tells levels apart
    spend: float  # what it cost, in the unit of the budget to share
    correct: float  # 0 to 1
    tokens: float  # used; what it cost where that is not known
    cut: bool  # whether its limit ended it


@final
@dataclass(frozen=True)
class Form:
    """How the rows of a file are to be understood, by its columns."""

    names: tuple[str, ...]  # columns that name a level
    spending: Spending  # what an answer costs
    by_budget: bool  # whether the limit tells levels apart
    prices: Prices | None

    @classmethod
    def of(cls, file: RowFile, prices: Prices | None) -> Form:
        """The form of a file.

        Raises:
            StreamError: If a column is missing.
        """
        names = tuple(name for name in LEVEL_NAMES if file.has(name))
        if prices is not None:
            file.need("model", "input_tokens", "output_tokens", cure=f"The prices of {prices.name} need it.")
            prices.covers(file.rows)
            return cls(names, "priced", file.has("budget"), prices)
        if file.has("cost"):
            return cls(names, "cost", file.has("budget"), None)
        if names and (file.has("tokens") or file.has("input_tokens", "output_tokens")):
            return cls(names, "tokens", file.has("budget"), None)
        cure = "Otherwise name the levels (model, effort or action) and give what answers cost (tokens or cost)."
        file.need("budget", cure=cure)
        return cls(names, "budget", by_budget=True, prices=None)

    @property
    def is_money(self) -> bool:
        """Whether budgets are money."""
        return self.spending in ("priced", "cost")

    def answer(self, row: Row) -> Answer:
        """What a row says; raises CellError if it says nothing usable."""
        level, cut = _JOINT.join(name_in(row, name) for name in self.names), is_cut(row)
        budget = amount_in(row, "budget", MOST) if self.by_budget else None
        correct = 0.0 if cut and "correct" not in row.cells else amount_in(row, "correct", 1)
        if self.prices is not None:
            spend = self.prices.cost(row, MOST)
        elif self.spending == "tokens":
            spend = tokens_in(row)
        else:
            spend = amount_in(row, self.spending, MOST)
        used = amount_in(row, "tokens", MOST) if "tokens" in row.cells else spend
        return Answer(level, budget, spend, correct, used, cut)

    def key(self, answer: Answer) -> tuple[str, float | None]:
        """What tells levels apart: names and limits; costs if there is neither."""
        unnamed = not self.names and not self.by_budget
        return answer.level, answer.spend if unnamed else answer.budget


def tokens_in(row: Row) -> float:
    """Tokens that an answer used: read and written if these are told apart; raises CellError if that is no amount."""
    if "tokens" in row.cells:
        return amount_in(row, "tokens", MOST)
    if "input_tokens" not in row.cells and "output_tokens" not in row.cells:
        raise CellError(row, "tokens must be a number, got nothing")
    return amount_in(row, "input_tokens", MOST) + amount_in(row, "output_tokens", MOST)


@final
@dataclass(slots=True)
class _Level:
    """Answers of one query at one level."""

    n: int = 0
    sums: list[float] = field(default_factory=lambda: [0.0] * 4)  # spend, correct, tokens, cut

    def add(self, answer: Answer) -> None:
        self.n += 1
        for place, number in enumerate((answer.spend, answer.correct, answer.tokens, answer.cut)):
            self.sums[place] += number

    @property
    def means(self) -> list[float]:
        return self.sums if self.n == 1 else [each / self.n for each in self.sums]


@final
@dataclass(frozen=True, eq=False)
class Answers:
    """A table of answers; a query with fewer levels repeats its dearest one.

    Attributes:
        queries: Ids.
        means: Spend, share of correct answers, tokens, share of cut answers: shape (query, level, 4), spends rising.
        names: Of each level, shape (query, level); None if levels have none.
        repeated: How many rows were averaged away.
        cut: How many answers were cut.
    """

    queries: tuple[str, ...]
    means: Numbers
    names: NDArray[np.str_] | None
    repeated: int
    cut: int


def answers_of(file: RowFile, form: Form) -> Answers:
    """Average the samples of each query at each level.

    Raises:
        StreamError: If rows are bad (all of them are listed), or the table is too large.
    """
    found: dict[str, dict[tuple[str, float | None], _Level]] = {}
    n_cut = 0
    for _, (query, answer) in file.each(lambda row: (name_in(row, "query"), form.answer(row))):
        found.setdefault(query, {}).setdefault(form.key(answer), _Level()).add(answer)
        n_cut += answer.cut
    n_levels = max(map(len, found.values()))
    if len(found) * n_levels > _MOST_CELLS:
        raise StreamError(f"{file.name} makes a table of {len(found):,} × {n_levels:,} cells. Use fewer levels.")
    means, names = np.empty((len(found), n_levels, 4)), np.empty((len(found), n_levels), dtype=object)
    for place, levels in enumerate(found.values()):
        rising = _rising(levels, form)
        rising += [rising[-1]] * (n_levels - len(rising))
        means[place] = [row for row, _ in rising]
        names[place] = [name for _, name in rising]
    repeated = len(file.rows) - sum(map(len, found.values()))
    return Answers(tuple(found), means, names.astype(np.str_) if form.names else None, repeated, n_cut)


def _rising(levels: Mapping[tuple[str, float | None], _Level], form: Form) -> list[tuple[list[float], str]]:
    """Means and names of a query's levels, the cheapest first; of equal ones the best is last, which is bought."""
    rows = []
    for (name, limit), level in levels.items():
        means = level.means
        if form.spending == "budget" and limit is not None:
            means = [limit, *means[1:]]  # a mean of equal numbers may be another one
        rows.append((means, f"{name}{_JOINT}{limit:g}" if form.by_budget and limit is not None else name))
    return sorted(rows, key=lambda row: row[0][:2])
