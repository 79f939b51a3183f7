"""Settings of a recipe from typed text or a table."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compecon.errors import RunError
from compecon.files.durable import Json
from compecon.files.safe_reader import read_json
from compecon.settings.setting import Setting
from compecon.tables.problems import refusal
from compecon.tables.reader import DELIMITED, ENDINGS, read_table

if TYPE_CHECKING:
    from compecon.runs.sweeps.proposals import Axis

_MAX_BYTES = 1_000_000  # more than 500 points need
_JSON = ".json"


def setting_of(recipe: str, name: str) -> Setting:
    """A setting by its name, or by one of its options: "target", "target-macs", "save_every"."""
    from compecon.runs.submission import recipe_named

    settings = recipe_named(recipe).settings
    plain = name.lstrip("-").replace("-", "_")
    for setting in settings:
        if plain in (setting.name, *(each[2:].replace("-", "_") for each in setting.options)):
            return setting
    raise RunError(
        f"{name!r} is not a setting of {recipe}. Choose one of: {', '.join(each.name for each in settings)}."
    )


def read_setting(recipe: str, text: str) -> tuple[str, Json]:
    """A setting and its value from "name=value"."""
    setting, typed = _split(recipe, text)
    return setting.name, setting.parse(typed)


def read_axis(recipe: str, text: str) -> tuple[str, tuple[Json, ...]]:
    """A setting and its values from "name=value,value"; lists are separated by semicolons: "key_budgets=2,4;8"."""
    setting, typed = _split(recipe, text)
    return setting.name, setting.parse_several(typed)


def read_range(recipe: str, text: str) -> Axis:
    """An axis from "target=0.3:0.8", "learning_rate=1e-5:1e-3:log" or "cost=macs,latency"."""
    from compecon.runs.sweeps.proposals import Axis

    setting, typed = _split(recipe, text)
    if ":" not in typed or setting.kind not in (int, float):
        return Axis(setting.name, choices=read_axis(recipe, text)[1])
    low, high, *scale = typed.split(":")
    if scale not in ([], ["log"]):
        raise RunError(f"the scale of {setting.name} can only be log, got {':'.join(scale)!r}.")
    start, end = (setting.parse(each) for each in (low, high))
    if not (isinstance(start, int | float) and isinstance(end, int | float)):
        raise RunError(f"{setting.name} needs numbers around its colon, got {typed!r}.")
    return Axis(setting.name, float(start), float(end), log=bool(scale), whole=setting.kind is int)


def read_points(recipe: str, path: Path) -> list[dict[str, Json]]:
    """Points from a file: JSON (a list of objects), JSON Lines, CSV, TSV or Parquet (a column per setting).

    An empty cell of a table leaves its setting as it is.
    """
    ending = path.suffix.lower()
    if ending not in (*ENDINGS, _JSON):
        raise RunError(f"a file of points must end in {', '.join((*ENDINGS, _JSON))}, got {path}.")
    try:
        found = _of_json(path) if ending == _JSON else _of_table(recipe, path, is_text=ending in DELIMITED)
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error}.") from error
    return [{setting_of(recipe, name).name: value for name, value in point.items()} for point in found]


def _of_json(path: Path) -> list[Mapping[str, Any]]:
    value = read_json(path, _MAX_BYTES, error=RunError)
    points = value if isinstance(value, list) else [value]
    if not all(isinstance(point, dict) for point in points):
        raise RunError(f"{path} must hold one object per point.")
    return points


def _of_table(recipe: str, path: Path, *, is_text: bool) -> list[Mapping[str, Any]]:
    rows = list(read_table(path, (), limit=_MAX_BYTES, error=RunError).rows)
    if problems := [row.problem for row in rows if row.problem]:
        raise RunError(refusal(problems, path.name))
    if not is_text:
        return [row.cells for row in rows]
    return [
        {name: setting_of(recipe, name).parse(cell) for name, cell in row.cells.items() if cell.strip()} for row in rows
    ]


def _split(recipe: str, text: str) -> tuple[Setting, str]:
    name, equals, typed = text.partition("=")
    if not (equals and name):
        raise RunError(f"a setting is given as NAME=VALUE, got {text!r}.")
    return setting_of(recipe, name.strip()), typed.strip()
