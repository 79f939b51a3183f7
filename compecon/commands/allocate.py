"""`compecon allocate`: share a budget among the queries of a file."""

from __future__ import annotations

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
_COLUMNS = "query, budget, correct; or query, tokens, correct of attempts; or query and parameters"


def allocate(  # noqa: PLR0913 - one option each
    curves: Annotated[Path, typer.Option(help=f"CSV or JSON Lines. Columns: {_COLUMNS}.")],
    budget: Annotated[float, typer.Option(help="Total budget, in the unit of the file's budgets.")],
    rule: Annotated[str, typer.Option(help=f"Allocation rule: {', '.join(RULES)}.")] = _DEFAULT,
    floor: Annotated[float, typer.Option(min=0, help="Minimum for each query.")] = 0.0,
    cap: Annotated[float | None, typer.Option(min=0, help="Maximum for each query; default: no limit.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Whole tokens only.")] = False,
    json: Json = False,
) -> None:
    """Share a budget among queries, and report the price, abandoned queries, and the gap to the upper bound."""
    from compecon.allocation.streams.curves_file import read_curves

    try:
        named = read_curves(curves)
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
    return {
        "rule": rule,
        "curves": named.kind,
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
    shown = [f"  {q['query']}: {q['spend']:g}, worth {q['value']:.6g}" for q in content["queries"][:_N_SHOWN]]
    more, unsolved = len(content["queries"]) - len(shown), len(content["unsolved"])
    return [
        f"{content['rule']}: value {content['value']:.6g}, upper bound {content['upper_bound']:.6g}",
        f"price {price}; spent {content['spent']:g} of {content['budget']:g}; "
        f"{content['abandoned']} of {len(content['queries'])} queries abandoned",
        *_strictly(content),
        *shown,
        *([f"{unsolved} more queries were never answered correctly and get nothing"] if unsolved else []),
        *([f"  and {more} more; --json gives all"] if more else []),
    ]


def _strictly(content: dict[str, Any]) -> list[str]:
    """What the paper's rule would leave, if that is more."""
    strict = content.get("strict")
    if strict is None or strict["abandoned"] <= content["abandoned"]:
        return []
    return [
        f"at one price for all (--rule {_STRICT}), which serves equal queries all or none: value "
        f"{strict['value']:.6g}, spent {strict['spent']:g}, {strict['abandoned']} abandoned"
    ]
