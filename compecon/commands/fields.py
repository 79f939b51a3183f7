"""Options that are the fields of a settings class: names, defaults and help come from the class, so they cannot drift.

The classes load torch, so a command with such options is built when it is called: `later` is what the command line
knows of it before.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from enum import Enum, StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Generic, Literal, TypeVar, final, get_args, get_origin, get_type_hints

import typer

from compecon.commands.options import listed
from compecon.errors import CompeconError

Settings = TypeVar("Settings")
LATER = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}
"""Context settings of a command that passes everything on to the one it builds."""


@final
@dataclass(frozen=True)
class FieldOptions(Generic[Settings]):
    """The options of one settings class.

    Attributes:
        kind: A dataclass whose docstring tells its attributes, with fields that are numbers, texts, truth values,
            choices (`Literal`), whole numbers in a tuple, or one of these or None.
        names: Options' names where they are not those of the fields.
        defaults: Defaults where they are not those of the class.
        without: Fields that are no options.
    """

    kind: type[Settings]
    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    @property
    def fields(self) -> tuple[Field[Any], ...]:
        """Those that are options."""
        return tuple(each for each in fields(self.kind) if each.name not in self.without)  # type: ignore[arg-type]

    def parameters(self) -> list[inspect.Parameter]:
        """A parameter for each field, as typer reads them."""
        hints, told = get_type_hints(self.kind), attributes_told(self.kind)
        return [self._parameter(each, hints[each.name], told[each.name]) for each in self.fields]

    def values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The fields' values among what was given on the command line."""
        hints = get_type_hints(self.kind)
        return {each.name: _value(given[each.name], hints[each.name], self._option(each)) for each in self.fields}

    def read(self, given: Mapping[str, Any], **others: Any) -> Settings:
        """The settings.

        Args:
            given: Values by parameter.
            **others: Values of fields that are no options, or that take the place of one.

        Raises:
            typer.BadParameter: If one is out of its range.
        """
        try:
            return self.kind(**{**self.values(given), **others})
        except (ValueError, CompeconError) as error:
            raise typer.BadParameter(str(error)) from error

    def default(self, name: str) -> Any:
        """A field's default on the command line."""
        chosen = next(each for each in self.fields if each.name == name)
        return self.defaults.get(name, None if chosen.default is MISSING else chosen.default)

    def _option(self, each: Field[Any]) -> str:
        return self.names.get(each.name, (f"--{each.name.replace('_', '-')}",))[0]

    def _parameter(self, each: Field[Any], hint: Any, told: str) -> inspect.Parameter:
        base: Any = _base(hint)
        default = self.default(each.name)
        names = self.names.get(each.name, (self._option(each),))
        if base is bool:
            names = tuple(f"{name}/--no-{name.removeprefix('--')}" for name in names)
        if get_origin(base) is Literal:
            base = _choices(each.name, get_args(base))
            default = None if default is None else base(default)
        if get_origin(base) is tuple:
            base, default = str, ",".join(map(str, default or ()))
        annotation: Any = Annotated[base | None if default is None else base, typer.Option(*names, help=told)]
        return inspect.Parameter(each.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def attributes_told(kind: type) -> dict[str, str]:
    """What a class' docstring says of each attribute."""
    _, _, told = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    entries = re.split(r"^    (?=\w+: )", told, flags=re.MULTILINE)[1:]
    pairs = (entry.partition(": ") for entry in entries)
    return {name: " ".join(text.split()) for name, _, text in pairs}


def with_options(function: Callable[..., None], *options: FieldOptions[Any]) -> Callable[..., None]:
    """A function whose parameter `settings` is a mapping of the values of all these options.

    Args:
        function: Its other parameters are options as they are.
        *options: In the order of help; no two may have a field of the same name.
    """
    signature = inspect.signature(function, eval_str=True)
    own = [each for each in signature.parameters.values() if each.name != "settings"]
    more = [each for group in options for each in group.parameters()]

    def command(**given: Any) -> None:
        settings = {each.name: given.pop(each.name) for each in more}
        function(**given, settings=settings)

    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in own]
    command.__signature__ = signature.replace(parameters=[*named, *more])  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in (*named, *more)}
    command.__doc__ = function.__doc__
    return command


def call(command: Callable[..., None], name: str, arguments: list[str]) -> None:
    """Run a command that was just built, with its own help and its own usage errors."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    app.command()(command)
    app(args=arguments, prog_name=f"compecon {name}")


def _choices(name: str, choices: tuple[str, ...]) -> Any:
    make: Any = StrEnum  # typer learnt to read Literal late
    return make(name, {choice: choice for choice in choices})


def _base(hint: Any) -> Any:
    """A type without None."""
    if get_origin(hint) is UnionType or NoneType in get_args(hint):
        [hint] = [part for part in get_args(hint) if part is not NoneType]
    return hint


def _value(given: Any, hint: Any, option: str) -> Any:
    if isinstance(given, Enum):
        return given.value
    if get_origin(_base(hint)) is tuple:
        return listed(given, get_args(_base(hint))[0], option)
    return given
