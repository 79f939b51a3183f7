"""Runs and sweeps to start from: a first look, and the first experiments that a price on compute calls for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from compecon.compression.importance import IMPORTANCES
from compecon.files.durable import Json
from compecon.views.runs.form_sections import KINDS, PRICE, TARGET

QUICK = "quick-look"
OFFLINE: Mapping[str, Json] = {"base": "sentiment", "task": "reviews"}  # bundled, and made here


@final
@dataclass(frozen=True)
class Preset:
    """A filled-in form.

    Attributes:
        name: What it is called by.
        title: Its name for people.
        told: What it is good for, in a sentence or two.
        kind: Name of what it starts.
        params: Values that are not the defaults; what is not said (checkpoint, task) stays as the form has it.
        vary: A setting that a sweep goes through; "" for one run.
        values: What the sweep gives it, a run each.
    """

    name: str
    title: str
    told: str
    kind: str
    params: Mapping[str, Json] = field(default_factory=dict)
    vary: str = ""
    values: tuple[Json, ...] = ()

    @property
    def points(self) -> tuple[tuple[str, Mapping[str, Json]], ...]:
        """Recipe and parameters of each run that it starts, where they are not the defaults."""
        kind = KINDS[self.kind]
        each = [{self.vary: value} for value in self.values] if self.vary else [{}]
        return tuple((kind.recipe, {**kind.given, **self.params, **one}) for one in each)


PRESETS: Mapping[str, Preset] = {
    preset.name: preset
    for preset in (
        Preset(
            QUICK,
            "Quick look",
            "A small incentive training on reviews that compecon writes itself: no network, a minute or two on a "
            "laptop. It shows how a run goes; its numbers say little about real text.",
            "incentive",
            {
                **OFFLINE,
                TARGET: 0.6,
                "steps": 80,
                "batch_size": 16,
                "max_tokens": 48,
                "save_every": 20,
                "cost": "macs",
                "units": "both",
            },
        ),
        Preset(
            "target",
            "Down to a target",
            "One training whose price rises until the model costs 45 % of the dense MACs.",
            "incentive",
            {TARGET: 0.45},
        ),
        Preset(
            "prices",
            "Price sweep",
            "Fixed prices (λ), from cheap to dear: what quality is left where compute has a price, and nobody says how "
            "much to save.",
            "incentive",
            {TARGET: None, PRICE: 1.0},
            vary=PRICE,
            values=(0.25, 0.5, 1.0, 2.0, 4.0),
        ),
        Preset(
            "ablation",
            "Heads, neurons, or both",
            "The same target with a price on attention heads alone, on FFN neurons alone, and on both.",
            "incentive",
            {TARGET: 0.8},
            vary="units",
            values=("heads", "neurons", "both"),
        ),
        Preset(
            "targets",
            "Target sweep",
            "Targets instead of prices: dual ascent finds the price of each. Points of a frontier.",
            "incentive",
            vary=TARGET,
            values=(0.6, 0.45, 0.3),
        ),
        Preset(
            "any-budget",
            "Budget dropout",
            "A dense training in which most steps may read only a few keys, drawn anew each time, so that one "
            "checkpoint serves every key budget.",
            "dense",
            {"key_budgets": [1, 2, 3, 4, 6, 8, 12]},
        ),
        Preset(
            "rivals",
            "Post-hoc rivals",
            "Every pruning method at one target, with the same recovery: what an incentive has to beat.",
            "prune",
            {TARGET: 0.45, "recover_epochs": 3.0},
            vary="method",
            values=tuple(IMPORTANCES),
        ),
    )
}
