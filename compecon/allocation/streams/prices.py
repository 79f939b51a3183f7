"""What tokens cost: a price per million for each model, as providers quote it, in any one currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from compecon.allocation.streams.row_files import CellError, amount_in, name_in
from compecon.errors import StreamError, did_you_mean
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.tables.problems import Problem, refusal
from compecon.tables.reader import Row, read_table

_COLUMNS = ("model", "input", "output")
_MOST = 1e9  # per million tokens
_PER = 1e6
_NAMED = 8  # models in a message
_FORM = 'Give CSV with the columns model, input, output, or JSON such as {"strong": {"input": 3, "output": 15}}.'


@final
@dataclass(frozen=True)
class Prices:
    """A price table.

    Attributes:
        name: Of its file.
        of: Price of a million tokens read and of a million written, by model, each at least 0.

    Examples:
        >>> Prices("prices.csv", {"strong": (3.0, 15.0)}).of["strong"]
        (3.0, 15.0)
    """

    name: str
    of: Mapping[str, tuple[float, float]]

    def covers(self, rows: Iterable[Row]) -> None:
        """Refuse rows with a model that has no price.

        Raises:
            StreamError: If there is one; all such models are named, with where the first of them stands.
        """
        absent = dict[str, str]()
        for row in rows:
            model = str(row.cells.get("model", "")).strip()
            if model and model not in self.of:
                absent.setdefault(model, row.where)
        if absent:
            models = ", ".join(repr(model[:60]) for model in list(absent)[:_NAMED])
            more = f" and {len(absent) - _NAMED:,} more" if len(absent) > _NAMED else ""
            near = did_you_mean(next(iter(absent)), self.of) if len(absent) == 1 else ""
            raise StreamError(
                f"{next(iter(absent.values()))}: no price in {self.name} for model {models}{more}.{near} Add "
                f"{'a row' if len(absent) == 1 else 'rows'} to it; it has {', '.join(map(repr, [*self.of][:_NAMED]))}."
            )

    def cost(self, row: Row, most: float) -> float:
        """What the answer in a row cost, by its model and the tokens read and written, each at most so many.

        Raises:
            CellError: If it names no model, or a number of tokens is none.
        """
        read, written = self.of[name_in(row, "model")]
        return (read * amount_in(row, "input_tokens", most) + written * amount_in(row, "output_tokens", most)) / _PER


def read_prices(path: Path) -> Prices:
    """A price table from a small file.

    Args:
        path: CSV, TSV or JSON Lines with the columns ``model``, ``input`` and ``output``, prices per million tokens; or
            JSON, an object with ``input`` and ``output`` for each model.

    Raises:
        StreamError: If it cannot be read, or a price is missing, below 0, or given twice.
    """
    of, problems = dict[str, tuple[float, float]](), list[Problem]()
    for row in _rows(path):
        try:
            model, price = _price(row)
            if model in of:
                raise CellError(row, f"model {model[:60]!r} has a price twice", "Remove one.")
        except CellError as bad:
            problems.append(bad.problem)
        else:
            of[model] = price
    if problems:
        raise StreamError(refusal(problems, path.name))
    if not of:
        raise StreamError(f"{path.name} has no prices. {_FORM}")
    return Prices(path.name, of)


def _rows(path: Path) -> list[Row]:
    try:
        if path.suffix.lower() == ".json":
            return _json_rows(read_json(path, MEGABYTE, error=StreamError), path.name)
        return list(read_table(path, _COLUMNS, limit=MEGABYTE, error=StreamError, cure=_FORM).rows)
    except FileNotFoundError:
        raise StreamError(f"{path} does not exist.") from None


def _price(row: Row) -> tuple[str, tuple[float, float]]:
    if row.problem:
        raise CellError(row, row.problem.what, row.problem.cure)
    return name_in(row, "model"), (amount_in(row, "input", _MOST), amount_in(row, "output", _MOST))


def _json_rows(content: Any, name: str) -> list[Row]:
    if not isinstance(content, dict) or not all(isinstance(each, dict) for each in content.values()):
        raise StreamError(f"{name} is no object with an object for each model. {_FORM}")
    return [Row(f"{name}, {model[:60]!r}", {**price, "model": model}) for model, price in content.items()]
