"""The size of each step of an elastic training: large ones first, then all of them mixed."""

from __future__ import annotations

import math

import numpy as np

from compecon.errors import SettingError
from compecon.training.elastic_settings import ElasticSettings


def elastic_schedule(elastic: ElasticSettings, steps: int, seed: int) -> tuple[float, ...]:
    """Draw a budget for each step.

    Each step of a size gets a moment, drawn evenly from when the size may begin to 1, and steps are taken in the order
    of their moments. The largest size may begin at 0, the smallest at `last_start`, and the others at a part of that in
    proportion to the logarithm of their budget.

    Args:
        elastic: The budgets.
        steps: How many; at least one for each budget.
        seed: Of the order.

    Raises:
        SettingError: If there are fewer steps than budgets.
    """
    budgets = elastic.budgets
    if steps < len(budgets):
        raise SettingError("steps", f"must be at least {len(budgets)}, one for each elastic size, got {steps}.")
    numbers = _numbers([budget**-elastic.steps_power for budget in budgets], steps)
    depth = math.log(budgets[0] / budgets[-1])
    starts = [elastic.last_start * math.log(budgets[0] / budget) / depth for budget in budgets]
    drawn = np.repeat(budgets, numbers)
    earliest = np.repeat(starts, numbers)
    when = earliest + (1 - earliest) * np.random.default_rng((seed, steps)).random(steps)
    return tuple(float(budget) for budget in drawn[np.argsort(when, kind="stable")])


def _numbers(weights: list[float], total: int) -> list[int]:
    """Whole numbers in proportion to weights, at least 1 each, that add up to a total."""
    spare, whole = total - len(weights), sum(weights)
    exact = [spare * weight / whole for weight in weights]
    numbers = [math.floor(each) for each in exact]
    by_rest = sorted(range(len(weights)), key=lambda index: numbers[index] - exact[index])
    for index in by_rest[: spare - sum(numbers)]:
        numbers[index] += 1
    return [1 + number for number in numbers]
