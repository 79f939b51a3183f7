"""Checkpoints to measure the Frontier page with: made up, each over many key budgets."""

from __future__ import annotations

import numpy as np

from compecon.views.frontier.frontier_points import CurvePoint, FrontierPoint, Reading, Training

TASK, N_TOKENS = "reviews", 25
BUDGETS: tuple[int | None, ...] = (1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, None)
_FAMILIES = ("incentive", "taylor", "fisher", "magnitude", "uniform", "random", "any budget", "taylor, no recovery")
_DENSE_MACS, _HALF_WIDTH = 134e6, 0.016


def made_points(number: int, seed: int = 0) -> tuple[FrontierPoint, ...]:
    """At least 2 points of one task, scattered below a front, with intervals, the last one dense."""
    generator = np.random.default_rng(seed)
    shares = [*generator.uniform(0.2, 0.98, number - 1).tolist(), 1.0]
    losses = [*generator.exponential(0.02, number - 1).tolist(), 0.0]
    return tuple(_point(order, share, loss) for order, (share, loss) in enumerate(zip(shares, losses, strict=True)))


def _point(order: int, share: float, loss: float) -> FrontierPoint:
    family = "dense" if share == 1 else _FAMILIES[order % len(_FAMILIES)]
    full = 0.88 - 0.06 * (1 - share) ** 2 - loss
    return FrontierPoint(
        key=f"made/{order}",
        name=f"Made-up checkpoint {order}",
        family=family,
        origin="local",
        task=TASK,
        metric="accuracy",
        split="test",
        quality=_reading(full),
        change=_reading(full - 0.88),
        costs={"macs": Reading(share * _DENSE_MACS), "share": Reading(share)},
        n_tokens=N_TOKENS,
        training=Training(seed=order),
        checkpoint=f"made-{order}",
        source="made up",
        curve=tuple(CurvePoint(keys, None, _reading(_at(full, keys))) for keys in BUDGETS),
    )


def _at(full: float, keys: int | None) -> float:
    """Quality falls towards chance as keys do."""
    return full if keys is None else 0.5 + (full - 0.5) * (1 - 0.6 / keys)


def _reading(value: float) -> Reading:
    return Reading(value, value - _HALF_WIDTH, value + _HALF_WIDTH)
