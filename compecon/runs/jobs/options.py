"""The settings of each job, under the names that the command line has for them, and the plans they make.

Loads without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import Field

from compecon.attention.policies import POLICIES
from compecon.errors import SettingError
from compecon.settings.model import Counts, Name, OneOf, Shown, Text, fields_of, settings_model
from compecon.settings.setting import made_of, settings_of
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.plans import PrunePlan, TrainPlan
from compecon.training.training_settings import FineTuneSettings

_TRACKERS = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}
_WHAT, _KEYS = Shown(group="what"), Shown(group="incentive")
_TaskName = Annotated[
    Name, _WHAT, Field(description="Task by name, such as sst2, mnli, xnli/de, wikitext-2, or files:PATH.")
]
_Checkpoint = Annotated[
    Name, Shown(group="what", options=()), Field(description="Bundled name, folder, or Hub id in the cache.")
]
_Base = Annotated[
    Name, _WHAT, Field(description="Checkpoint to start from: bundled name, folder, or Hub id in the cache.")
]
_Data = Annotated[
    Text | None, _WHAT, Field(description="Data folder; an error describes its layout. Default: download from the Hub.")
]
_MaxTokens = Annotated[int, Field(ge=2, description="Maximum number of tokens; longer texts are truncated.")]
_SkipBadRows = Annotated[bool, Field(description="Skip unusable rows of your own files instead of rejecting the file.")]
_Device = Annotated[Text, Field(description="auto, cpu, cuda, cuda:1 or mps.")]


@settings_model
class _Training:
    task: _TaskName
    base: _Base
    data: _Data = None


@settings_model
class _Pruning:
    checkpoint: _Checkpoint
    task: _TaskName
    data: _Data = None


@settings_model
class _Recovery:
    recover_epochs: Annotated[float, Shown(group="training")] = Field(
        default=0.0, ge=0, description="Training epochs after units are removed; 0 for none."
    )


@settings_model
class _More:
    skip_bad_rows: _SkipBadRows = False
    report_to: Text = Field(
        default="", description=f"Installed experiment trackers, separated by commas: {', '.join(_TRACKERS)}."
    )


@settings_model
class EvaluateSettings:
    """What to measure, on what data, and how many keys each query may read."""

    checkpoint: _Checkpoint
    task: _TaskName
    data: _Data = None
    split: Annotated[Text, _WHAT] = Field(default="test", description="Split to evaluate on.")
    rows: Annotated[int | None, _WHAT] = Field(
        default=None, ge=2, description="Rows drawn at random, the same for every checkpoint; default: all."
    )
    keys: Annotated[int | None, _KEYS] = Field(
        default=None, ge=1, description="Keys each query may read; default: all."
    )
    share: Annotated[float | None, _KEYS] = Field(
        default=None, gt=0, le=1, description="Or the share of visible keys, in (0, 1]."
    )
    budgets: Annotated[Counts, _KEYS] = Field(
        default=(), description="Or several numbers of keys, measured in turn after all keys."
    )
    policy: Annotated[str, OneOf(lambda: POLICIES), _KEYS] = Field(default="top-k", description="Which keys are read.")
    max_tokens: _MaxTokens = 128
    skip_bad_rows: _SkipBadRows = False
    device: _Device = "auto"

    def __post_init__(self) -> None:
        if self.keys is not None and self.share is not None:
            raise SettingError("share", "give either keys or share, not both.")
        if self.budgets and (self.keys is not None or self.share is not None):
            raise SettingError("budgets", "give either budgets, or keys, or share.")


@settings_model
class StatisticsSettings:
    """Rows and budgets of the statistics."""

    checkpoint: _Checkpoint
    task: _TaskName
    data: _Data = None
    split: Annotated[Text, _WHAT] = Field(default="test", description="Split of the rows.")
    rows: Annotated[int, _WHAT] = Field(
        default=200,
        ge=2,
        le=100_000,
        description="Rows drawn at random, the same for every checkpoint; the Compare page shows up to 5,000.",
    )
    budgets: Annotated[Counts, _KEYS] = Field(
        default=(8, 4, 2, 1), description="Numbers of keys each query may read, after all keys."
    )
    max_tokens: _MaxTokens = 128
    skip_bad_rows: _SkipBadRows = False
    device: _Device = "auto"


@settings_model
class RehearsalSettings:
    """What a rehearsal does to a machine."""

    steps: int = Field(default=40, ge=1, le=10**6, description="Number of steps.")
    step_ms: Annotated[float, Shown(label="Step", unit="ms")] = Field(
        default=20.0, ge=0, le=10**5, description="Milliseconds per step."
    )
    save_every: int = Field(default=5, ge=1, le=10**6, description="Steps between checkpoints.")
    seed: int = Field(default=0, description="Seed of the chain.")
    size_kb: Annotated[int, Shown(label="Size", unit="kB")] = Field(
        default=64, ge=1, le=10**6, description="Size of a checkpoint in kilobytes."
    )
    fail_at: int | None = Field(default=None, ge=1, le=10**6, description="Step at which it fails; default: never.")
    nan_at: int | None = Field(
        default=None, ge=1, le=10**6, description="Step at which its loss is not finite; default: never."
    )
    grow_mb: Annotated[int, Shown(label="Growth", unit="MB")] = Field(
        default=0, ge=0, le=10**5, description="Megabytes of memory that each step allocates and keeps."
    )


_INCENTIVE = settings_of(IncentiveSettings, "incentive", defaults={"target": None, "price": None})

_ELASTIC = settings_of(ElasticSettings, "sizes", names={"budgets": "elastic"}, defaults={"budgets": []})

TRAIN = (
    *settings_of(_Training),
    *_INCENTIVE,
    *_ELASTIC,
    *settings_of(FineTuneSettings, "training"),
    *settings_of(TrainPlan, without=("settings", "incentive", "elastic")),
    *settings_of(_More),
)
PRUNE = (
    *settings_of(_Pruning),
    *settings_of(PrunePlan, "incentive", without=("recovery", "seed")),
    *settings_of(_Recovery),
    *settings_of(FineTuneSettings, "training", names={"steps": "recover_steps"}, without=("epochs",)),
    *settings_of(_More, without=("report_to",)),
)
EVALUATE = settings_of(EvaluateSettings)
STATISTICS = settings_of(StatisticsSettings)
REHEARSAL = settings_of(RehearsalSettings, "what")


def train_plan(params: Mapping[str, Any]) -> TrainPlan:
    """The plan of a training from checked values of `TRAIN`."""
    trackers(params["report_to"])
    settings = made_of(FineTuneSettings, params)
    return made_of(TrainPlan, params, settings=settings, incentive=_incentive(params), elastic=_elastic(params))


def prune_plan(params: Mapping[str, Any]) -> PrunePlan:
    """The plan of a pruning from checked values of `PRUNE`."""
    epochs, steps = params["recover_epochs"], params["recover_steps"]
    if not epochs and steps is None:
        return made_of(PrunePlan, params, recovery=None)
    more = {"epochs": epochs} if epochs else {}
    return made_of(PrunePlan, params, recovery=made_of(FineTuneSettings, params, steps=steps, **more))


def trackers(text: str) -> tuple[str, ...]:
    """Names of installed trackers, separated by commas."""
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    for name in names:
        if name not in _TRACKERS:
            raise SettingError("report_to", f"must be among {', '.join(_TRACKERS)}, got {name!r}.")
        if name not in installed_trackers():
            there = ", ".join(installed_trackers()) or "none"
            package = _TRACKERS[name][-1]
            raise SettingError(
                "report_to", f"{name} is not installed. Run `pip install {package}`. Installed: {there}."
            )
    return names


def installed_trackers() -> tuple[str, ...]:
    """Names of the trackers that are installed."""
    return tuple(name for name, modules in _TRACKERS.items() if any(map(find_spec, modules)))


def _incentive(params: Mapping[str, Any]) -> IncentiveSettings | None:
    """What is priced; a setting that only a price uses is refused without one."""
    target, price = params["target"], params["price"]
    if target is not None and price is not None:
        raise SettingError("price", "give a target or a price, not both: the price follows from a target.")
    if target is None and price is None:
        for setting in _INCENTIVE:
            if params[setting.name] != setting.default:
                raise SettingError(setting.name, "needs a target or a price: nothing is priced.")
        return None
    given = {name: params[name] for name in fields_of(IncentiveSettings) if params[name] is not None}
    return IncentiveSettings(**{**given, "target": target})


def _elastic(params: Mapping[str, Any]) -> ElasticSettings | None:
    """The sizes of one checkpoint; a setting that only they use is refused without them."""
    if not params.get("elastic"):
        for setting in _ELASTIC:
            if params.get(setting.name, setting.default) != setting.default:
                raise SettingError(setting.name, "needs elastic sizes: --elastic 1,0.6,0.45,0.3,0.2,0.1,0.05.")
        return None
    try:
        return made_of(ElasticSettings, params, budgets=tuple(params["elastic"]))
    except SettingError as error:
        raise SettingError("elastic" if error.setting == "budgets" else error.setting, error.why) from error
