"""A setting as a form, a command line, a table and a sweep see it, and the one parser of typed values.

A typed value means the same everywhere (`Setting.parse`):

- surrounding spaces are ignored;
- nothing, and "none" in any case, is None where None is a value, and the empty list for a list;
- numbers are as in Python, lists are numbers between commas, yes, no, true and false in any case;
- anything else is the text itself, and is refused if it is not a value.

Several values (`Setting.parse_several`) stand between commas, lists between semicolons; none of them may be empty,
because an empty one may be a mistake.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType, NoneType
from typing import Annotated, Any, Literal, TypeVar, final, get_origin

from pydantic import Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from compecon.errors import SettingError
from compecon.files.durable import Json
from compecon.settings.model import (
    STRICT,
    Shown,
    alternatives,
    choices_of,
    fields_of,
    part_of,
    quoted,
    refusal,
    unknown,
)

_LARGEST = 2**53  # up to here, JSON and JavaScript keep whole numbers whole
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
Made = TypeVar("Made")


@final
@dataclass(frozen=True)
class Setting:
    """A setting."""

    name: str  # its name among the parameters
    source: FieldInfo = field(compare=False, repr=False)  # its field
    group: str = "more"  # section of a form
    default: Json = None  # default value; None also if the setting is required
    optional: bool = False  # whether None is a value
    required: bool = False  # whether it has to be given

    @cached_property
    def kind(self) -> type:
        """`int`, `float`, `str`, `bool`, or `tuple` for numbers in a list."""
        [base, *_] = [part for part in alternatives(self.source.annotation) if part is not NoneType]
        origin: Any = get_origin(base) or base
        return str if origin is Literal else origin

    @property
    def choices(self) -> tuple[str, ...]:
        """All its values, if they are listed; empty otherwise."""
        return choices_of(self.source)

    @property
    def description(self) -> str:
        """What it is, for people."""
        return self.source.description or ""

    @property
    def label(self) -> str:
        """Its name for people, with the unit of its value."""
        name = self._shown.label or self.name.replace("_", " ").capitalize()
        return f"{name} ({self._shown.unit})" if self._shown.unit else name

    @property
    def options(self) -> tuple[str, ...]:
        """Its spellings on the command line, "--target-macs" first; empty for a positional argument."""
        options = self._shown.options
        return (f"--{self.name.replace('_', '-')}",) if options is None else options

    def checked(self, given: Any) -> Json:
        """An untrusted value as JSON has it. Nothing is converted, except whole numbers to float."""
        if given is None and self.optional:
            return None
        try:
            value = self._checker.validate_python(given)
        except ValidationError as error:
            raise refusal(error, {self.name: self.source}, owner=self.name) from None
        parts = value if isinstance(value, tuple) else (value,)
        if any(type(part) is int and abs(part) > _LARGEST for part in parts):
            raise SettingError(self.name, f"must be a whole number of at most {_LARGEST:,}, got {quoted(given)}.")
        return list(value) if isinstance(value, tuple) else value

    def parse(self, text: str) -> Json:
        """A typed value; see the module."""
        text = text.strip()
        says_nothing = text.lower() in ("", "none")
        if says_nothing and self.optional:
            return None
        if says_nothing and self.kind is tuple:
            return self.checked([])
        if not text and (self.kind is not str or self.choices):
            raise SettingError(self.name, "has to be given.")
        return self.checked(self._read(text))

    def parse_several(self, text: str) -> tuple[Json, ...]:
        """Several typed values; see the module."""
        if not text.strip():
            raise SettingError(self.name, "give at least one value.")
        parts = text.split(";" if self.kind is tuple else ",")
        if not all(part.strip() for part in parts):
            raise SettingError(self.name, f"has an empty value in {quoted(text)}. Write none if it is meant.")
        return tuple(self.parse(part) for part in parts)

    def _read(self, text: str) -> Any:
        with suppress(ValueError):
            if self.kind is tuple:
                return [self._part(part) for part in text.split(",")]
            if self.kind is bool:
                return _TRUTH.get(text.lower(), text)
            return self.kind(text)
        return text

    def _part(self, text: str) -> float:
        """A number of a list: a whole one unless fractions are values."""
        return float(text) if part_of(self.source) is float else int(text)

    @property
    def _shown(self) -> Shown:
        return next((each for each in self.source.metadata if isinstance(each, Shown)), Shown())

    @cached_property
    def _checker(self) -> TypeAdapter[Any]:
        kind: Any = Annotated[self.source.annotation, Field(), *self.source.metadata]
        return TypeAdapter(kind, config=STRICT)


def settings_of(
    kind: type,
    group: str = "more",
    *,
    names: Mapping[str, str] = _NOTHING,
    defaults: Mapping[str, Json] = _NOTHING,
    without: Collection[str] = (),
) -> tuple[Setting, ...]:
    """The settings of a class, in the order of its fields.

    Args:
        kind: A class of settings.
        group: Section of a form, for fields that name none.
        names: Settings' names where they differ from the fields'.
        defaults: Defaults by field where they differ from the class's; None makes None a value.
        without: Fields to leave out.
    """
    found = []
    for name, source in fields_of(kind).items():
        if name in without:
            continue
        required = source.is_required()
        default = defaults.get(name, None if required else source.default)
        optional = NoneType in alternatives(source.annotation) or (name in defaults and defaults[name] is None)
        shown = next((each.group for each in source.metadata if isinstance(each, Shown)), "")
        plain = list(default) if isinstance(default, tuple) else default
        found.append(Setting(names.get(name, name), source, shown or group, plain, optional, required))
    return tuple(found)


def with_defaults(settings: Iterable[Setting], defaults: Mapping[str, Json]) -> tuple[Setting, ...]:
    """Settings with other defaults, for which None is no longer a value."""
    return tuple(
        replace(each, default=defaults[each.name], optional=False) if each.name in defaults else each
        for each in settings
    )


def checked_values(settings: Iterable[Setting], params: Mapping[str, Any], owner: str) -> dict[str, Json]:
    """All settings' values in order, with defaults; `owner` names them in messages."""
    if not isinstance(params, Mapping):
        raise SettingError(owner, f"takes its settings by name, got {quoted(params)}.")
    known = {setting.name: setting for setting in settings}
    for name in params:
        if name not in known:
            raise unknown(name, known, owner)
    return {name: setting.checked(params.get(name, setting.default)) for name, setting in known.items()}


def made_of(kind: type[Made], params: Mapping[str, Any], **others: Any) -> Made:
    """An object of a class of settings from checked values, of which more are ignored, and `others`."""
    return kind(**{**{name: params[name] for name in fields_of(kind) if name in params}, **others})


def spelled(value: Json) -> str:
    """A value as it is typed: `Setting.parse` reads the same value from it."""
    if isinstance(value, list | tuple):
        return ",".join("1" if part == 1 else str(part) for part in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else repr(value) if isinstance(value, float) else str(value)
