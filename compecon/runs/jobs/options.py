"""The settings of each recipe, under the names that the command line has for them, and the plans they make.

Loads without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from compecon.attention.policies import POLICIES
from compecon.runs.jobs.fields import Fields, Setting, SettingError
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.plans import PrunePlan, TrainPlan
from compecon.training.training_settings import FineTuneSettings

_TRACKERS = {
    "tensorboard": ("tensorboard", "tensorboardX"),
    "mlflow": ("mlflow",),
    "wandb": ("wandb",),
    "trackio": ("trackio",),
}

TASK = Setting(
    "task",
    str,
    told="Task by name, such as sst2, mnli, xnli/de, wikitext-2, or files:PATH.",
    group="what",
    required=True,
    option="--task",
)
BASE = Setting(
    "base",
    str,
    told="Checkpoint to start from: bundled name, folder, or Hub id in the cache.",
    group="what",
    required=True,
    option="--base",
)
CHECKPOINT = Setting(
    "checkpoint", str, told="Bundled name, folder, or Hub id in the cache.", group="what", required=True
)
DATA = Setting(
    "data",
    str,
    told="Data folder, in the layout that an error spells out; the Hub's copies if not given.",
    group="what",
    optional=True,
    option="--data",
)
SKIP = Setting(
    "skip_bad_rows",
    bool,
    default=False,
    told="Leave out rows of own files that cannot be used, instead of refusing the file.",
    option="--skip-bad-rows",
)
REPORT_TO = Setting(
    "report_to",
    str,
    "",
    told=f"Trackers that are installed, separated by commas: {', '.join(_TRACKERS)}.",
    option="--report-to",
)
_RECOVER_EPOCHS = Setting(
    "recover_epochs",
    float,
    0.0,
    told="Passes over the rows after units were removed; 0 for none.",
    group="training",
    option="--recover-epochs",
)
_MOST_ROWS = 5000  # of statistics
_MAX_TOKENS = Setting("max_tokens", int, 128, told="Longer texts are cut.", option="--max-tokens")

_SHRUNK = ("--target-macs", "--target")
_INCENTIVE = Fields(
    IncentiveSettings, "incentive", options={"target": _SHRUNK}, defaults={"target": None, "price": None}
)
_TRAINING = Fields(FineTuneSettings, "training")
_PLAN = Fields(TrainPlan, "more", without=frozenset({"settings", "incentive"}))
_PRUNING = Fields(PrunePlan, "incentive", options={"target": _SHRUNK}, without=frozenset({"recovery", "seed"}))
_RECOVERY = Fields(FineTuneSettings, "training", names={"steps": "recover_steps"}, without=frozenset({"epochs"}))

TRAIN = (TASK, BASE, DATA, *_INCENTIVE.settings, *_TRAINING.settings, *_PLAN.settings, SKIP, REPORT_TO)
PRUNE = (CHECKPOINT, TASK, DATA, *_PRUNING.settings, _RECOVER_EPOCHS, *_RECOVERY.settings, SKIP)
EVALUATE = (
    CHECKPOINT,
    TASK,
    DATA,
    Setting("split", str, "test", told="Split to measure on.", group="what", option="--split"),
    Setting(
        "keys",
        int,
        told="Keys that each query may read; all if not given.",
        group="incentive",
        optional=True,
        option="--keys",
    ),
    Setting(
        "share",
        float,
        told="Or the share of the keys it sees, in (0, 1].",
        group="incentive",
        optional=True,
        option="--share",
    ),
    Setting(
        "budgets",
        tuple,
        [],
        told="Or several numbers of keys, measured one after the other, after all keys.",
        group="incentive",
        option="--budgets",
    ),
    Setting(
        "policy",
        str,
        "top-k",
        told="Which keys these are.",
        group="incentive",
        choices=tuple(POLICIES),
        option="--policy",
    ),
    _MAX_TOKENS,
    SKIP,
    Setting("device", str, "auto", told="auto, cpu, cuda, cuda:1 or mps.", option="--device"),
)

STATISTICS = (
    CHECKPOINT,
    TASK,
    DATA,
    Setting("split", str, "test", told="Split to take the rows of.", group="what", option="--split"),
    Setting("rows", int, 200, told="How many rows, the same ones for every checkpoint.", group="what", option="--rows"),
    Setting(
        "budgets",
        tuple,
        [8, 4, 2, 1],
        told="Numbers of keys that each query may read, after all keys.",
        group="incentive",
        option="--budgets",
    ),
    _MAX_TOKENS,
    SKIP,
    Setting("device", str, "auto", told="auto, cpu, cuda, cuda:1 or mps.", option="--device"),
)


def train_plan(params: Mapping[str, Any]) -> TrainPlan:
    """The plan of a training.

    Args:
        params: Checked values of `TRAIN`.

    Raises:
        SettingError: If a value is out of range, or settings contradict each other.
    """
    trackers(params["report_to"])
    incentive = _incentive(params)
    if params["hidden_weight"] and incentive is None:
        raise SettingError("hidden_weight", "needs a teacher, and without a target or a price there is none.")
    return _PLAN.read(params, settings=_TRAINING.read(params), incentive=incentive)


def prune_plan(params: Mapping[str, Any]) -> PrunePlan:
    """The plan of a pruning.

    Args:
        params: Checked values of `PRUNE`.

    Raises:
        SettingError: If a value is out of range.
    """
    epochs = params["recover_epochs"]
    if epochs < 0:
        raise SettingError("recover_epochs", f"must be at least 0, got {epochs}.")
    recovers = bool(epochs) or params["recover_steps"] is not None
    recovery = _RECOVERY.read(params, epochs=epochs or FineTuneSettings.epochs)
    return _PRUNING.read(params, recovery=recovery if recovers else None, seed=params["seed"])


def check_evaluation(params: Mapping[str, Any]) -> None:
    """Look at the settings of a measurement.

    Args:
        params: Checked values of `EVALUATE`.

    Raises:
        SettingError: If a value is out of range, or settings contradict each other.
    """
    keys, share = params["keys"], params["share"]
    if keys is not None and share is not None:
        raise SettingError("share", "give either keys or share, not both.")
    if keys is not None and keys < 1:
        raise SettingError("keys", f"must be at least 1, got {keys}.")
    if share is not None and not 0 < share <= 1:
        raise SettingError("share", f"must be in (0, 1], got {share}.")
    if params["budgets"] and (keys is not None or share is not None):
        raise SettingError("budgets", "give either budgets, or keys, or share.")
    if any(budget < 1 for budget in params["budgets"]):
        raise SettingError("budgets", f"must each be at least 1, got {min(params['budgets'])}.")
    if params["max_tokens"] < 2:
        raise SettingError("max_tokens", f"must be at least 2, got {params['max_tokens']}.")


def check_statistics(params: Mapping[str, Any]) -> None:
    """Look at the settings of statistics of rows.

    Args:
        params: Checked values of `STATISTICS`.

    Raises:
        SettingError: If a value is out of range.
    """
    if not 2 <= params["rows"] <= _MOST_ROWS:
        raise SettingError("rows", f"must be from 2 to {_MOST_ROWS:,}, got {params['rows']}.")
    if any(budget < 1 for budget in params["budgets"]):
        raise SettingError("budgets", f"must each be at least 1, got {min(params['budgets'])}.")
    if params["max_tokens"] < 2:
        raise SettingError("max_tokens", f"must be at least 2, got {params['max_tokens']}.")


def trackers(text: str) -> tuple[str, ...]:
    """Names of trackers, separated by commas.

    Raises:
        SettingError: If one is unknown or not installed.
    """
    names = tuple(name for part in text.split(",") if (name := part.strip()))
    for name in names:
        if name not in _TRACKERS:
            raise SettingError("report_to", f"knows {', '.join(_TRACKERS)}, got {name!r}.")
        if name not in installed_trackers():
            there = ", ".join(installed_trackers()) or "none"
            package = _TRACKERS[name][-1]
            raise SettingError(
                "report_to", f"{name} is not installed. Run `pip install {package}`. Installed: {there}."
            )
    return names


def installed_trackers() -> tuple[str, ...]:
    """Names of the trackers that can be imported here."""
    return tuple(name for name, modules in _TRACKERS.items() if any(map(find_spec, modules)))


def _incentive(params: Mapping[str, Any]) -> IncentiveSettings | None:
    """What is priced.

    Raises:
        SettingError: If a number is out of its range, there are both a target and a price, or neither and yet another
            setting that only a price has a use for.
    """
    target, price = params["target"], params["price"]
    if target is not None and price is not None:
        raise SettingError("price", "give a target or a price, not both: a target finds its price by itself.")
    if target is None and price is None:
        for setting in _INCENTIVE.settings:
            if params[setting.name] != setting.default:
                raise SettingError(setting.name, "needs a target or a price: nothing is priced.")
        return None
    return _INCENTIVE.read(params, **({} if price is not None else {"price": IncentiveSettings.price}))


def with_defaults(settings: tuple[Setting, ...], defaults: Mapping[str, Any]) -> tuple[Setting, ...]:
    """Settings with other defaults."""
    return tuple(
        replace(each, default=defaults[each.name], optional=False) if each.name in defaults else each
        for each in settings
    )


def _rehearsed(name: str, kind: type, default: Any, told: str) -> Setting:
    return Setting(name, kind, default, told, "what", optional=default is None)


REHEARSAL = (
    _rehearsed("steps", int, 40, "Steps."),
    _rehearsed("step_ms", float, 20.0, "Milliseconds that a step takes."),
    _rehearsed("save_every", int, 5, "Steps between checkpoints."),
    _rehearsed("seed", int, 0, "Seed of the chain."),
    _rehearsed("size_kb", int, 64, "Kilobytes of a checkpoint."),
    _rehearsed("fail_at", int, None, "Step at which it fails; None for never."),
    _rehearsed("nan_at", int, None, "Step at which its loss is not finite; None for never."),
    _rehearsed("grow_mb", int, 0, "Megabytes of memory that each step takes and keeps."),
)


def check_rehearsal(params: Mapping[str, Any]) -> None:
    """Look at the settings of a rehearsal.

    Args:
        params: Checked values of `REHEARSAL`.

    Raises:
        SettingError: If a value is out of range.
    """
    ranges = {
        "steps": (1, 10**6),
        "step_ms": (0, 10**5),
        "save_every": (1, 10**6),
        "size_kb": (1, 10**6),
        "fail_at": (1, 10**6),
        "nan_at": (1, 10**6),
        "grow_mb": (0, 10**5),
    }
    for name, (least, most) in ranges.items():
        if params[name] is not None and not least <= params[name] <= most:
            raise SettingError(name, f"must be from {least:,} to {most:,}, got {params[name]}.")
