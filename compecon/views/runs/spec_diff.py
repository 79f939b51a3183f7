"""The settings in which two runs differ."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from compecon.runs.run_record import RunSpec

ABSENT = "–"


@final
@dataclass(frozen=True)
class Change:
    """A setting that two runs do not share."""

    name: str
    before: str  # what the first run has, as text
    after: str  # what the second one has


def spec_diff(before: RunSpec, after: RunSpec) -> tuple[Change, ...]:
    """Every setting in which two runs differ: the recipe, its parameters, threads, device, versions; in this order.

    Titles, sweeps and times of submission do not count.
    """
    return tuple(
        Change(name, shown(old[name]) if name in old else ABSENT, shown(new[name]) if name in new else ABSENT)
        for old, new in zip(_parts(before), _parts(after), strict=True)
        for name in dict.fromkeys((*old, *new))
        if name not in old or name not in new or old[name] != new[name]
    )


def shown(value: Any) -> str:
    """A setting's value as text: none for None, yes and no, commas between several."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(map(shown, value)) or "none"
    return value if isinstance(value, str) else json.dumps(value)


def _parts(spec: RunSpec) -> tuple[Mapping[str, Any], ...]:
    place = {"threads": spec.threads, "device queue": spec.queue or "none", "executor": spec.executor}
    versions = {f"version of {name}": version for name, version in spec.versions.items()}
    return ({"recipe": spec.recipe}, spec.params, place, versions)
