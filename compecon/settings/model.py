"""Settings as frozen dataclasses that pydantic checks; each refusal is one sentence.

    @settings_model
    class OvenSettings:
        degrees: float = Field(default=220.0, gt=0, description="Temperature in the middle.")

A description, a default and a range stand once, on the field. Types are strict: neither "8" nor True is a number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import wraps
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, dataclass_transform, final, get_args, get_origin

from pydantic import AfterValidator, ConfigDict, Field, GetCoreSchemaHandler, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

from compecon.errors import SettingError, did_you_mean

STRICT = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
_LONGEST_TEXT = 4096
_MOST_PARTS = 64
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a finite number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text",
}
_BOUNDS = {"ge": "at least", "gt": "above", "le": "at most", "lt": "below"}
Kind = TypeVar("Kind")


@final
@dataclass(frozen=True)
class Shown:
    """How a field is presented, where that does not follow from its name."""

    label: str = ""  # its name in a form
    unit: str = ""  # of its value
    group: str = ""  # section of a form; "" for that of its class
    # spellings on the command line, the shown one first; empty for a positional argument
    options: tuple[str, ...] | None = None


@final
@dataclass(frozen=True)
class OneOf:
    """Names that a field may have, where they are known only at run time; otherwise `Literal` lists them."""

    names: Callable[[], Iterable[str]]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check a text once it is one."""
        return core_schema.no_info_after_validator_function(self.checked, handler(source))

    def checked(self, name: str) -> str:
        """The name, if there is one."""
        if name not in self.names():
            raise ValueError(_not_among(name, self.names()))
        return name


def _printable(text: str) -> str:
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        raise ValueError(f"must be a text of at most {_LONGEST_TEXT} printable characters, got {quoted(text)}.")
    if text.startswith("-"):  # a command line would take it for an option
        raise ValueError(f"must not begin with a dash, got {quoted(text)}.")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("has to be given.")
    return text


Text = Annotated[str, AfterValidator(_printable)]
Name = Annotated[Text, AfterValidator(_not_blank)]
Counts = Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False, max_length=_MOST_PARTS)]
Shares = Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(strict=False, max_length=_MOST_PARTS)]


@dataclass_transform(frozen_default=True, field_specifiers=(Field,))
def settings_model(kind: type[Kind]) -> type[Kind]:
    """Make a class one of settings: a frozen dataclass whose values pydantic checks.

    Creating one raises `SettingError`, a ValueError, for a value of another type or out of range, an unknown name, and
    what `__post_init__` refuses. `dataclasses.replace` checks again.
    """
    made: Any = checked_dataclass(kind, frozen=True, config=STRICT)
    make = made.__init__

    @wraps(make)
    def checked(self: Any, *args: Any, **values: Any) -> None:
        try:
            make(self, *args, **values)
        except ValidationError as error:
            raise refusal(error, fields_of(made), owner=made.__name__) from None

    made.__init__ = checked
    whole: type[Kind] = made
    return whole


def fields_of(kind: type) -> dict[str, FieldInfo]:
    """The fields of a class of settings, in their order."""
    found: dict[str, FieldInfo] = kind.__pydantic_fields__  # type: ignore[attr-defined]
    return found


def refusal(error: ValidationError, fields: Mapping[str, FieldInfo], *, owner: str) -> SettingError:
    """The first error of pydantic, as a sentence; `owner` names the class whose `fields` were checked."""
    first = error.errors(include_url=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, SettingError):
        return cause
    name = next((part for part in first["loc"] if isinstance(part, str)), owner)
    if first["type"] == "unexpected_keyword_argument":
        return unknown(name, fields, owner)
    if first["input"] is None or first["type"] == "missing":
        return SettingError(name, "has to be given.")
    return SettingError(name, str(cause) if cause is not None else _sentence(first, fields.get(name)))


def unknown(name: object, names: Iterable[str], owner: str) -> SettingError:
    """The error for an unknown setting."""
    meant = did_you_mean(str(name), names) or f" There are: {', '.join(names)}."
    return SettingError(str(name)[:100], f"is not a setting of {owner}.{meant}")


def range_of(field: FieldInfo) -> str:
    """A field's range, in words: "in (0, 1]", "from 1 to 500", "at least 1"; "" for any number."""
    found = {name: getattr(each, name) for each in field.metadata for name in _BOUNDS if hasattr(each, name)}
    if len(found) < 2:
        return "".join(f"{_BOUNDS[name]} {bound:g}" for name, bound in found.items())
    low, high = (next(found[name] for name in pair if name in found) for pair in (("ge", "gt"), ("le", "lt")))
    if "ge" in found and "le" in found and int in alternatives(field.annotation):
        return f"from {low:,} to {high:,}"
    return f"in {'[' if 'ge' in found else '('}{low:g}, {high:g}{']' if 'le' in found else ')'}"


def quoted(value: Any) -> str:
    """A value for a message, shortened."""
    try:
        text = repr(value)
    except ValueError:  # a whole number with thousands of digits
        text = "a very large number"
    return text if len(text) <= 100 else f"{text[:100]}..."


def _sentence(error: Any, field: FieldInfo | None) -> str:
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "literal_error" and field is not None:
        return _not_among(given, choices_of(field))
    wanted = _WANTED.get(kind)
    if kind in ("tuple_type", "too_long"):
        numbers = "numbers" if field is not None and part_of(field) is float else "whole numbers"
        wanted = f"a list of at most {_MOST_PARTS} {numbers}"
    if bounds := context.keys() & _BOUNDS.keys():
        [name] = bounds
        is_part = isinstance((*error["loc"], "")[-2:][0], int)
        wanted = f"{_BOUNDS[name]} {context[name]:g} each" if is_part or field is None else range_of(field)
    if wanted is None and "class_name" in context:
        wanted = f"of the class {context['class_name']}"
    return f"must be {wanted}, got {quoted(given)}." if wanted else f"{error['msg']}."


def choices_of(field: FieldInfo) -> tuple[str, ...]:
    """All values of a field that has a list of them; empty otherwise."""
    for each in field.metadata:
        if isinstance(each, OneOf):
            return tuple(each.names())
    literals = [part for part in alternatives(field.annotation) if get_origin(part) is Literal]
    return tuple(name for part in literals for name in get_args(part))


def alternatives(annotation: Any) -> tuple[Any, ...]:
    """The types of `a | None`, or the type alone; without annotations."""
    parts = get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)
    return tuple(get_args(part)[0] if get_origin(part) is Annotated else part for part in parts)


def part_of(field: FieldInfo) -> type:
    """`int` or `float`: what the numbers of a field that is a list are."""
    [listed, *_] = [part for part in alternatives(field.annotation) if get_origin(part) is tuple]
    [kind, *_] = alternatives(get_args(listed)[0])
    number: type = get_args(kind)[0] if get_origin(kind) is Annotated else kind
    return number


def _not_among(given: object, names: Iterable[str]) -> str:
    return f"must be one of {', '.join(names)}, got {quoted(given)}.{did_you_mean(str(given), names)}"
