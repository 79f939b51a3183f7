"""What lies below the plot of the Frontier page: the chosen point, the table, files, and what is not shown."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import streamlit as st

from app.canvas_data.advised import Advised
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.server.shared_frontier import Frontier
from app.state.frontier_choice import FrontierChoice
from app.state.frontier_state import picked_points
from app.train.run_overview import fact_table
from compecon.views.frontier.drawn import FrontierView
from compecon.views.frontier.frontier_points import FrontierPoint, Reading
from compecon.views.frontier.frontier_report import frontier_report
from compecon.views.frontier.frontier_table import table_csv, table_rows
from compecon.views.frontier.names import cost_in_words
from compecon.views.runs.results import Fact

_PARTS = {
    "points": "Points",
    "families": "Families",
    "ablation": "Heads or neurons",
    "prices": "Prices",
    "proxies": "Proxies",
}


def below(shown: Frontier, view: FrontierView, choice: FrontierChoice, chosen: str, advised: Advised) -> None:
    """Everything below the plot.

    Args:
        shown: All points.
        view: What is drawn.
        choice: What the widgets say.
        chosen: Key of the point that was clicked, or "".
        advised: The question and its answer.
    """
    if chosen in shown.by_key:
        _about(shown.by_key[chosen])
    part = st.segmented_control(
        "Below",
        _PARTS, format_func=_PARTS.__getitem__, key="frontier_part", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if part == "points":
        _points(view, advised)
    else:
        _beside(part, shown, view, choice.task)
    with st.expander("How to read the plot"):
        for note in view.notes:
            st.text(note)
    _left_out((*view.left_out, *shown.left_out))


def _beside(part: str | None, shown: Frontier, view: FrontierView, task: str) -> None:
    from app.frontier import side_panels  # noqa: PLC0415 - with Plotly's library, which the first look does not need

    if part == "families":
        side_panels.families_part(view)
    elif part == "ablation":
        side_panels.ablation_part(shown, task)
    elif part == "prices":
        side_panels.prices_part(shown, task)
    else:
        side_panels.proxies_part(shown, task)


def _about(point: FrontierPoint) -> None:
    """All that is known of a point."""
    with st.container(border=True):
        st.markdown(f"**{escaped(point.name)}**")
        for sign in point.signs:
            st.warning(escaped(sign))
        known = {name: reading for name, reading in point.costs.items() if name != "latency" or not point.device}
        costs = [Fact(_short(name), _cost(name, reading)) for name, reading in known.items()]
        left, right = st.columns(2, gap="large")
        with left:
            fact_table(costs, "Costs")
        with right:
            fact_table([Fact(name, value) for name, value in point.facts if value], "Settings")
        st.caption(escaped(f"Source: {point.source}."))


def _short(name: str) -> str:
    """A cost without its unit, which stands with the number."""
    kind, _, setting = name.partition(": ")
    return setting or {"macs": "one text", "share": "share", "training_macs": "training"}.get(kind, kind)


def _cost(name: str, reading: Reading) -> str:
    interval = "" if reading.ends is None else " ({:.3g} to {:.3g})".format(*reading.ends)
    return cost_in_words(name, reading.value) + interval


def _points(view: FrontierView, advised: Advised) -> None:
    drawn = {mark.point.key for mark in view.marks}
    picked = [key for key in picked_points() if key in drawn]  # a selection outlives a change of the task
    rows = table_rows(view, picked)
    st.caption(
        f"The {len(rows)} points selected in the plot."
        if picked
        else f"All {len(rows)} points. Use the plot's box or lasso selection to list only those."
    )
    data_table(
        {title: [cell(row) for row in rows] for title, (cell, _) in _COLUMNS.items()},
        column_config={title: config for title, (_, config) in _COLUMNS.items()},
        height=320,
        alt="Points of the frontier, best first",
    )
    with st.container(horizontal=True):
        st.download_button("CSV", lambda: table_csv(rows), "frontier.csv", "text/csv", on_click="ignore")
        _download("Plot as a page", lambda: _page(view), "frontier.html", "with zoom, hover and legend.")
        _download("One-page report", lambda: _report(view, advised), "report.html", "question, answer, points.")


def _download(label: str, make: Callable[[], str], file: str, content: str) -> None:
    words = escaped(f"An HTML file that works offline: {content}")
    st.download_button(escaped(label), make, file, "text/html", on_click="ignore", help=words)


def _page(view: FrontierView) -> str:
    from app.frontier.plot_files import plot_page  # noqa: PLC0415 - with Plotly's library

    return plot_page(view)


def _report(view: FrontierView, advised: Advised) -> str:
    from app.frontier.plot_files import report_page  # noqa: PLC0415 - with Plotly's library

    provenance = {"compecon": importlib.metadata.version("compecon"), "points": str(len(view.marks))}
    return report_page(view, frontier_report(view, advised.advice, advised.question, provenance))


def _interval(name: str) -> Callable[[Mapping[str, Any]], str]:
    def cell(row: Mapping[str, Any]) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        return "" if low is None or high is None else f"{low:.4g} to {high:.4g}".replace("-", "−")

    return cell


def _source(row: Mapping[str, Any]) -> str:
    return "; ".join(filter(None, (row["source"], row["setting"])))


_QUALITY = "95% interval over the rows of the split; empty if unknown."
_DENSE = "Against its own dense parent, on the same rows."
_PRICE = "Of compute, in task loss for all of the dense cost."
_text, _number = st.column_config.TextColumn, st.column_config.NumberColumn
_COLUMNS: Mapping[str, tuple[Callable[[Mapping[str, Any]], Any], Any]] = {
    "Name": (itemgetter("name"), _text(width=250)),
    "Family": (itemgetter("family"), _text(width=130)),
    "Standing": (itemgetter("standing"), _text(width=90)),
    "Quality": (itemgetter("quality"), _number(width=75, format="%.4f", help="The task's metric, measured.")),
    "Quality interval": (_interval("quality"), _text(width=120, help=_QUALITY)),
    "Change": (itemgetter("change"), _number(width=75, format="%+.4f", help=_DENSE)),
    "Change interval": (_interval("change"), _text(width=130, help=_QUALITY)),
    "MACs": (itemgetter("macs"), _number(width=80, format="compact", help="For one text, counted from the shapes.")),
    "Share": (itemgetter("share"), _number(width=65, format="percent", help="MACs / MACs of the dense parent.")),
    "Time": (itemgetter("latency"), _number(width=65, format="%.2f", help="Measured time / the dense parent's.")),
    "Parameters": (itemgetter("parameters"), _number(width=90, format="compact")),
    "Seed": (itemgetter("seed"), _number(width=55, format="%d")),
    "Price": (itemgetter("price"), _number(width=65, format="%.3g", help=_PRICE)),
    "Source": (_source, _text(width="large")),
}


def _left_out(left_out: Sequence[tuple[str, str]]) -> None:
    if not left_out:
        return
    with st.expander(f"Not shown: {len(left_out)}"):
        data_table(
            {"Name": [name for name, _ in left_out], "Why": [why for _, why in left_out]},
            column_config={"Why": st.column_config.TextColumn(width="large")},
            alt="Points not shown, and why",
        )
