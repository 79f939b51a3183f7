"""Which sizes one elastic training serves, and when each is trained. Loads without torch."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from pydantic import Field

from compecon.errors import SettingError
from compecon.settings.model import Shares, Shown, settings_model

BUDGETS = (1.0, 0.6, 0.45, 0.3, 0.2, 0.1, 0.05)


@settings_model
class ElasticSettings:
    """Which sizes are trained together, and when; fields are described where they are defined."""

    budgets: Annotated[Shares, Shown(options=("--elastic",), label="Elastic sizes")] = Field(
        default=BUDGETS,
        description="Shares of the MACs that one checkpoint is to serve, falling, in (0, 1]; each step trains one.",
    )
    last_start: float = Field(
        default=0.35,
        ge=0,
        lt=1,
        description="How late the smallest size joins, in [0, 1), larger ones earlier; 0 mixes all from step 1.",
    )
    steps_power: float = Field(
        default=0.5,
        ge=0,
        description="Steps of a size in proportion to its budget to the power of minus this; 0 for equal steps.",
    )

    @property
    def mean_share(self) -> float:
        """Mean budget of a step."""
        weights = [budget**-self.steps_power for budget in self.budgets]
        return float(np.average(self.budgets, weights=weights))

    @property
    def valuations(self) -> float:
        """Passes over calibration rows, in units of one of the whole model: about one as each size begins."""
        return 1 + sum(self.budgets[:-1])

    def __post_init__(self) -> None:
        if len(self.budgets) < 2 or any(larger <= smaller for larger, smaller in pairwise(self.budgets)):
            raise SettingError("budgets", f"must be two or more falling shares, got {list(self.budgets)}.")
