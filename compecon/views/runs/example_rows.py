"""The rows on which a new checkpoint improved and worsened most against its parent: what a person looks at first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.views.checked_values import number, text

_MOST = 50


@final
@dataclass(frozen=True)
class ExampleRow:
    """A row of the task."""

    text: str  # what was read; both texts of a pair, with a bar between them
    target: str  # the right answer, as text
    prediction: str  # the new checkpoint's
    parent_prediction: str  # its parent's; "" without a comparison
    loss: float | None  # the new checkpoint's loss on the row
    parent_loss: float | None  # its parent's; None without a comparison


@final
@dataclass(frozen=True)
class Examples:
    """Rows from both ends."""

    description: str  # what they are sorted by, and where they come from
    best: tuple[ExampleRow, ...]  # those that gained most, or that have the least loss
    worst: tuple[ExampleRow, ...]  # those that lost most, or that have the most loss


def examples_view(value: Mapping[str, Any]) -> Examples:
    """What an `examples.json` holds, which may have been changed by anyone; rows without a text are left out."""
    parent, split, loss = (text(value, name) for name in ("parent", "split", "loss"))
    order = (
        f"Rows whose loss fell and rose most compared with {parent}"
        if parent
        else "Rows with the least and the most loss"
    )
    description = f"{order} ({loss}), on {split}." if loss and split else f"{order}."
    return Examples(description, _rows(value.get("best")), _rows(value.get("worst")))


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
