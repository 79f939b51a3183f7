"""The content of the form, and how it travels in an address, so that a reload or a second tab shows the same."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, final

from compecon.errors import CompeconError
from compecon.files.durable import Json
from compecon.files.safe_reader import parse_json
from compecon.runs.run_record import PRIORITIES, RunSpec, checked_id
from compecon.runs.sweeps.points import Points, grid
from compecon.settings.setting import spelled
from compecon.views.runs.form_sections import DEFAULT, KINDS, Kind, accepted, changed
from compecon.views.runs.presets import OFFLINE, Preset

MAX_QUERY = 1_500  # characters: longer addresses are cut by mail programs
MAX_TITLE = 120
_NONCE = re.compile(r"[a-z0-9]{12}")
_SOURCES = ("base", "checkpoint")


@final
@dataclass(frozen=True)
class FormDraft:
    """A form as it stands."""

    nonce: str  # name of this form: what is started from it twice, by a double click or from two tabs, is one run
    kind: str = DEFAULT  # name of what it starts
    params: Mapping[str, Json] = field(default_factory=dict)  # values that are not the defaults
    vary: str = ""  # a setting that a sweep goes through; "" for one run
    values: str = ""  # what the sweep gives it, as typed
    title: str = ""  # "" for one that is made up from the settings
    parent: str = ""  # the run whose settings it began with, or ""
    preset: str = ""  # the preset that it began with, or ""
    priority: str = ""  # how much of a busy machine it gets; "" for what the home's settings say

    @classmethod
    def blank(cls) -> Self:
        """A new form; it begins with what is available on every machine."""
        return cls(secrets.token_hex(6), params={**KINDS[DEFAULT].given, **OFFLINE})

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self | None:
        """The form of an address, which may say anything: what does not fit is dropped. None if it names no form."""
        nonce, kind = query.get("new", ""), KINDS.get(query.get("kind", DEFAULT))
        if not _NONCE.fullmatch(nonce) or kind is None:
            return None
        params = accepted(kind, _object(query["set"])) if "set" in query else dict(kind.given)
        vary = query.get("vary", "")
        return cls(
            nonce,
            kind.name,
            params,
            vary=vary if vary in {each.name for each in kind.settings} else "",
            values=query.get("values", "")[:MAX_QUERY],
            title=query.get("title", "")[:MAX_TITLE],
            parent=_run_id(query.get("from", "")),
            priority=query["priority"] if query.get("priority") in PRIORITIES else "",
        )

    @classmethod
    def of_run(cls, run_id: str, spec: RunSpec) -> Self:
        """A form with the settings of a run; those of a recipe that cannot be started from a form begin blank."""
        kind = _kind_of(spec)
        if kind is None:
            return cls.blank()
        params = changed(kind, accepted(kind, spec.params))
        return cls(secrets.token_hex(6), kind.name, params, title=spec.title[:MAX_TITLE], parent=run_id)

    @property
    def does(self) -> Kind:
        """What it starts."""
        return KINDS[self.kind]

    @property
    def query(self) -> dict[str, str]:
        """The form as the part of an address; settings that make it too long are left out."""
        said = {
            "vary": self.vary,
            "values": self.values,
            "title": self.title,
            "from": self.parent,
            "priority": self.priority,
        }
        settings = json.dumps(self.params, separators=(",", ":"), sort_keys=True)
        kept = {"set": settings} if len(settings) <= MAX_QUERY else {}
        return {"new": self.nonce, "kind": self.kind, **kept, **{name: text for name, text in said.items() if text}}

    def with_preset(self, preset: Preset) -> Self:
        """The same form, filled in by a preset; checkpoint, task and data stay unless the preset names them."""
        kind = KINDS[preset.kind]
        kept = {name: self.params[name] for name in ("task", "data") if name in self.params}
        filled = {**kept, **self._source(kind), **kind.given, **preset.params}
        values = ", ".join(map(spelled, preset.values))
        return replace(
            self,
            kind=kind.name,
            params=filled,
            vary=preset.vary,
            values=values,
            title="",
            parent="",
            preset=preset.name,
        )

    def with_kind(self, name: str) -> Self:
        """The same form for something else; settings that both have stay."""
        kind = KINDS[name]
        shared = {key: value for key, value in self.params.items() if key not in self.does.given}
        params = {**kind.given, **accepted(kind, {**shared, **self._source(kind)})}
        return replace(self, kind=name, params=params, vary="", values="", preset="")

    def points(self) -> Points:
        """Every run that it would start.

        Raises:
            CompeconError: If one of them is not valid, or what was typed is not a list of values.
        """
        axes = {self.vary: self.does.setting(self.vary).parse_several(self.values)} if self.vary else {}
        return grid(self.does.recipe, self.params, axes)

    def _source(self, kind: Kind) -> dict[str, Json]:
        chosen = next((self.params[name] for name in _SOURCES if name in self.params), None)
        return {kind.source: chosen} if kind.source and chosen is not None else {}


def _kind_of(spec: RunSpec) -> Kind | None:
    kinds = [kind for kind in KINDS.values() if kind.recipe == spec.recipe]
    priced = [kind for kind in kinds if any(spec.params.get(name) not in (None, []) for name in kind.either)]
    plain = [kind for kind in kinds if not kind.either]
    return next(iter(priced or plain), None)


def _object(text: str) -> Any:
    try:
        return parse_json(text, "the address")
    except (ValueError, RecursionError):
        return None


def _run_id(text: str) -> str:
    try:
        return checked_id(text)
    except CompeconError:
        return ""
