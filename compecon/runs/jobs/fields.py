"""What can be set, and by whom: one `Setting` for a form, a command line and a file, read off a settings class.

Names, defaults and words come from the class, so that they cannot drift. Loads without torch.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, final, get_args, get_origin, get_type_hints

from compecon.errors import CompeconError, did_you_mean

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Group = Literal["what", "incentive", "training", "more"]
Settings = TypeVar("Settings")
_LARGEST = 2**53  # up to here, JSON and JavaScript keep whole numbers whole
_LONGEST_TEXT = 4096
_MOST_PARTS = 64
_WANTED = {int: "a whole number", float: "a finite number", bool: "true or false", str: "a text"}


@final
class SettingError(CompeconError, ValueError):
    """A setting was refused.

    Attributes:
        setting: Its name.
        why: What is wrong with it, without the name.
    """

    def __init__(self, setting: str, why: str) -> None:
        super().__init__(f"{setting}: {why}")
        self.setting, self.why = setting, why


@final
@dataclass(frozen=True)
class Setting:
    """Something that can be set.

    Attributes:
        name: Its name among the parameters.
        kind: `int`, `float`, `str`, `bool`, or `tuple` for whole numbers in a list.
        default: Value if nothing is said; None too for one that has to be given.
        told: What it is, for people.
        group: Which part of a form it belongs to.
        choices: All values there are; empty if any will do.
        optional: Whether None is a value.
        required: Whether it has to be given.
        option: How it is spelled on the command line, "--target-macs"; empty for an argument without a name.
        aliases: Other spellings.
    """

    name: str
    kind: type
    default: Json = None
    told: str = ""
    group: Group = "more"
    choices: tuple[str, ...] = ()
    optional: bool = False
    required: bool = False
    option: str = ""
    aliases: tuple[str, ...] = ()

    @property
    def wanted(self) -> str:
        """What a value of it is, in words."""
        return "whole numbers, separated by commas" if self.kind is tuple else _WANTED[self.kind]

    def checked(self, given: Any) -> Json:
        """A value of this setting's kind, from wherever it comes.

        Raises:
            SettingError: If it is none. Nothing is converted, but a whole number where any number will do.
        """
        if given is None:
            if not self.optional:
                raise SettingError(self.name, "has to be given.")
            return None
        if self.kind is tuple:
            if not isinstance(given, list | tuple) or len(given) > _MOST_PARTS:
                raise SettingError(
                    self.name, f"must be a list of at most {_MOST_PARTS} whole numbers, got {_cut(given)}."
                )
            return [self._of(int, part) for part in given]
        value: Json = self._of(self.kind, given)
        if self.choices and value not in self.choices:
            meant = did_you_mean(str(value), self.choices)
            raise SettingError(self.name, f"must be one of {', '.join(self.choices)}, got {_cut(given)}.{meant}")
        return value

    def _of(self, kind: type, given: Any) -> Any:
        if kind is float and type(given) is int and abs(given) <= _LARGEST:
            given = float(given)
        good = type(given) is kind
        if good and kind is int:
            good = abs(given) <= _LARGEST
        elif good and kind is float:
            good = math.isfinite(given)
        if not good:
            raise SettingError(self.name, f"must be {_WANTED[kind]}, got {_cut(given)}.")
        return self._text(given) if kind is str else given

    def _text(self, given: str) -> str:
        if len(given) > _LONGEST_TEXT or not given.isprintable():
            raise SettingError(
                self.name, f"must be a text of at most {_LONGEST_TEXT} printable characters, got {_cut(given)}."
            )
        if given.startswith("-"):  # a command line would take it for an option
            raise SettingError(self.name, f"must not begin with a dash, got {_cut(given)}.")
        if self.required and not given.strip():
            raise SettingError(self.name, "has to be given.")
        return given


@final
@dataclass(frozen=True)
class Fields(Generic[Settings]):
    """The settings that are the fields of one class.

    Attributes:
        kind: A dataclass whose docstring tells its attributes, with fields that are numbers, texts, truth values,
            choices (`Literal`), whole numbers in a tuple, or one of these or None.
        group: Of a form.
        names: Settings' names where they are not those of the fields.
        options: Options' spellings by field, the first being the one that is shown.
        defaults: Defaults by field where they are not those of the class; one of None makes None a value.
        without: Fields that are no settings.
    """

    kind: type[Settings]
    group: Group = "more"
    names: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Json] = field(default_factory=dict)
    without: frozenset[str] = frozenset()

    @property
    def by_field(self) -> dict[str, Setting]:
        """Each setting by the name of its field."""
        hints, told = get_type_hints(self.kind), attributes_told(self.kind)
        every = [each for each in fields(self.kind) if each.name not in self.without]  # type: ignore[arg-type]
        own = {each.name: None if each.default is MISSING else each.default for each in every}
        return {name: self._setting(name, hints[name], default, told[name]) for name, default in own.items()}

    @property
    def settings(self) -> tuple[Setting, ...]:
        """The settings, in the order of the fields."""
        return tuple(self.by_field.values())

    def read(self, params: Mapping[str, Any], **others: Any) -> Settings:
        """The object of this class.

        Args:
            params: Checked values by setting; more than these are left alone.
            **others: Values of fields that are no settings, or that take the place of one.

        Raises:
            SettingError: If one is out of its range, naming it.
        """
        named = {name: setting.name for name, setting in self.by_field.items() if name not in others}
        values = {name: _plain(params[setting]) for name, setting in named.items()}
        try:
            return self.kind(**values, **others)
        except ValueError as error:
            raise SettingError(self._culprit(values, others, named), str(error)) from error

    def _culprit(self, values: Mapping[str, Any], others: Mapping[str, Any], named: Mapping[str, str]) -> str:
        """The setting that is wrong by itself; else the first one without which the others would do; else the class."""
        own = {each.name: each.default for each in fields(self.kind) if each.name in values}  # type: ignore[arg-type]
        said = {name: _plain(setting.default) for name, setting in self.by_field.items()}
        changed = [name for name in values if values[name] != said[name]]
        for name in changed:
            if not self._makes({**own, **others, name: values[name]}):
                return named[name]
        for name in changed:
            if self._makes({**values, **others, name: own[name]}):
                return named[name]
        return self.kind.__name__

    def _makes(self, values: Mapping[str, Any]) -> bool:
        try:
            self.kind(**values)
        except (ValueError, TypeError):
            return False
        return True

    def _setting(self, name: str, hint: Any, default: Any, told: str) -> Setting:
        base, optional = _base(hint)
        chosen = self.defaults.get(name, list(default) if isinstance(default, tuple) else default)
        called = self.names.get(name, name)
        spelled = self.options.get(name, (f"--{called.replace('_', '-')}",))
        origin = get_origin(base)
        return Setting(
            called,
            str if origin is Literal else origin or base,
            chosen,
            told,
            self.group,
            choices=get_args(base) if origin is Literal else (),
            optional=optional or (name in self.defaults and chosen is None),
            option=spelled[0],
            aliases=spelled[1:],
        )


def attributes_told(kind: type) -> dict[str, str]:
    """What a class' docstring says of each attribute."""
    _, _, told = inspect.cleandoc(kind.__doc__ or "").partition("Attributes:\n")
    entries = re.split(r"^    (?=\w+: )", told, flags=re.MULTILINE)[1:]
    pairs = (entry.partition(": ") for entry in entries)
    return {name: " ".join(text.split()) for name, _, text in pairs}


