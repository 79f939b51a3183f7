"""A setting as a form, a command line, a table and a sweep see it, read off a class; and one reader of what is typed.

What is typed means the same everywhere (`Setting.parse`):

- spaces around it do not count;
- nothing, and "none" in any case, is None where None is a value, and no number at all in a list;
- numbers are as Python writes them, lists are whole numbers between commas, yes, no, true and false in any case;
- anything else is the text itself, and is refused if that is no value.

Where several values are typed (`Setting.parse_several`), they stand between commas, lists between semicolons; none of
them may be empty, because nobody sees whether an empty one was meant.
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
from compecon.settings.model import STRICT, Shown, alternatives, choices_of, fields_of, quoted, refusal, unknown

_LARGEST = 2**53  # up to here, JSON and JavaScript keep whole numbers whole
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_NOTHING: Mapping[str, Any] = MappingProxyType({})
Made = TypeVar("Made")


@final
@dataclass(frozen=True)
class Setting:
    """Something that can be set.

    Attributes:
        name: Its name among the parameters.
        source: The field that it is.
        group: Which part of a form it belongs to.
        default: Value if nothing is said; None too for one that has to be given.
        optional: Whether None is a value.
        required: Whether it has to be given.
    """

    name: str
    source: FieldInfo = field(compare=False, repr=False)
    group: str = "more"
    default: Json = None
    optional: bool = False
    required: bool = False

    @cached_property
    def kind(self) -> type:
        """`int`, `float`, `str`, `bool`, or `tuple` for whole numbers in a list."""
        [base, *_] = [part for part in alternatives(self.source.annotation) if part is not NoneType]
        origin: Any = get_origin(base) or base
        return str if origin is Literal else origin

    @property
    def choices(self) -> tuple[str, ...]:
        """All values there are; empty if any will do."""
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
        """How it is spelled on the command line, "--target-macs" first; empty for an argument without a name."""
        told = self._shown.options
        return (f"--{self.name.replace('_', '-')}",) if told is None else told

    def checked(self, given: Any) -> Json:
        """A value of this setting's kind, from wherever it comes, as JSON has it.

        Raises:
            SettingError: If it is none, or out of its range. Nothing is converted, but whole numbers where any will do.
        """
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
        """A value as it is typed; see above.

        Raises:
            SettingError: As of `checked`.
        """
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
        """Values as they are typed, one after the other; see above.

        Raises:
            SettingError: If one is no value, or there is none.
        """
        if not text.strip():
            raise SettingError(self.name, "give at least one value.")
        parts = text.split(";" if self.kind is tuple else ",")
        if not all(part.strip() for part in parts):
            raise SettingError(self.name, f"has an empty value in {quoted(text)}. Write none if it is meant.")
        return tuple(self.parse(part) for part in parts)

    def _read(self, text: str) -> Any:
        with suppress(ValueError):
            if self.kind is tuple:
                return [int(part) for part in text.split(",")]
            if self.kind is bool:
                return _TRUTH.get(text.lower(), text)
            return self.kind(text)
        return text

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
    """The settings that are the fields of a class, in their order.

    Args:
        kind: A class of settings.
        group: Of a form, for fields that name none.
        names: Settings' names where they are not those of the fields.
        defaults: Defaults by field where they are not those of the class; one of None makes None a value.
        without: Fields that are no settings.
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
    """Settings with other defaults; None is no value of these any more."""
    return tuple(
        replace(each, default=defaults[each.name], optional=False) if each.name in defaults else each
        for each in settings
    )


def checked_values(settings: Iterable[Setting], params: Mapping[str, Any], owner: str) -> dict[str, Json]:
    """All settings' values, defaults filled in, in the order of the settings.

    Args:
        settings: What can be set.
        params: What was, by name.
        owner: Whose settings these are, for messages.

    Raises:
        SettingError: If a name is unknown, a value of another kind or out of its range, or one is absent that has to be
            given.
    """
    if not isinstance(params, Mapping):
        raise SettingError(owner, f"takes its settings by name, got {quoted(params)}.")
    known = {setting.name: setting for setting in settings}
    for name in params:
        if name not in known:
            raise unknown(name, known, owner)
    return {name: setting.checked(params.get(name, setting.default)) for name, setting in known.items()}


def made_of(kind: type[Made], params: Mapping[str, Any], **others: Any) -> Made:
    """An object of a class of settings.

    Args:
        kind: The class.
        params: Checked values by field; more than these are left alone.
        **others: Values that take the place of one, or of what is no setting.

    Raises:
        SettingError: If settings contradict each other.
    """
    return kind(**{**{name: params[name] for name in fields_of(kind) if name in params}, **others})


def spelled(value: Json) -> str:
    """A value as it is typed: `Setting.parse` reads the same value from it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else repr(value) if isinstance(value, float) else str(value)
