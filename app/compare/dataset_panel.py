"""Two checkpoints over the examples of a task: the Compare page's second part."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from app.compare.dataset_chart import head_figure, head_table, level_figure, level_table
from app.compare.measure_form import measure_part, waiting_part
from app.compare.row_lists import lists_part
from app.compare.shared_measurements import compared, sets_of
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.state.compare_choice import CompareChoice
from app.state.dataset_state import ROWS, awaited_rows, choose_rows
from app.state.held import widget_key
from compecon.errors import CompeconError
from compecon.views.compare.dataset_text import headline, levels_csv, selection_rows, view_json
from compecon.views.compare.paired_rows import DatasetView
from compecon.views.compare.row_sets import RowSet, measured_by

_TITLES = {"gini": "Gini coefficient", "entropy": "entropy (nats)"}


def dataset_part(choice: CompareChoice) -> None:
    """Everything below the page's switch."""
    try:
        sets = sets_of(choice.a, choice.b)
    except (CompeconError, OSError) as error:
        st.error(escaped(str(error)))
        return
    whole = [each for each in sets if each.both]
    with st.container():  # so that what is below keeps its place, and stays open
        if whole:
            _picture(_chosen(whole))
        else:
            st.info("These two have not been measured on the same rows yet.")
    with st.container():
        waiting_part(choice.a, choice.b)
    measure_part(choice.a, choice.b, sets, is_open=not whole)


def _chosen(whole: Sequence[RowSet]) -> RowSet:
    titles = {each.name: each.title for each in whole}
    awaited = awaited_rows()
    new = measured_by(whole, awaited) if awaited is not None else None
    if new is not None:
        choose_rows(new.name)
        st.toast(escaped(f"Measured, and chosen: {new.title}"))
    if len(whole) == 1:
        st.markdown(f"**{escaped(whole[0].title)}**")
        return whole[0]
    name = st.selectbox("Rows", list(titles), format_func=titles.__getitem__, key=widget_key(ROWS))
    return next(each for each in whole if each.name == name)


def _picture(rows: RowSet) -> None:
    if rows.both is None:
        return
    a, b = rows.both
    try:
        view = compared(a, b)
    except ValueError as error:
        st.warning(escaped(str(error)))
        return
    for line in headline(view):
        st.markdown(escaped(line))
    for note in view.notes:
        st.caption(escaped(note))
    _levels(view)
    _selection(view)
    lists_part(a, b, view)
    _heads(view)
    _export(view, rows)


def _levels(view: DatasetView) -> None:
    titles = {**_TITLES, view.metric: view.metric}
    for is_difference in (False, True):
        for place, (name, title) in zip(st.columns(3), titles.items(), strict=True):
            shown = f"A − B: {title}" if is_difference else title
            figure = level_figure(view, shown, is_difference=is_difference)
            table = level_table(view, name, is_difference=is_difference)
            key = f"compare-{name}-{'difference' if is_difference else 'both'}"
            place.vega_lite_chart(table, figure, key=key, alt=f"{shown} against the key budget, with 95% bands")
    st.caption(
        "Measured: means over rows with 95% bands from 2,000 bootstrap resamples; differences are paired "
        "by row. Top-k masking saves reads, not latency."
    )


def _selection(view: DatasetView) -> None:
    if not view.selection:
        return
    st.markdown("**Which heads survived, or what they do**")
    rows = selection_rows(view)
    names, gini, entropy = ([escaped(row[place]) for row in rows] for place in range(3))
    st.table({"heads": names, "mean Gini": gini, "mean entropy (nats)": entropy}, hide_index=True)
    st.caption(
        "With all keys. Row two uses only A's heads that B kept. The part of the A-to-B shift it "
        "covers comes from which heads survived, the rest from changed attention. Above 1: the surviving "
        "heads alone overshoot B, and changed attention offsets that. Below 0: they move away from B."
    )


def _heads(view: DatasetView) -> None:
    if not view.heads:
        return
    with st.expander("Head by head"):
        for place, (name, title) in zip(st.columns(2), _TITLES.items(), strict=True):
            table = head_table(view.heads, "gini" if name == "gini" else "entropy")
            place.vega_lite_chart(table, head_figure(table, f"A − B: {title}"), key=f"compare-heads-{name}")
        st.caption("With all keys, mean over rows. A letter marks a head that only that model has.")
        _head_table(view)


def _head_table(view: DatasetView) -> None:
    rows = sorted(view.heads, key=lambda each: -abs(each.gini.value or 0.0))
    numbers = {
        "Gini A": [each.gini_a for each in rows],
        "Gini B": [each.gini_b for each in rows],
        "Gini A − B": [each.gini.value for each in rows],
        "low": [each.gini.low for each in rows],
        "high": [each.gini.high for each in rows],
        "entropy A": [each.entropy_a for each in rows],
        "entropy B": [each.entropy_b for each in rows],
        "entropy A − B": [each.entropy.value for each in rows],
    }
    places = {"layer": [each.layer for each in rows], "head": [each.head for each in rows]}
    form = dict.fromkeys(numbers, st.column_config.NumberColumn(format="%.4f"))
    data_table({**places, **numbers}, column_config=form, alt="Heads by difference in Gini")


def _export(view: DatasetView, rows: RowSet) -> None:
    left, right, _ = st.columns([1, 1, 4])
    name = f"{view.a}-{view.b}-{rows.either.key.task.split()[0]}".replace("/", "-")
    left.download_button("CSV", lambda: levels_csv(view), f"{name}.csv", "text/csv", on_click="ignore", width="stretch")
    right.download_button(
        "JSON", lambda: view_json(view), f"{name}.json", "application/json", on_click="ignore", width="stretch"
    )
