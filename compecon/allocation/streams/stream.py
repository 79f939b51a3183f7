"""Streams of queries whose outcome at several budgets is known: measured, or from a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from compecon.allocation.streams.answers import Answers, Form, answers_of
from compecon.allocation.streams.prices import Prices
from compecon.allocation.streams.row_files import RowFile, read_rows
from compecon.allocation.utilities.arrays import Numbers
from compecon.allocation.utilities.step_curves import MeasuredCurve

_NAMED = 8  # ignored columns
_ROUNDING = 1 + 1e-9


@final
@dataclass(frozen=True, eq=False)
class Stream:
    """Queries, and how each does at the budgets that were tried.

    Attributes:
        name: Name of the stream.
        queries: Ids, one per query, no two alike.
        levels: Budgets that were tried, shape (query, level), at least 0 and rising; a query with fewer repeats its
            last one.
        correct: Share of correct answers at each, shape (query, level), in [0, 1]; 0 or 1 if tried once.
        tokens: What was used, shape (query, level), at least 0; the budgets themselves if None.
        unit: What budgets count: "tokens", "keys", "MACs", "money".
        names: What each level is called, shape (query, level), such as a model to send the query to; None if nothing.
        cut: Share of answers that a limit ended, shape (query, level), in [0, 1]; None if that is not known.
        notes: What was done to the file that it is from, sentences.

    Raises:
        ValueError: If shapes differ, an id occurs twice, or a number is out of its range.

    Examples:
        >>> stream = Stream("mine", ("a", "b"), np.array([[1.0, 2], [1, 2]]), np.array([[0.0, 1], [1, 1]]))
        >>> stream.curves().value([2, 0.5]).tolist()
        [1.0, 0.0]
    """

    name: str
    queries: tuple[str, ...]
    levels: Numbers
    correct: Numbers
    tokens: Numbers | None = None
    unit: str = "tokens"
    names: NDArray[np.str_] | None = None
    cut: Numbers | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.queries)) < len(self.queries):
            doubled = Counter(self.queries).most_common(1)[0][0]
            raise ValueError(f"query ids must differ, but {doubled!r} occurs twice. Rename one.")
        if (self.correct > 1).any():
            raise ValueError(f"correct must be at most 1, got {self.correct.max()}.")
        if len(self.queries) != len(self.curves().values):
            raise ValueError(f"there are {len(self.queries)} ids for {len(self.correct)} queries.")

    def curves(self) -> MeasuredCurve:
        """A curve for each query: correct answers against budget."""
        return MeasuredCurve(self.levels, self.correct)

    def spent(self, budgets: Numbers) -> Numbers:
        """What queries use under budgets of shape (query,): no more than these."""
        if self.tokens is None:
            return budgets
        place = (self.levels <= budgets[:, None]).sum(axis=1) - 1
        used = np.take_along_axis(self.tokens, np.maximum(place, 0)[:, None], axis=1)[:, 0]
        return np.where(place >= 0, np.minimum(used, budgets), 0.0)

    def names_at(self, spend: Numbers) -> list[str]:
        """What the level is called that each spend of shape (query,) reaches; "" below the first one and for none."""
        if self.names is None:
            return [""] * len(self.queries)
        return [
            str(names[place]) if place >= 0 else "" for names, place in zip(self.names, self._at(spend), strict=True)
        ]

    def cut_at(self, spend: Numbers) -> list[float]:
        """Share of the answers there that a limit ended, in [0, 1]; 0 below the first level."""
        if self.cut is None:
            return [0.0] * len(self.queries)
        return [float(row[place]) if place >= 0 else 0.0 for row, place in zip(self.cut, self._at(spend), strict=True)]

    def _at(self, spend: Numbers) -> list[int]:
        """Place of the level that each spend reaches; -1 below the first one."""
        places: list[int] = ((self.levels <= spend[:, None] * _ROUNDING).sum(axis=1) - 1).tolist()
        return places

    def part(self, queries: Sequence[int] | NDArray[np.intp]) -> Stream:
        """Only these queries, by place."""
        places = np.asarray(queries, dtype=np.intp)
        return replace(
            self,
            queries=tuple(self.queries[place] for place in places),
            levels=self.levels[places],
            correct=self.correct[places],
            tokens=None if self.tokens is None else self.tokens[places],
            names=None if self.names is None else self.names[places],
            cut=None if self.cut is None else self.cut[places],
        )


def read_stream(path: Path, *, unit: str = "tokens", prices: Prices | None = None) -> Stream:
    """A stream from a file with a row for each answer: of a query, at a level.

    Args:
        path: CSV, TSV or JSON Lines, packed or not, with columns of `LOG_COLUMNS`; other columns are ignored, and the
            order of rows does not matter. Levels are told apart by ``budget``, or by ``model``, ``effort`` and
            ``action``; several answers of a query at a level are averaged.
        unit: What budgets count where they are a column: "tokens", "keys", "MACs".
        prices: What tokens cost; budgets are money then.

    Returns:
        The stream, named after the file. Its notes say what was averaged, hashed, cut and ignored.

    Raises:
        StreamError: If the file cannot be read, a column is missing, or cells are out of range, all of which are listed
            with their lines.

    Examples:
        >>> from compecon.paths import assets
        >>> stream = read_stream(assets() / "streams" / "sentiment-keys.jsonl.gz", unit="keys")
        >>> stream.name, len(stream.queries), stream.levels[0].tolist()
        ('sentiment-keys', 400, [1.0, 2.0, 4.0, 8.0, 13.0, 13.0])
    """
    return stream_of(read_rows(path), unit=unit, prices=prices)


def stream_of(file: RowFile, *, unit: str = "tokens", prices: Prices | None = None) -> Stream:
    """A stream from rows that were read; raises as `read_stream`."""
    form = Form.of(file, prices)
    if not (file.has("cut") or file.has("finish_reason")):
        file.need("correct")
    found = answers_of(file, form)
    spend, correct, tokens, cut = np.moveaxis(found.means, -1, 0)
    with_tokens = form.spending == "budget" and file.has("tokens")
    return Stream(
        file.name.split(".")[0],
        found.queries,
        spend,
        correct,
        tokens if with_tokens else None,
        "money" if form.is_money else unit,
        found.names,
        cut if found.cut else None,
        tuple(_notes(file, form, found)),
    )


def _notes(file: RowFile, form: Form, found: Answers) -> Iterator[str]:
    """What was done to a file."""
    if form.names:
        yield f"Levels are named by {' and '.join(form.names)}."
    if form.prices is not None:
        yield f"Costs are tokens at the prices of {form.prices.name}, per million."
    if file.hashed:
        plural = f"{file.hashed:,} queries are texts and are" if file.hashed > 1 else "1 query is a text and is"
        yield f"{plural} named by a hash (the first 12 digits of SHA-256)."
    if found.repeated:
        plural = "s were" if found.repeated > 1 else " was"
        yield f"{found.repeated:,} repeated sample{plural} averaged with the others of the same query and level."
    if found.cut:
        plural = "answers were" if found.cut > 1 else "answer was"
        yield (
            f"{found.cut:,} {plural} cut by a limit: what more would have brought is unknown, so these count as they "
            "were scored, and as not correct without a score."
        )
    if ignored := file.ignored:
        more = f" and {len(ignored) - _NAMED} more" if len(ignored) > _NAMED else ""
        yield f"Ignored columns: {', '.join(ignored[:_NAMED])}{more}."
