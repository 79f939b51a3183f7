"""The form that starts runs: what is run on what, and how. Beside it stands what would come of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import streamlit as st

from app.parts.widgets import OWN_FILES_HELP, escaped, method_problems
from app.server.resources import checkpoints, run_store
from app.state.attention_state import chosen
from app.state.form_state import field_key, form_draft, keep_form, open_form
from app.train.form_fields import setting_field
from app.train.form_outcome import form_outcome
from compecon.checkpoints.catalog import CheckpointEntry
from compecon.files.durable import Json
from compecon.runs.run_record import PRIORITIES
from compecon.settings.setting import Setting
from compecon.tasks.task_registry import FILES, TASKS
from compecon.views.runs.form_draft import MAX_TITLE, FormDraft
from compecon.views.runs.form_sections import KINDS, Kind, changed, sections
from compecon.views.runs.presets import PRESETS

_OWN_FILES = "own files"
_COLUMNS = 3


def train_form(draft: FormDraft) -> None:
    """Draw the form as it stands, and keep what was typed."""
    st.subheader("New run", anchor=False)
    entries = checkpoints()
    _presets(draft)
    fields, outcome = st.columns([3, 2], gap="large")
    with fields:
        held = _fields(draft, entries)
    keep_form(held)
    with outcome:
        form_outcome(held, entries)


def _presets(draft: FormDraft) -> None:
    st.pills(
        "Begin with",
        list(PRESETS),
        default=draft.preset or None,
        format_func=lambda name: escaped(PRESETS[name].title),
        key=field_key("preset"),
        on_change=_use_preset,
        args=(field_key("preset"),),
    )
    if draft.preset in PRESETS:
        st.caption(escaped(PRESETS[draft.preset].description))


def _use_preset(key: str) -> None:
    name, draft = chosen(key), form_draft()
    if draft is not None and name in PRESETS:
        open_form(draft.with_preset(PRESETS[name]))


def _use_kind(key: str) -> None:
    name, draft = chosen(key), form_draft()
    if draft is not None and name in KINDS:
        open_form(draft.with_kind(name))


def _fields(draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> FormDraft:
    kind = draft.does
    key = field_key("kind")
    st.segmented_control(
        "Recipe",
        list(KINDS),
        default=draft.kind,
        format_func=lambda name: escaped(KINDS[name].label),
        required=True,
        key=key,
        on_change=_use_kind,
        args=(key,),
    )
    st.caption(escaped(kind.description))
    method_problems()
    values = {**(_what(kind, draft, entries) if kind.source else {}), **_settings(kind, draft)}
    vary, typed = _several(kind, draft)
    title = st.text_input(
        "Title", value=draft.title, max_chars=MAX_TITLE, placeholder="made up from the settings", key=field_key("title")
    )
    return replace(draft, params=_said(kind, values), vary=vary, values=typed, title=title, priority=_priority(draft))


def _priority(draft: FormDraft) -> str:
    """How much of a busy machine it gets; "" while that is what the settings of all runs say."""
    usual = run_store().home.priority
    held = st.segmented_control(
        "Priority",
        PRIORITIES,
        default=draft.priority or usual,
        required=True,
        format_func=str.capitalize,
        key=field_key("priority"),
        help="Background runs yield to other programs, so they take longer on a busy machine.",
    )
    return "" if held == usual else str(held)


def _said(kind: Kind, values: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in changed(kind, values).items() if value != ""}


def _what(kind: Kind, draft: FormDraft, entries: Mapping[str, CheckpointEntry]) -> dict[str, Json]:
    """Which checkpoint, on which task, from where."""
    source, task, data = st.columns(3)
    given = {name: str(draft.params.get(name) or "") for name in (kind.source, "task", "data")}
    menu = list(dict.fromkeys([*_menu(kind, entries), *filter(None, [given[kind.source]])]))
    values: dict[str, Json] = {
        kind.source: source.selectbox(
            "Checkpoint",
            menu,
            index=menu.index(given[kind.source]) if given[kind.source] in menu else None,
            format_func=lambda name: entries[name].title if name in entries else name,
            key=field_key(kind.source),
            placeholder="choose one",
            help=escaped(kind.setting(kind.source).description),
        )
        or ""
    }
    own = given["task"].startswith(FILES)
    named_before, mark, query = given["task"].partition("?")
    tasks = [*TASKS, _OWN_FILES]
    named = task.selectbox(
        "Task",
        tasks,
        index=tasks.index(_OWN_FILES if own else named_before) if own or named_before in TASKS else None,
        key=field_key("task"),
        placeholder="choose one",
        help=(
            "reviews is generated by compecon and needs no network; your own files are tables with a text and a label."
        ),
    )
    if named == _OWN_FILES:
        values["task"] = _own_files(given["task"] if own else FILES)
    else:
        values["task"] = f"{named}{mark}{query}" if named == named_before else named or ""
    entry = TASKS.get(named or "")
    if entry is not None:
        st.caption(escaped(f"{entry.title} Data: {entry.licence}."))
    needs_folder = entry is not None and not entry.is_made
    folder = data.text_input(
        "Data folder",
        value=given["data"],
        placeholder="empty: from the Hugging Face Hub" if needs_folder else "not needed",
        key=field_key("data"),
        help=escaped(str(entry.layout)) if entry is not None and entry.layout is not None else None,
    )
    return {**values, "data": folder.strip() or None}


def _own_files(given: str) -> str:
    path = st.text_input(
        "File or folder",
        value=given.removeprefix(FILES),
        placeholder="PATH?text=COLUMN&label=COLUMN",
        key=field_key("files"),
        help=OWN_FILES_HELP,
    )
    return f"{FILES}{path.strip()}" if path.strip() else ""


def _menu(kind: Kind, entries: Mapping[str, CheckpointEntry]) -> list[str]:
    """Checkpoints that this can start from: units of a compacted one cannot be priced again."""
    return [
        name
        for name, entry in entries.items()
        if entry.preflight is not None and (kind.name == "dense" or entry.preflight.heads_kept is None)
    ]


def _settings(kind: Kind, draft: FormDraft) -> dict[str, Json]:
    first, *others = sections(kind)
    given = {each.name: draft.params.get(each.name, each.default) for each in kind.settings}
    values = _either(kind, given) if kind.either else {}
    values |= _grid([each for each in first.settings if each.name not in kind.either], given)
    with st.expander("More settings"):
        for section in others:
            st.markdown(f"**{escaped(section.title)}**")
            values |= _grid(section.settings, given)
    return values


def _grid(settings: Sequence[Setting], given: Mapping[str, Json]) -> dict[str, Json]:
    values = {}
    for start_at in range(0, len(settings), _COLUMNS):
        for place, setting in zip(st.columns(_COLUMNS), settings[start_at : start_at + _COLUMNS], strict=False):
            with place:
                values[setting.name] = setting_field(setting, given[setting.name])
    return values


def _either(kind: Kind, given: Mapping[str, Json]) -> dict[str, Json]:
    """A target or a price: the other one is none."""
    names = list(kind.either)
    held = next((name for name in names if given[name] is not None), names[0])
    left, right = st.columns([1, 2])
    chosen_one = left.radio(
        "Set the size by",
        names,
        index=names.index(held),
        format_func=lambda name: escaped(kind.setting(name).label),
        key=field_key("either"),
        horizontal=True,
    )
    with right:
        setting = kind.setting(chosen_one)
        usual = kind.given.get(chosen_one, 1.0)
        value = setting_field(setting, given[chosen_one] if given[chosen_one] is not None else usual)
    return {**dict.fromkeys(names), chosen_one: value}


def _several(kind: Kind, draft: FormDraft) -> tuple[str, str]:
    """A setting to go through, and its values as typed."""
    left, right = st.columns([1, 2])
    names = ["", *(each.name for each in kind.settings if each.name not in (kind.source, "data"))]
    vary = left.selectbox(
        "Repeat for several values of",
        names,
        index=names.index(draft.vary) if draft.vary in names else 0,
        format_func=lambda name: kind.setting(name).label if name else "no setting: one run",
        key=field_key("vary"),
    )
    if not vary:
        return "", ""
    between = "semicolons" if kind.setting(vary).kind is tuple else "commas"
    typed = right.text_input(
        f"Values, separated by {between}", value=draft.values, max_chars=500, key=field_key("values")
    )
    return vary, typed
