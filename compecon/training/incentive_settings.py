"""What an incentive training prices, and how. Loads without torch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from compecon.compression.importance import IMPORTANCES
from compecon.errors import SettingError
from compecon.incentives.costs import COSTS
from compecon.incentives.price import DualAscent, FixedPrice, Price, Schedule
from compecon.settings.model import OneOf, Shown, settings_model

OPEN = "open"  # in place of an importance: all gates begin alike
Priced = Literal["both", "heads", "neurons"]


@settings_model
class IncentiveSettings:
    """What is priced, and how; fields are described where they are defined."""

    target: Annotated[float | None, Shown(options=("--target-macs", "--target"))] = Field(
        default=0.45,
        gt=0,
        le=1,
        description="Share of the dense cost (MACs or time) to reach, in (0, 1]; the price follows by dual ascent.",
    )
    price: float = Field(
        default=1.0,
        ge=0,
        description="Fixed price instead of a target, in units of task loss for the whole dense cost.",
    )
    schedule: Schedule = Field(default="constant", description="Schedule of a fixed price after its warm-up.")
    cost: Annotated[str, OneOf(lambda: COSTS)] = Field(
        default="macs",
        description='What is priced. Of the built-in costs only "macs" and "latency" remove work; "latency" is '
        "measured on this device when the training starts, at its mean length and batch size.",
    )
    units: Priced = Field(default="both", description="Units with gates.")
    start: Annotated[str, OneOf(lambda: (*IMPORTANCES, OPEN))] = Field(
        default="fisher", description='Initial order of the gates: an importance, or "open" for equal gates.'
    )
    start_at: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Initial expected share of MACs, from the target (0) to all units (1), in (0, 1]. With a fixed "
        "price, gates start at 0.8 of all units.",
    )
    spread: float = Field(
        default=3.0, ge=0, description="Logits per standard deviation of the (logarithm of the) importance."
    )
    price_share: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Share of the steps after which the gates are frozen even if the target is missed.",
    )
    first_price: float = Field(default=2.0, ge=0, description="Initial price of the dual ascent.")
    price_rate: float = Field(default=0.1, gt=0, description="Step size of the dual ascent.")
    ramp: float = Field(
        default=0.8,
        ge=0,
        le=1,
        description="Share of the priced steps over which the allowed cost falls to the target.",
    )
    n_tokens: int | None = Field(
        default=None, ge=1, description="Text length at which MACs are counted; default: mean of the training rows."
    )

    def __post_init__(self) -> None:
        if self.target is not None and not COSTS[self.cost].removes_work:
            raise SettingError(
                "cost", f"{self.cost} removes no work, so it has no target to come down to. Give a price."
            )

    def first(self) -> Price:
        """The price at which a training begins."""
        if self.target is None:
            return FixedPrice(height=self.price, schedule=self.schedule)
        return DualAscent(value=self.first_price, budget=self.target, rate=self.price_rate, ramp=self.ramp)

    @property
    def grades_rows(self) -> bool:
        """Whether what the gates begin by looks at calibration rows, forwards and backwards."""
        return self.start != OPEN and IMPORTANCES[self.start].passes > 0