def checked_values(settings: tuple[Setting, ...], params: Mapping[str, Any], owner: str) -> dict[str, Json]:
    """All settings' values, defaults filled in, in the order of the settings.

    Args:
        settings: What can be set.
        params: What was, by name.
        owner: Whose settings these are, for messages.

    Raises:
        SettingError: If a name is unknown, a value of another kind, or one is absent that has to be given.
    """
    if not isinstance(params, Mapping):
        raise SettingError(owner, f"takes its settings by name, got {_cut(params)}.")
    names = [setting.name for setting in settings]
    for name in params:
        if name not in names:
            meant = did_you_mean(str(name), names) or f" There are: {', '.join(names)}."
            raise SettingError(str(name)[:100], f"is no setting of {owner}.{meant}")
    return {setting.name: setting.checked(params.get(setting.name, setting.default)) for setting in settings}


def _base(hint: Any) -> tuple[Any, bool]:
    """A type without None, and whether None was part of it."""
    if get_origin(hint) is UnionType or NoneType in get_args(hint):
        [base] = [part for part in get_args(hint) if part is not NoneType]
        return base, True
    return hint, False


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _cut(value: Any) -> str:
    try:
        text = repr(value)
    except ValueError:  # a whole number with thousands of digits
        text = "a very large number"
    return text if len(text) <= 100 else f"{text[:100]}..."
