"""A comparison on a data set as text: in sentences and cells, as CSV and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict

from compecon.files.csv_writer import csv_text
from compecon.files.durable import plain
from compecon.views.compare.compared_heads import Selection
from compecon.views.compare.paired_rows import DatasetView, Sides
from compecon.views.compare.resamples import Band

LEVEL_COLUMNS = ("keys", "statistic", "of", "value", "low", "high")


def shown(band: Band, digits: int = 3, *, signed: bool = False) -> str:
    """A number with its interval, "0.614 [0.609, 0.620]"; a dash for none."""
    if band.value is None:
        return "–"
    form = f"{'+' if signed else ''}.{digits}f"
    value, *ends = (f"{x:{form}}".replace("-", "−") for x in (band.value, band.low, band.high) if x is not None)
    return f"{value} [{', '.join(ends)}]" if len(ends) == 2 else value


def headline(view: DatasetView) -> tuple[str, ...]:
    """What to take home, a sentence each."""
    full, scarce, metric = view.levels[0], view.levels[-1], view.metric
    found = [
        f"With all keys, Gini {_sides(full.gini)}.",
        f"{metric[:1].upper()}{metric[1:]} {_sides(full.quality)}. Their predictions differ on {view.n_disagree} of "
        f"{view.n_rows} rows.",
    ]
    if scarce is not full:
        keys = f"{scarce.keys} key{'s' if scarce.keys != 1 else ''} per query"
        found.append(f"With {keys}, {metric} {_sides(scarce.quality)}.")
    return tuple(found)


def _sides(sides: Sides) -> str:
    difference = sides.difference
    if difference.value is None or difference.low is None:
        verdict = "not comparable"
    else:
        verdict = "a clear difference" if difference.excludes_zero else "no clear difference"
    return f"of A is {shown(sides.a)}, of B {shown(sides.b)}; A − B {shown(difference, signed=True)}, {verdict}"


def selection_rows(view: DatasetView) -> tuple[tuple[str, ...], ...]:
    """The lines of the selection control's table: what it is, of Gini, of entropy in nats."""
    names = ["A, all heads", "A, only heads B kept", "B", "share from which heads survived"]
    return tuple(zip(names, *map(_cells, view.selection), strict=True))


def _cells(each: Selection) -> list[str]:
    share = "nothing differs" if each.selected is None else shown(each.selected, 2)
    if each.selected is not None and each.selected.low is None:
        share += " (no clear difference between A and B)"
    return [shown(each.everything), shown(each.survivors), shown(each.other), share]


def level_rows(view: DatasetView) -> list[tuple[str, str, str, float | None, float | None, float | None]]:
    """Lines of `LEVEL_COLUMNS`: each budget, quantity and side; keys are "all" or a number."""
    return [
        ("all" if level.keys is None else str(level.keys), name, of, one.value, one.low, one.high)
        for level in view.levels
        for name, sides in (("gini", level.gini), ("entropy", level.entropy), (view.metric, level.quality))
        for of, one in (("A", sides.a), ("B", sides.b), ("A - B", sides.difference))
    ]


def levels_csv(view: DatasetView) -> str:
    """`level_rows` as CSV."""
    return csv_text(LEVEL_COLUMNS, level_rows(view))


def view_json(view: DatasetView) -> str:
    """Everything as JSON."""
    content = {"schema": 1, **plain(asdict(view))}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
