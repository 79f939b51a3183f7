"""Numbers and words of cards, records and reports, which are of unknown origin, checked one by one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from compecon.views.checked_values import number, text
from compecon.views.frontier.frontier_points import Reading

_MOST_LAYERS = 512
_MOST_UNITS = 10**7
_MOST_LETTERS = 120
_MOST_COUNTED = 10**15


def reading(values: Any, *path: str, key: str = "value") -> Reading | None:
    """A number with its interval; an interval that does not hold the number is dropped.

    Args:
        values: JSON values.
        path: Names that lead to an object with "low", "high" and the number.
        key: Name of the number.
    """
    value, low, high = (number(values, *path, name) for name in (key, "low", "high"))
    if value is None:
        return None
    if low is None or high is None or not low <= value <= high:
        return Reading(value)
    return Reading(value, low, high)


def positive(values: Any, *path: str) -> float | None:
    """A number above zero, or None."""
    found = number(values, *path)
    return found if found is not None and found > 0 else None


def whole(values: Any, *path: str) -> int | None:
    """A whole number from 0 to 10^15, or None."""
    found = number(values, *path)
    return int(found) if found is not None and 0 <= found <= _MOST_COUNTED and found.is_integer() else None


def part(values: Any, *path: str) -> float | None:
    """A share in [0, 1], or None."""
    found = number(values, *path)
    return found if found is not None and 0 <= found <= 1 else None


def counts(values: Any, name: str) -> tuple[int, ...]:
    """Units per layer, as a list of whole numbers; () for anything else."""
    found = values.get(name) if isinstance(values, Mapping) else None
    if not isinstance(found, Sequence) or isinstance(found, str) or len(found) > _MOST_LAYERS:
        return ()
    return tuple(found) if all(type(one) is int and 0 <= one <= _MOST_UNITS for one in found) else ()


def words(values: Any, *path: str) -> str:
    """A text in one line and of a bounded length; "" for anything else."""
    return one_line(text(values, *path))


def one_line(given: str) -> str:
    """A text without line breaks and control characters, cut where it gets long."""
    plain = " ".join("".join(letter if letter.isprintable() else " " for letter in given[: 4 * _MOST_LETTERS]).split())
    return plain if len(plain) <= _MOST_LETTERS else f"{plain[: _MOST_LETTERS - 1]}…"


def percent(values: Any, *path: str) -> str:
    """A share of a record as a text; "" if there is none."""
    found = part(values, *path)
    return "" if found is None else f"{found:.1%}"


def difference(of: Reading | None, parent: Reading | None) -> Reading | None:
    """A number minus its parent's, without an interval, which would need both on the same rows."""
    return None if of is None or parent is None else Reading(of.value - parent.value)


def ratio(of: float | None, by: float | None) -> Reading | None:
    """A cost by its parent's; None if one is missing or the ratio is not finite."""
    found = of / by if of is not None and by else 0.0
    return Reading(found) if 0 < found < math.inf else None


def costs_of(
    known: Mapping[str, Reading | float | None], latencies: Iterable[Any] = ()
) -> tuple[dict[str, Reading], str]:
    """The costs that are known, and the setting of the first time among them; "" if no time was measured.

    Args:
        known: Costs by name.
        latencies: Records of measured ratios of times: each is a cost under its setting, the first also as "latency".
    """
    costs = {name: cost if isinstance(cost, Reading) else Reading(float(cost)) for name, cost in known.items() if cost}
    device = ""
    for latency in latencies:
        found = reading(latency, key="ratio")
        if found is not None and found.value > 0:
            setting = setting_of(latency)
            costs[f"latency: {setting}"] = found
            costs.setdefault("latency", found)
            device = device or setting
    return costs, device


def setting_of(latency: Any) -> str:
    """What a time was measured on: "cpu, 1 thread, 8 × 64 tokens"."""
    threads, batch, n_tokens = (whole(latency, name) for name in ("threads", "batch", "n_tokens"))
    parts = (
        words(latency, "device") or "an unnamed device",
        f"{threads} thread{'' if threads == 1 else 's'}" if threads else "",
        f"{batch} × {n_tokens} tokens" if batch and n_tokens else "",
    )
    return ", ".join(filter(None, parts))
