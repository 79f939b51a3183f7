"""Options from a job's settings: the settings are the only source of names, defaults, help and values."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any

import typer

from compecon.errors import SettingError
from compecon.settings.setting import Setting, spelled

_METAVARS = {int: "INTEGER", float: "NUMBER", tuple: "INTEGER,...", str: "TEXT"}


def with_options(function: Callable[..., None], settings: Sequence[Setting]) -> Callable[..., None]:
    """A function whose parameter `params` is a mapping of the values of all these settings.

    Args:
        function: Its other parameters stay options.
        settings: In the order of help: required ones, the function's required options, then the rest.
    """
    declared = inspect.signature(function, eval_str=True).parameters.values()
    own = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in declared if each.name != "params"]
    first = [_parameter(each) for each in settings if each.required]
    more = [_parameter(each) for each in settings if not each.required]

    def command(**given: Any) -> None:
        params = typed_values(settings, given)
        function(**{name: value for name, value in given.items() if name not in params}, params=params)

    needed = [each for each in own if each.default is inspect.Parameter.empty]
    sign(command, function, [*first, *needed, *more, *(each for each in own if each not in needed)])
    return command


def sign(command: Callable[..., None], like: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> None:
    """Give a function parameters, and another one's name and docstring."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in parameters}
    command.__name__, command.__doc__ = like.__name__.removeprefix("_"), like.__doc__


def typed_values(settings: Sequence[Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings' values from what was given on the command line: texts are parsed, flags are values already."""

    def parsed(setting: Setting) -> Any:
        typed = given[setting.name]
        return setting.parse(typed) if isinstance(typed, str) else typed

    return read(lambda _given: {each.name: parsed(each) for each in settings}, given)


def read(check: Callable[[Mapping[str, Any]], dict[str, Any]], params: Mapping[str, Any]) -> dict[str, Any]:
    """Checked values of a job's settings; a refused setting is reported by its option."""
    try:
        return check(params)
    except SettingError as error:
        raise typer.BadParameter(error.why, param_hint=f"--{error.setting.replace('_', '-')}") from error


def _parameter(setting: Setting) -> inspect.Parameter:
    """A flag, or a text that the setting parses."""
    kind: Any = bool if setting.kind is bool else str
    default: Any = setting.default
    if kind is str and default is not None:
        default = spelled(default)
    options = setting.options or (() if setting.required else (f"--{setting.name.replace('_', '-')}",))
    if not options:
        shown: Any = typer.Argument(metavar=setting.name.upper(), help=setting.description)
    elif kind is bool:
        names = [f"{name}/--no-{name.removeprefix('--')}" for name in options]
        shown = typer.Option(*names, help=setting.description)
    else:
        metavar = f"[{'|'.join(setting.choices)}]" if setting.choices else _METAVARS[setting.kind]
        shown = typer.Option(*options, metavar=metavar, help=setting.description)
    absent = inspect.Parameter.empty if setting.required else default
    if default is None and not setting.required:
        kind = kind | None
    return inspect.Parameter(
        setting.name, inspect.Parameter.KEYWORD_ONLY, default=absent, annotation=Annotated[kind, shown]
    )
