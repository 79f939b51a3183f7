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
    """What is priced, and how; each field says what it is."""

    target: Annotated[float | None, Shown(options=("--target-macs", "--target"))] = Field(
        default=0.45,
        gt=0,
        le=1,
        description="Share of what the cost counts (MACs, or time) to come down to, in (0, 1], by dual ascent; None "
        "for a price that is fixed.",
    )
    price: float = Field(
        default=1.0, ge=0, description="Height of a fixed price, in units of task loss for all of the dense cost."
    )
    schedule: Schedule = Field(default="constant", description="Course of a fixed price after its warm-up.")
    cost: Annotated[str, OneOf(lambda: COSTS)] = Field(
        default="macs",
        description='What is priced. Of ours only "macs" and "latency" remove work; "latency" is measured on this '
        "device, at the mean length and with the batch of the training, when it starts.",
    )
    units: Priced = Field(default="both", description="Which units have gates.")
    start: Annotated[str, OneOf(lambda: (*IMPORTANCES, OPEN))] = Field(
        default="fisher", description='What the gates begin by: an importance, or "open" for all alike.'
    )
    start_at: float = Field(
        default=0.3,
        gt=0,
        le=1,
        description="Where between the target (0) and dense (1) the expected share of MACs begins, in (0, 1]. With a "
        "fixed price there is no target, and the gates begin at 0.8 of dense.",
    )
    spread: float = Field(
        default=3.0, ge=0, description="Logits a standard deviation of (the logarithm of) importance."
    )
    price_share: float = Field(
        default=0.6,
        gt=0,
        le=1,
        description="Share of the steps after which the gates are frozen even if the target is not met.",
    )
    first_price: float = Field(default=2.0, ge=0, description="Price at which the ascent begins.")
    price_rate: float = Field(default=0.1, gt=0, description="Its step size.")
    ramp: float = Field(
        default=0.8, ge=0, le=1, description="Share of the priced steps over which the allowed cost comes down."
    )
    n_tokens: int | None = Field(
        default=None, ge=1, description="Length at which MACs are counted; None for the mean of the training rows."
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
