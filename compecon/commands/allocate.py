"""`compecon allocate`: share a budget among the queries of a file."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from compecon.allocation.rules import RULES
from compecon.commands.home import print_json
from compecon.commands.options import Json
from compecon.errors import CompeconError, StreamError

if TYPE_CHECKING:
    from compecon.allocation.bounded import Allocation
    from compecon.allocation.streams.curves_file import NamedCurves

_DEFAULT, _STRICT = "shadow-price-repaired", "shadow-price"
_N_SHOWN = 20
_FILE = (
    "CSV, TSV or JSON Lines, packed or not. A row for each answer: query, correct, and what tells levels apart (model, "
    "effort, action or budget) and what it cost (tokens or cost); or attempts: query, correct, tokens; or parameters "
    "of curves."
)
_PRICES = "Price per million tokens: CSV with model, input, output, or JSON. Budgets are money then."


def allocate(  # noqa: PLR0913 - one option each
    file: Annotated[Path, typer.Argument(help=_FILE, show_default=False)],
    budget: Annotated[float, typer.Option(help="Total budget: tokens, or money if the file or the prices say costs.")],
    rule: Annotated[str, typer.Option(help=f"Allocation rule: {', '.join(RULES)}.")] = _DEFAULT,
    floor: Annotated[float, typer.Option(min=0, help="Minimum for each query.")] = 0.0,
    cap: Annotated[float | None, typer.Option(min=0, help="Maximum for each query; default: no limit.")] = None,
    prices: Annotated[Path | None, typer.Option(help=_PRICES)] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Whole tokens only.")] = False,
    json: Json = False,
) -> None:
    """Share a budget among queries, and report the price, abandoned queries, and the gap to the upper bound."""
    from compecon.allocation.streams.curves_file import read_curves
    from compecon.allocation.streams.prices import read_prices

    try:
        named = read_curves(file, prices=None if prices is None else read_prices(prices))
        limited = named.utility.within(floor=floor, cap=cap)
        found = RULES.make(rule, whole=whole).allocate(limited, budget)
        strict = RULES.make(_STRICT, whole=whole).allocate(limited, budget)
    except StreamError:
        raise
    except ValueError as error:
        raise CompeconError(f"{str(error)[:1].upper()}{str(error)[1:]}") from error
    content = _fields(replace(named, utility=limited), found, rule, budget)
    if rule == _DEFAULT:
        left_out = int(strict.abandoned(limited).sum())
        content["strict"] = {"value": strict.value, "spent": strict.spent, "abandoned": left_out}
    if json:
        print_json(content)
        return
    for line in _lines(content):
        typer.echo(line)


def _fields(named: NamedCurves, found: Allocation, rule: str, budget: float) -> dict[str, Any]:
    utility, abandoned = named.utility, found.abandoned(named.utility)
    columns = (named.queries, found.spend, utility.value(found.spend), found.surplus(utility))
    queries = [
        {"query": query, "spend": float(tokens), "value": float(worth), "surplus": float(rest), "abandoned": bool(out)}
        for query, tokens, worth, rest, out in zip(*columns, abandoned, strict=True)
    ]
    stream = named.stream
    if stream is not None:
        for query, level, cut in zip(queries, stream.names_at(found.spend), stream.cut_at(found.spend), strict=True):
            query |= {} if stream.names is None else {"send_to": level or None}
            query |= {} if stream.cut is None else {"cut": cut}
    return {
        "rule": rule,
        "curves": named.kind,
        "unit": named.unit,
        "notes": [] if stream is None else list(stream.notes),
        "budget": budget,
        "spent": found.spent,
        "price": found.price,
        "value": found.value,
        "upper_bound": found.upper_bound,
        "gap": found.gap,
        "abandoned": int(abandoned.sum()),
        "unsolved": list(named.unsolved),
        "queries": queries,
    }


def _lines(content: dict[str, Any]) -> list[str]:
    price = "none" if content["price"] is None else f"{content['price']:.6g}"
    shown = [_line(query) for query in content["queries"][:_N_SHOWN]]
    unit = "" if content["unit"] == "tokens" else f" ({content['unit']})"
    more, unsolved = len(content["queries"]) - len(shown), len(content["unsolved"])
    return [
        f"{content['rule']}: value {content['value']:.6g}, upper bound {content['upper_bound']:.6g}",
        f"price {price}; spent {content['spent']:g} of {content['budget']:g}{unit}; "
        f"{content['abandoned']} of {len(content['queries'])} queries abandoned",
        *_strictly(content),
        *_levels(content["queries"]),
        *content["notes"],
        *shown,
        *([f"{unsolved} more queries were never answered correctly and get nothing"] if unsolved else []),
        *([f"  and {more} more; --json gives all"] if more else []),
    ]


def _line(query: dict[str, Any]) -> str:
    """What one query gets."""
    cut = f", {query['cut']:.0%} of its answers there were cut" if query.get("cut") else ""
    if "send_to" not in query:
        return f"  {query['query']}: {query['spend']:g}, worth {query['value']:.6g}{cut}"
    if query["send_to"] is None:
        return f"  {query['query']}: abandoned"
    return f"  {query['query']}: send it to {query['send_to']}, {query['spend']:.6g}, worth {query['value']:.6g}{cut}"


def _levels(queries: list[dict[str, Any]]) -> list[str]:
    """How many queries go to each level, the most first."""
    counts = Counter(query["send_to"] for query in queries if query.get("send_to"))
    if not counts:
        return []
    return [f"send to: {', '.join(f'{level} {n:,}' for level, n in counts.most_common(_N_SHOWN))}"]


def _strictly(content: dict[str, Any]) -> list[str]:
    """What the paper's rule would leave, if that is more."""
    strict = content.get("strict")
    if strict is None or strict["abandoned"] <= content["abandoned"]:
        return []
    return [
        f"at one price for all (--rule {_STRICT}), which serves equal queries all or none: value "
        f"{strict['value']:.6g}, spent {strict['spent']:g}, {strict['abandoned']} abandoned"
    ]
