"""The rows on which a new checkpoint differs most from its parent, for a person to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from compecon.evaluation.against_parent import Compared
from compecon.files.durable import plain
from compecon.tasks.language_task import LanguageTask
from compecon.tasks.task import Task

ROWS = 20
_LONGEST = 500
_LOSSES = {"classification": "cross-entropy in nats", "regression": "squared error", "language": "nats a token"}


def examples(on: Compared, parent: str) -> dict[str, Any]:
    """The rows whose loss fell and rose most; without a comparable parent, those with the least and the most of it.

    Returns:
        JSON values: "split", "parent" (None if there is no comparison), "loss" (what it is), "best" and "worst", each
        of at most 20 rows, the most extreme first; a row that did not change is in neither.
    """
    new = on.new.losses
    compares = on.difference is not None and on.parent is not None
    change = new - on.parent.losses if compares and on.parent is not None else new
    order = [int(i) for i in np.argsort(change, kind="stable") if np.isfinite(change[i])]
    fell = [i for i in order if change[i] < 0] if compares else order
    rose = [i for i in reversed(order) if change[i] > 0] if compares else order[::-1]
    return {
        "split": on.split,
        "parent": parent if compares else None,
        "loss": _LOSSES[on.task.kind],
        "best": _rows(on, fell[:ROWS], compares),
        "worst": _rows(on, rose[:ROWS], compares),
    }


def _rows(on: Compared, chosen: Sequence[int], compares: bool) -> list[dict[str, Any]]:
    before = on.parent if compares else None
    return [
        {
            **_text(on, i),
            "target": _said(on, on.new.targets[i]),
            "prediction": _said(on, on.new.predictions[i]),
            "parent_prediction": None if before is None else _said(on, before.predictions[i]),
            "loss": plain(float(on.new.losses[i])),
            "parent_loss": None if before is None else plain(float(before.losses[i])),
        }
        for i in chosen
    ]


def _text(on: Compared, row: int) -> dict[str, Any]:
    if isinstance(on.task, LanguageTask):
        return {"text": _cut(on.task.part(on.split)[row].text), "pair": None}
    part = on.task.part(on.split)
    return {"text": _cut(part.texts[row]), "pair": _cut(part.pairs[row]) if part.pairs else None}


def _said(on: Compared, value: Any) -> str | float | None:
    """A class by its name, a score as a number; a language model says neither."""
    if not isinstance(on.task, Task):
        return None
    return on.task.labels[int(value)] if on.task.kind == "classification" else plain(float(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
