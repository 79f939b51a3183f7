"""The policies a person can choose, in plain words. The menu opens before torch is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    from compecon.attention.policy import Policy


@final
@dataclass(frozen=True)
class PolicyChoice:
    """One entry of the menu.

    Attributes:
        label: What the menu says.
        short: What a legend says.
        code: The constructor call, as a script would write it.
    """

    label: str
    short: str
    code: str


POLICIES = {
    "top-k": PolicyChoice("Top-k: the strongest keys", "top-k", "TopK()"),
    "random": PolicyChoice("Random keys (control)", "random keys", "RandomK(seed=0)"),
    "first": PolicyChoice("First keys (control)", "first keys", "FirstK()"),
    "sink-recent": PolicyChoice("Sink + nearest keys (control)", "sink + nearest", "SinkRecent(sinks=4)"),
    "top-mass": PolicyChoice("Top mass: enough for 90 %", "top mass", "TopMass(mass=0.9)"),
}
CONTROL_ARMS = ("top-k", "random", "first", "sink-recent")


def make_policy(key: str) -> Policy:
    """The policy behind a key of the menu.

    Raises:
        ValueError: If there is no such key.
    """
    from compecon.attention import policy  # noqa: PLC0415 - loads torch

    makers = {
        "top-k": policy.TopK(),
        "random": policy.RandomK(seed=0),
        "first": policy.FirstK(),
        "sink-recent": policy.SinkRecent(sinks=4),
        "top-mass": policy.TopMass(mass=0.9),
    }
    if key not in makers:
        raise ValueError(f"policy must be one of {', '.join(makers)}, got {key!r}.")
    return makers[key]
