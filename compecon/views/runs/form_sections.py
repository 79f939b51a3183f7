"""The form that starts runs, as data: what can be started, and its settings in sections."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, final

from compecon.errors import SettingError
from compecon.files.durable import Json
from compecon.runs.jobs.job_registry import RECIPES, Recipe
from compecon.settings.setting import Setting
from compecon.training.elastic_settings import BUDGETS

_OFTEN = ("epochs", "steps", "learning_rate", "seed")
_GROUPS = {"incentive": "Price and gates", "sizes": "Sizes", "training": "Training", "more": "More", "what": "More"}


@final
@dataclass(frozen=True)
class Kind:
    """Something that can be started."""

    name: str  # what it is called by
    label: str  # its name for people
    description: str  # what it does, in a sentence
    recipe: str  # the recipe that does it
    source: str = "base"  # the setting that names the checkpoint to start from; "" for none
    often: tuple[str, ...] = _OFTEN  # settings that are shown first
    without: frozenset[str] = frozenset()  # settings that it has no use for; they keep their defaults
    given: Mapping[str, Json] = field(default_factory=dict)  # values that it begins with
    either: tuple[str, ...] = ()  # settings of which one is given: a target or a price

    @property
    def does(self) -> Recipe:
        """Its recipe."""
        return RECIPES[self.recipe]

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What can be set."""
        return tuple(each for each in self.does.settings if each.name not in self.without)

    def setting(self, name: str) -> Setting:
        """One of them by its name.

        Raises:
            SettingError: If it has none of that name.
        """
        for each in self.settings:
            if each.name == name:
                return each
        raise SettingError(name, f"is not a setting of {self.label.lower()}.")


_PRICED = frozenset(each.name for each in RECIPES["train"].settings if each.group == "incentive")
_SIZES = frozenset(each.name for each in RECIPES["train"].settings if each.group == "sizes")
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "incentive",
            "Incentive training",
            "Heads and neurons pay for their compute while the model trains. Those not worth their price are "
            "removed, and the rest is trained further.",
            "train",
            often=("target", "price", "cost", "units", *_OFTEN),
            without=_SIZES,
            given={"target": 0.45},
            either=("target", "price"),
        ),
        Kind(
            "elastic",
            "Elastic",
            "One checkpoint learns every size at once: each step trains one budget of heads and neurons, bought in "
            "the order of their value.",
            "train",
            often=("elastic", *_OFTEN),
            without=_PRICED,
            given={"elastic": list(BUDGETS), "learning_rate": 2e-4},
            either=("elastic",),
        ),
        Kind(
            "dense",
            "Dense fine-tuning",
            "Nothing is priced: the model stays as large as it is.",
            "train",
            often=("key_budgets", *_OFTEN),
            without=_PRICED | _SIZES,
        ),
        Kind(
            "prune",
            "Post-hoc pruning",
            "Units are removed after training by a published method, and the rest is trained further: the "
            "baseline for prices.",
            "prune",
            source="checkpoint",
            often=("method", "target", "recover_epochs", "recover_steps", "learning_rate", "seed"),
            given={"target": 0.45, "recover_epochs": 3.0},
        ),
        Kind(
            "rehearsal",
            "Rehearsal",
            "Imitates a training in seconds, without a model: steps, checkpoints, stops and resumes.",
            "rehearsal",
            source="",
            often=("steps", "step_ms", "save_every", "seed"),
        ),
    )
}
DEFAULT = "incentive"


@final
@dataclass(frozen=True)
class Section:
    """Settings that stand together."""

    title: str  # their heading; "" for those that are shown first
    settings: tuple[Setting, ...]  # in the order in which they are shown


def sections(kind: Kind) -> tuple[Section, ...]:
    """All settings but checkpoint, task and data; the first section holds what matters most."""
    what = {kind.source, "task", "data"}
    often = tuple(kind.setting(name) for name in kind.often)
    rest = [each for each in kind.settings if each.name not in what and each not in often]
    groups = (Section(title, tuple(each for each in rest if each.group == name)) for name, title in _GROUPS.items())
    return (Section("", often), *(group for group in groups if group.settings))


def accepted(kind: Kind, given: Any) -> dict[str, Json]:
    """The values that fit this kind's settings one by one; the rest, whatever it is, is dropped."""
    found: dict[str, Json] = {}
    for setting in kind.settings if isinstance(given, Mapping) else ():
        if setting.name in given:
            with suppress(SettingError):
                found[setting.name] = setting.checked(given[setting.name])
    return found


def changed(kind: Kind, values: Mapping[str, Json]) -> dict[str, Json]:
    """The values that differ from the defaults."""
    known = {each.name: each.default for each in kind.settings}
    return {name: value for name, value in values.items() if name in known and value != known[name]}
