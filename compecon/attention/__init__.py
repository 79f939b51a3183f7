"""Observing and limiting what a transformer's heads read.

The names below are loaded on first use, so that :mod:`compecon.attention.routing` can be asked without loading torch.
The sweep is in :mod:`compecon.attention.key_budget_sweep`, whose name it shares.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from compecon.attention.budget import Budget, KeyBudget, PerHead, PerLayer, PerRow
    from compecon.attention.hooks import budgeted_attention, recorded_attention, require_routed
    from compecon.attention.policies import POLICIES
    from compecon.attention.policies.first_k import FirstK
    from compecon.attention.policies.policy import Policy
    from compecon.attention.policies.random_k import RandomK
    from compecon.attention.policies.sink_recent import SinkRecent
    from compecon.attention.policies.top_k import TopK
    from compecon.attention.policies.top_mass import TopMass
    from compecon.attention.recorded import LayerAttention
    from compecon.attention.routing import is_routed

__all__ = [
    "POLICIES",
    "Budget",
    "FirstK",
    "KeyBudget",
    "LayerAttention",
    "PerHead",
    "PerLayer",
    "PerRow",
    "Policy",
    "RandomK",
    "SinkRecent",
    "TopK",
    "TopMass",
    "budgeted_attention",
    "is_routed",
    "recorded_attention",
    "require_routed",
]

_HOMES = (
    "budget",
    "policies",
    "policies.policy",
    "policies.top_k",
    "policies.random_k",
    "policies.first_k",
    "policies.sink_recent",
    "policies.top_mass",
    "recorded",
    "routing",
    "hooks",
)


def __getattr__(name: str) -> Any:
    if name in __all__:
        for home in _HOMES:
            module = import_module(f"{__name__}.{home}")
            if name in vars(module):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}.")
