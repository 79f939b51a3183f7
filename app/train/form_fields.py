"""A field for each kind of setting. It gives back what was typed; whether that will do is decided elsewhere."""

from __future__ import annotations

import math
from typing import Any

import streamlit as st

from app.parts.widgets import escaped
from app.state.form_state import field_key
from compecon.errors import CompeconError
from compecon.runs.jobs.fields import Json, Setting
from compecon.views.runs.form_sections import label_of, parsed


def setting_field(setting: Setting, value: Json) -> Json:
    """Draw the field of a setting, filled with a value, and give back what it holds."""
    common: dict[str, Any] = {"key": field_key(setting), "help": escaped(setting.told) or None}
    label = escaped(label_of(setting))
    if setting.choices:
        options = list(setting.choices)
        return str(st.selectbox(label, options, index=options.index(str(value)) if value in options else 0, **common))
    if setting.kind is bool:
        return bool(st.checkbox(label, value=bool(value), **common))
    if setting.kind in (int, float):
        return _number(setting, label, value, common)
    if setting.kind is tuple:
        return _numbers(setting, label, value, common)
    text = st.text_input(label, value=str(value or ""), **common).strip()
    return text or (None if setting.optional else "")


def _number(setting: Setting, label: str, value: Json, common: dict[str, Any]) -> Json:
    """A number, or none where that is a value; a field without a number in it is one."""
    whole = setting.kind is int
    held = st.number_input(
        label,
        value=setting.kind(value) if isinstance(value, int | float) else None,
        step=1 if whole else _step(setting.default),
        format="%d" if whole else "%g",
        placeholder="none" if setting.optional else "",
        **common,
    )
    if held is None and not setting.optional:
        return setting.default
    return held


def _numbers(setting: Setting, label: str, value: Json, common: dict[str, Any]) -> Json:
    shown = ", ".join(map(str, value)) if isinstance(value, list) else ""
    text = st.text_input(label, value=shown, placeholder="none", **common)
    if not text.strip():
        return []
    try:
        return parsed(setting, text)[0]
    except CompeconError as error:
        st.error(escaped(str(error)))
        return setting.default


def _step(default: Json) -> float:
    """What a press of the arrows changes: about a tenth of what is usual."""
    usual = abs(default) if isinstance(default, int | float) and default else 0.5
    return float(10.0 ** (math.floor(math.log10(usual)) - 1))
