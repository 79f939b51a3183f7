"""Dataclasses as JSON objects: every type is checked, and unknown entries are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields
from typing import Any, TypeVar

from compecon.errors import RunError
from compecon.files.schema import check_schema

_MAX_NUMBER = 10**15  # beyond that no count and no time is one
_APART = ("schema", "more")
Kind = TypeVar("Kind")


def read_parts(kind: type[Kind], value: Mapping[str, Any], name: str, newest: int) -> Kind:
    """A dataclass from an untrusted object.

    Args:
        kind: The dataclass; its field "more" gets the entries that it has no field for.
        value: The object.
        name: What to call its file in messages.
        newest: The newest known version of it.
    """
    check_schema(value, newest, name, error=RunError)
    expected = {each.name: str(each.type) for each in fields(kind) if each.name not in _APART}  # type: ignore[arg-type]
    known = {key: given for key, given in value.items() if key in expected}
    for key, given in known.items():
        if not _fits(given, expected[key]):
            raise RunError(f"{name} is damaged: {key} is {str(given)[:60]!r}.")
    if absent := [each.name for each in fields(kind) if _is_needed(each) and each.name not in known]:  # type: ignore[arg-type]
        raise RunError(f"{name} is incomplete: it has no {absent[0]}.")
    more = {key: given for key, given in value.items() if key not in expected and key != "schema"}
    make: Any = kind
    try:
        read: Kind = make(**known, more=more)
    except RunError as error:
        raise RunError(f"{name} is damaged: {error}") from error
    return read


def written_parts(thing: Any, schema: int, later: tuple[str, ...] = ()) -> dict[str, Any]:
    """The object that `read_parts` reads, its version first.

    Args:
        thing: An instance of a dataclass.
        schema: Its version.
        later: Fields added after the first files of this version were written: left out at their defaults.
    """
    defaults = {each.name: each.default for each in fields(thing)}
    held = {key: value for key, value in asdict(thing).items() if key not in _APART}
    said = {key: value for key, value in held.items() if key not in later or value != defaults[key]}
    return {"schema": schema, **thing.more, **said}


def _is_needed(part: Field[Any]) -> bool:
    return part.default is MISSING and part.default_factory is MISSING


def _fits(given: Any, declared: str) -> bool:
    if declared.endswith(" | None"):
        return given is None or _fits(given, declared.removesuffix(" | None"))
    if declared.startswith("tuple"):
        return isinstance(given, list) and all(isinstance(each, dict) for each in given)
    if declared.startswith("Mapping"):
        return isinstance(given, dict) and (
            "str, str" not in declared or all(isinstance(v, str) for v in given.values())
        )
    if declared == "int":
        return type(given) is int and abs(given) < _MAX_NUMBER
    if declared == "float":
        return type(given) in (int, float) and abs(given) < _MAX_NUMBER  # neither inf nor nan
    return isinstance(given, str)
