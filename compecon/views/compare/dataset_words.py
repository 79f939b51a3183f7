"""A comparison on a data set in sentences and cells."""

from __future__ import annotations

from compecon.views.compare.compared_heads import Selection
from compecon.views.compare.paired_rows import DatasetView
from compecon.views.compare.resamples import Band


def shown(band: Band, digits: int = 3, *, signed: bool = False) -> str:
    """A number with its interval, "0.614 [0.609, 0.620]"; a dash for none."""
    if band.value is None:
        return "–"
    sign = "+" if signed else ""
    value, *ends = (_number(x, f"{sign}.{digits}f") for x in (band.value, band.low, band.high) if x is not None)
    return f"{value} [{', '.join(ends)}]" if len(ends) == 2 else value


def _number(value: float, form: str) -> str:
    return f"{value:{form}}".replace("-", "−")


def headline(view: DatasetView) -> tuple[str, ...]:
    """What to take home, a sentence each."""
    full, scarce, metric = view.levels[0], view.levels[-1], view.metric
    found = [
        f"With all keys, Gini of A is {shown(full.gini.a)}, of B {shown(full.gini.b)}; A − B "
        f"{shown(full.gini.difference, signed=True)}, {_verdict(full.gini.difference)}.",
        f"{metric[:1].upper()}{metric[1:]} of A is {shown(full.quality.a)}, of B {shown(full.quality.b)}; A − B "
        f"{shown(full.quality.difference, signed=True)}, {_verdict(full.quality.difference)}. Their "
        f"predictions differ on {view.n_disagree} of {view.n_rows} rows.",
    ]
    if scarce is not full:
        keys = f"{scarce.keys} key{'s' if scarce.keys != 1 else ''} per query"
        found.append(
            f"With {keys}, {metric} of A is {shown(scarce.quality.a)}, of B {shown(scarce.quality.b)}; A − B "
            f"{shown(scarce.quality.difference, signed=True)}, {_verdict(scarce.quality.difference)}."
        )
    return tuple(found)


def selection_rows(view: DatasetView) -> tuple[tuple[str, ...], ...]:
    """The lines of the selection control's table: what it is, of Gini, of entropy in nats."""
    names = ["A, all heads", "A, only heads B kept", "B", "share from which heads survived"]
    return tuple(zip(names, *map(_cells, view.selection), strict=True))


def _cells(each: Selection) -> list[str]:
    if each.selected is None:
        share = "nothing differs"
    elif each.selected.low is None:
        share = f"{shown(each.selected, 2)} (no clear difference between A and B)"
    else:
        share = shown(each.selected, 2)
    return [shown(each.everything), shown(each.survivors), shown(each.other), share]


def _verdict(difference: Band) -> str:
    if difference.value is None or difference.low is None:
        return "not comparable"
    return "a clear difference" if difference.excludes_zero else "no clear difference"
