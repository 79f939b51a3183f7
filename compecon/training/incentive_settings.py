"""What an incentive training prices, and how. Loads without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from compecon.compression.importance import IMPORTANCES
from compecon.incentives.price import DualAscent, FixedPrice, Price, Schedule

CostName = Literal["macs", "latency", "effective-keys", "group-lasso", "ffn-l1", "attention-l1", "score-l1"]
OPEN = "open"  # in place of an importance: all gates begin alike
Priced = Literal["both", "heads", "neurons"]


@dataclass(frozen=True)
class IncentiveSettings:
    """What is priced, and how.

    Attributes:
        target: Share of what the cost counts (MACs, or time) to come down to, in (0, 1], by dual ascent; None for a
            price that is fixed.
        price: Height of a fixed price, in units of task loss for all of the dense cost.
        schedule: Course of a fixed price after its warm-up.
        cost: What is priced. Only "macs" and "latency" remove work; "latency" is measured on this device, at the mean
            length and with the batch of the training, when it starts.
        units: Which units have gates.
        start: What the gates begin by: an importance, or "open" for all alike.
        start_at: Where between the target (0) and dense (1) the expected share of MACs begins, in (0, 1]. With a fixed
            price there is no target, and the gates begin at 0.8 of dense.
        spread: Logits a standard deviation of (the logarithm of) importance.
        price_share: Share of the steps after which the gates are frozen even if the target is not met.
        first_price: Price at which the ascent begins.
        price_rate: Its step size.
        ramp: Share of the priced steps over which the allowed cost comes down.
        n_tokens: Length at which MACs are counted; None for the mean of the training rows.
    """

    target: float | None = 0.45
    price: float = 1.0
    schedule: Schedule = "constant"
    cost: CostName = "macs"
    units: Priced = "both"
    start: Literal["taylor", "fisher", "open"] = "fisher"
    start_at: float = 0.3
    spread: float = 3.0
    price_share: float = 0.6
    first_price: float = 2.0
    price_rate: float = 0.1
    ramp: float = 0.8
    n_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.target is not None and not 0 < self.target <= 1:
            raise ValueError(f"a target is a share of the dense MACs in (0, 1], got {self.target}.")
        if self.cost not in get_args(CostName):
            raise ValueError(f"no cost is called {self.cost!r}. There are: {', '.join(get_args(CostName))}.")
        if self.target is not None and self.cost not in ("macs", "latency"):
            raise ValueError(f"{self.cost} removes no work, so it has no target to come down to. Set target to None.")
        for name in ("price_share", "start_at"):
            if not 0 < getattr(self, name) <= 1:
                raise ValueError(f"{name} must be in (0, 1], got {getattr(self, name)}.")
        if not 0 <= self.spread < math.inf:
            raise ValueError(f"spread must be at least 0 and finite, got {self.spread}.")
        if self.n_tokens is not None and self.n_tokens < 1:
            raise ValueError(f"n_tokens must be at least 1, got {self.n_tokens}.")
        self.first()  # looks at the price

    def first(self) -> Price:
        """The price at which a training begins.

        Raises:
            ValueError: If a number is out of its range.
        """
        if self.target is None:
            return FixedPrice(height=self.price, schedule=self.schedule)
        return DualAscent(value=self.first_price, budget=self.target, rate=self.price_rate, ramp=self.ramp)

    @property
    def grades_rows(self) -> bool:
        """Whether what the gates begin by looks at calibration rows, forwards and backwards."""
        return self.start != OPEN and IMPORTANCES[self.start].passes > 0
