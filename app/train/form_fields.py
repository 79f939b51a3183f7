"""A field for each kind of setting. It returns what was typed; whether that is valid is decided elsewhere."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from app.parts.widgets import escaped
from app.state.form_state import begin_field, field_key
from compecon.errors import SettingError
from compecon.files.durable import Json
from compecon.settings.setting import Setting, spelled


def setting_field(setting: Setting, value: Json) -> Json:
    """Draw the field of a setting, filled with a value, and return what it holds: text that is not valid as it is."""
    common: dict[str, Any] = {"help": escaped(setting.description) or None}
    label = escaped(setting.label)
    if setting.kind in (int, float):
        return _number(setting, label, value, common)
    common["key"] = field_key(setting)
    if setting.choices:
        options = list(setting.choices)
        return str(st.selectbox(label, options, index=options.index(str(value)) if value in options else 0, **common))
    if setting.kind is bool:
        return bool(st.checkbox(label, value=bool(value), **common))
    text: str = st.text_input(label, value=spelled(value) if value else "", placeholder=_nothing(setting), **common)
    try:
        return setting.parse(text)
    except SettingError:
        return text


def _number(setting: Setting, label: str, value: Json, common: dict[str, Any]) -> Json:
    """A number, or None for a field without one in it."""
    whole = setting.kind is int
    held: Json = st.number_input(
        label,
        value=None,
        step=1 if whole else _step(setting.default),
        format="%d" if whole else "%g",
        placeholder=_nothing(setting),
        key=begin_field(setting, setting.kind(value) if isinstance(value, int | float) else None),
        **common,
    )
    return held


def _nothing(setting: Setting) -> str:
    return "none" if setting.optional or setting.kind is tuple else ""


def _step(default: Json) -> float:
    """What a press of an arrow changes: about a tenth of the usual value."""
    usual = abs(default) if isinstance(default, int | float) and default else 0.5
    return float(10.0 ** (math.floor(math.log10(usual)) - 1))
