"""The points of a frontier as a table, for people and for other programs."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import final

from compecon.files.csv_writer import csv_text
from compecon.views.frontier.frontier_view import FrontierMark, FrontierView


@final
@dataclass(frozen=True)
class TableRow:
    """A point with all its numbers; what is None is not known.

    Attributes:
        name: For people.
        family: Its kind.
        standing: On the front, tied with it, dominated, quoted, running or failed.
        quality: The task's metric.
        quality_low: Lower end of its 95% interval.
        quality_high: Upper end.
        change: From its own dense parent.
        change_low: Lower end of its 95% interval.
        change_high: Upper end.
        macs: Of a forward pass over one text.
        n_tokens: Length of that text.
        share: MACs / MACs of the dense parent.
        latency: Time by that of the dense parent, measured.
        device: What it was measured on.
        parameters: Weights.
        training_macs: Spent on it after its dense parent was there.
        seed: Of its training.
        price: Of compute.
        setting: In what quoted numbers differ from ours.
        source: Where the numbers are from.
        key: Its unique name.
    """

    name: str
    family: str
    standing: str
    quality: float | None
    quality_low: float | None
    quality_high: float | None
    change: float | None
    change_low: float | None
    change_high: float | None
    macs: float | None
    n_tokens: int | None
    share: float | None
    latency: float | None
    device: str
    parameters: float | None
    training_macs: float | None
    seed: int | None
    price: float | None
    setting: str
    source: str
    key: str


def table_rows(view: FrontierView, keys: Collection[str] = ()) -> tuple[TableRow, ...]:
    """Rows of the points that a view shows.

    Args:
        view: The view.
        keys: Those that are wanted; all if empty.

    Returns:
        The best first.
    """
    wanted = frozenset(keys)
    marks = [mark for mark in view.marks if not wanted or mark.point.key in wanted]
    sign = -1 if view.higher_is_better else 1
    return tuple(_row(mark) for mark in sorted(marks, key=lambda mark: (sign * mark.y, mark.x, mark.point.key)))


def _row(mark: FrontierMark) -> TableRow:
    point = mark.point
    quality, change = point.quality or _NONE, point.change or _NONE
    costs = {name: point.costs[name].value if name in point.costs else None for name in _COSTS}
    return TableRow(
        name=point.name,
        family=point.family,
        standing=mark.standing,
        quality=quality.value,
        quality_low=quality.low,
        quality_high=quality.high,
        change=change.value,
        change_low=change.low,
        change_high=change.high,
        n_tokens=point.n_tokens,
        device=point.device,
        seed=point.seed,
        price=point.price,
        setting=point.setting,
        source=point.source,
        key=point.key,
        **costs,
    )


_COSTS = ("macs", "share", "latency", "parameters", "training_macs")


@final
@dataclass(frozen=True)
class _Unknown:
    value: None = None
    low: None = None
    high: None = None


_NONE = _Unknown()


def table_csv(rows: Collection[TableRow]) -> str:
    """The table under the names of :class:`TableRow`, a line a point."""
    names = [field.name for field in fields(TableRow)]
    return csv_text(names, ({name: getattr(row, name) for name in names} for row in rows))
