"""What is typed or read from a table as values of a recipe's settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compecon.errors import RunError
from compecon.files.safe_reader import read_json
from compecon.runs.jobs.fields import Json, Setting
from compecon.tables.problems import refusal
from compecon.tables.reader import DELIMITED, ENDINGS, read_table

if TYPE_CHECKING:
    from compecon.runs.sweeps.proposals import Axis

_MAX_BYTES = 1_000_000  # more than 500 points need
_JSON = ".json"
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}


def setting_of(recipe: str, name: str) -> Setting:
    """A setting by its name, or by one of its options: "target", "target-macs", "save_every".

    Raises:
        RunError: If the recipe has none of that name.
    """
    from compecon.runs.submission import recipe_named

    settings = recipe_named(recipe).settings
    plain = name.lstrip("-").replace("-", "_")
    for setting in settings:
        if plain in (setting.name, *(each[2:].replace("-", "_") for each in (setting.option, *setting.aliases))):
            return setting
    raise RunError(f"{name!r} is no setting of {recipe}. There are: {', '.join(each.name for each in settings)}.")


def read_value(setting: Setting, text: str) -> Json:
    """A value as it is typed.

    Raises:
        RunError: If it is no value of this setting's kind.
    """
    if setting.optional and text.lower() in ("none", ""):
        return None
    try:
        if setting.kind is tuple:
            return [int(part) for part in text.split(",") if part.strip()]
        if setting.kind is bool:
            return _TRUTH[text.lower()]
        value: Json = setting.kind(text)
    except (ValueError, KeyError) as error:
        raise RunError(f"{setting.name} must be {setting.wanted}, got {text!r}.") from error
    return value


def read_setting(recipe: str, text: str) -> tuple[str, Json]:
    """A setting and its value from "name=value".

    Raises:
        RunError: If there is no such setting, or it has no such value.
    """
    setting, told = _split(recipe, text)
    return setting.name, read_value(setting, told)


def read_axis(recipe: str, text: str) -> tuple[str, tuple[Json, ...]]:
    """A setting and its values from "name=value,value"; lists are separated by semicolons: "key_budgets=2,4;8".

    Raises:
        RunError: If there is no such setting, or it has no such value.
    """
    setting, told = _split(recipe, text)
    parts = told.split(";" if setting.kind is tuple else ",")
    return setting.name, tuple(read_value(setting, part.strip()) for part in parts)


def read_range(recipe: str, text: str) -> Axis:
    """What may be chosen, from "target=0.3:0.8", "learning_rate=1e-5:1e-3:log" or "cost=macs,latency".

    Raises:
        RunError: If it is none of these.
    """
    from compecon.runs.sweeps.proposals import Axis

    setting, told = _split(recipe, text)
    if ":" not in told or setting.kind not in (int, float):
        return Axis(setting.name, choices=read_axis(recipe, text)[1])
    low, high, *scale = told.split(":")
    if scale not in ([], ["log"]):
        raise RunError(f"the scale of {setting.name} can only be log, got {':'.join(scale)!r}.")
    start, end = (read_value(setting, each) for each in (low, high))
    if not (isinstance(start, int | float) and isinstance(end, int | float)):
        raise RunError(f"{setting.name} needs numbers around its colon, got {told!r}.")
    return Axis(setting.name, float(start), float(end), log=bool(scale), whole=setting.kind is int)


def read_points(recipe: str, path: Path) -> list[dict[str, Json]]:
    """Points from a file: JSON (a list of objects), JSON Lines (an object a line), CSV or TSV (a column a setting).

    An empty cell of a table leaves its setting as it is.

    Raises:
        RunError: If the file cannot be read, or holds something else.
    """
    ending = path.suffix.lower()
    if ending not in (*ENDINGS, _JSON):
        raise RunError(f"points come from a file that ends in {', '.join((*ENDINGS, _JSON))}, got {path}.")
    try:
        found = _of_json(path) if ending == _JSON else _of_table(recipe, path, is_text=ending in DELIMITED)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
    return [{setting_of(recipe, name).name: value for name, value in point.items()} for point in found]


def _of_json(path: Path) -> list[Mapping[str, Any]]:
    value = read_json(path, _MAX_BYTES, error=RunError)
    points = value if isinstance(value, list) else [value]
    if not all(isinstance(point, dict) for point in points):
        raise RunError(f"{path} has to hold objects, a point each.")
    return points


def _of_table(recipe: str, path: Path, *, is_text: bool) -> list[Mapping[str, Any]]:
    rows = list(read_table(path, (), limit=_MAX_BYTES, error=RunError).rows)
    if problems := [row.problem for row in rows if row.problem]:
        raise RunError(refusal(problems, path.name))
    if not is_text:
        return [row.cells for row in rows]
    return [
        {name: read_value(setting_of(recipe, name), cell.strip()) for name, cell in row.cells.items() if cell.strip()}
        for row in rows
    ]


def _split(recipe: str, text: str) -> tuple[Setting, str]:
    name, equals, told = text.partition("=")
    if not (equals and name):
        raise RunError(f"a setting is given as NAME=VALUE, got {text!r}.")
    return setting_of(recipe, name.strip()), told.strip()
