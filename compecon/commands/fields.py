"""Options that are a recipe's settings: names, defaults and help come from there, so they cannot drift."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum
from typing import Annotated, Any

import typer

from compecon.commands.options import parse_list
from compecon.errors import CompeconError
from compecon.runs.jobs.fields import Setting, SettingError


def with_options(function: Callable[..., None], settings: Sequence[Setting]) -> Callable[..., None]:
    """A function whose parameter `params` is a mapping of the values of all these settings.

    Args:
        function: Its other parameters are options as they are.
        settings: In the order of help, those first that have to be given, then the function's own that have to be;
            the function's other ones are the last.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "params"]
    first = [_parameter(each) for each in settings if each.required]
    more = [_parameter(each) for each in settings if not each.required]

    def command(**given: Any) -> None:
        params = {each.name: _value(given.pop(each.name), each) for each in settings}
        function(**given, params=params)

    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    needed = [each for each in own if each.default is inspect.Parameter.empty]
    named = [*first, *needed, *more, *(each for each in own if each not in needed)]
    command.__signature__ = signature.replace(parameters=named)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in named}
    command.__name__, command.__doc__ = function.__name__.removeprefix("_"), function.__doc__
    return command


def read(check: Callable[[Mapping[str, Any]], dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values of a recipe's settings.

    Raises:
        typer.BadParameter: If a setting is refused, by its option.
    """
    try:
        return check(params)
    except SettingError as error:
        raise typer.BadParameter(error.why, param_hint=f"--{error.setting.replace('_', '-')}") from error


def _parameter(setting: Setting) -> inspect.Parameter:
    base: Any = setting.kind
    default: Any = setting.default
    names = [setting.option, *setting.aliases] if setting.option else []
    if setting.kind is bool:
        names = [f"{name}/--no-{name.removeprefix('--')}" for name in names]
    if setting.choices:
        base = _choices(setting)
        default = None if default is None else base(default)
    if setting.kind is tuple:
        base, default = str, ",".join(map(str, default or ()))
    kind: Any = base | None if setting.optional else base
    if names:
        shown: Any = typer.Option(*names, help=setting.told)
    else:
        shown = typer.Argument(metavar=setting.name.upper(), help=setting.told)
    absent = inspect.Parameter.empty if setting.required else default
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=absent, annotation=Annotated[kind, shown]
    )


def _choices(setting: Setting) -> Any:
    make: Any = StrEnum  # typer learnt to read Literal late
    return make(setting.name, {choice: choice for choice in setting.choices})


def _value(given: Any, setting: Setting) -> Any:
    if isinstance(given, Enum):
        return given.value
    if setting.kind is not tuple:
        return given
    try:
        return list(parse_list(given, int, setting.option))
    except CompeconError as error:
        raise typer.BadParameter(str(error)) from error
