"""The rows that a new checkpoint reads better, and worse, than its parent: what a person looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.views.checked_values import number, text

_MOST = 50


@final
@dataclass(frozen=True)
class ExampleRow:
    """A row of the task.

    Attributes:
        text: What was read; both texts of a pair, with a bar between them.
        target: The right answer, as text.
        prediction: The new checkpoint's.
        parent_prediction: Its parent's; "" without a comparison.
        loss: The new checkpoint's loss on the row.
        parent_loss: Its parent's; None without a comparison.
    """

    text: str
    target: str
    prediction: str
    parent_prediction: str
    loss: float | None
    parent_loss: float | None


@final
@dataclass(frozen=True)
class Examples:
    """Rows from both ends.

    Attributes:
        description: What they are sorted by, and where they come from.
        best: Those that gained most, or that have the least loss.
        worst: Those that lost most, or that have the most loss.
    """

    description: str
    best: tuple[ExampleRow, ...]
    worst: tuple[ExampleRow, ...]


def examples_view(value: Mapping[str, Any]) -> Examples:
    """What an `examples.json` holds; rows that hold no text are left out.

    Args:
        value: The file's object, which anybody may have changed.
    """
    parent, split, loss = (text(value, name) for name in ("parent", "split", "loss"))
    order = (
        f"Rows whose loss fell and rose most compared with {parent}"
        if parent
        else "Rows with the least and the most loss"
    )
    return Examples(f"{order} ({loss}), on {split}." if loss and split else f"{order}.", *map(_rows, _ends(value)))


def _ends(value: Mapping[str, Any]) -> tuple[Any, Any]:
    return value.get("best"), value.get("worst")


def _rows(rows: Any) -> tuple[ExampleRow, ...]:
    found = (_row(row) for row in rows[:_MOST]) if isinstance(rows, list) else ()
    return tuple(row for row in found if row.text)


def _row(row: Any) -> ExampleRow:
    return ExampleRow(
        text=" | ".join(filter(None, (text(row, "text"), text(row, "pair")))),
        target=_said(row, "target"),
        prediction=_said(row, "prediction"),
        parent_prediction=_said(row, "parent_prediction"),
        loss=number(row, "loss"),
        parent_loss=number(row, "parent_loss"),
    )


def _said(row: Any, name: str) -> str:
    value = number(row, name)
    return text(row, name) if value is None else f"{value:.2f}"
