"""Policies, one a file: which keys may be read when there are not enough for all. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from compecon.registry import Method, Registry

if TYPE_CHECKING:
    from compecon.attention.policies.policy import Policy


@final
@dataclass(frozen=True, kw_only=True)
class PolicyMethod(Method):
    """One entry of the menu.

    Attributes:
        is_arm: Whether its curve is drawn beside those of other policies: what changes under it too is arithmetic.
        ranks_by_weight: Whether it reads the keys of the highest attention weights, so that a budget can be previewed
            with a mask over attention at full budget.
    """

    is_arm: bool = False
    ranks_by_weight: bool = False

    @property
    def code(self) -> str:
        """The constructor call, as a script would write it."""
        return f"{self.home[1]}({', '.join(f'{name}={value!r}' for name, value in self.options.items())})"


POLICIES: Registry[PolicyMethod, Policy] = Registry("policy", PolicyMethod, "compecon.attention.policies.policy:Policy")
_HERE = "compecon.attention.policies"
POLICIES.declare(
    "top-k",
    f"{_HERE}.top_k:TopK",
    label="Top-k: the strongest keys",
    short="top-k",
    is_arm=True,
    ranks_by_weight=True,
)
POLICIES.declare(
    "random",
    f"{_HERE}.random_k:RandomK",
    label="Random keys (control)",
    short="random keys",
    options={"seed": 0},
    is_arm=True,
)
POLICIES.declare("first", f"{_HERE}.first_k:FirstK", label="First keys (control)", short="first keys", is_arm=True)
POLICIES.declare(
    "sink-recent",
    f"{_HERE}.sink_recent:SinkRecent",
    label="Sink + nearest keys (control)",
    short="sink + nearest",
    options={"sinks": 4},
    is_arm=True,
)
POLICIES.declare(
    "top-mass",
    f"{_HERE}.top_mass:TopMass",
    label="Top mass: enough for 90%",
    short="top mass",
    options={"mass": 0.9},
)
