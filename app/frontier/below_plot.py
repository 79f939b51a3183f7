"""What lies below the plot of the Frontier page: the chosen point, the table, files, and what is not shown."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import streamlit as st

from app.frontier.advice_panel import Advised
from app.frontier.shared_frontier import Frontier
from app.frontier.side_panels import ablation_part, families_part, prices_part, proxies_part
from app.frontier.standalone_files import plot_page, report_page
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from app.state.frontier_state import FrontierChoice
from app.train.run_overview import fact_table
from compecon.views.frontier.frontier_page import frontier_report
from compecon.views.frontier.frontier_table import TableRow, table_csv, table_rows
from compecon.views.frontier.frontier_view import FrontierView
from compecon.views.frontier.names import cost_in_words
from compecon.views.frontier.points_of import FrontierPoint, Reading
from compecon.views.runs.results import Fact

_PARTS = {
    "points": "Points",
    "families": "Families",
    "ablation": "Heads or neurons",
    "prices": "Prices",
    "proxies": "Proxies",
}
_QUALITY = "Its 95% interval over the rows of the split; empty if unknown."


@final
@dataclass(frozen=True)
class Marked:
    """What somebody has pointed at.

    Attributes:
        chosen: Key of the point that was clicked, or "".
        picked: Keys of those that were selected with a box or a lasso.
        advised: What was asked and answered.
    """

    chosen: str
    picked: tuple[str, ...]
    advised: Advised


def below(shown: Frontier, view: FrontierView, choice: FrontierChoice, marked: Marked) -> None:
    """Everything below the plot.

    Args:
        shown: All points.
        view: What is drawn.
        choice: What the widgets say.
        marked: What somebody has pointed at.
    """
    if marked.chosen in shown.by_key:
        _about(shown.by_key[marked.chosen])
    part = st.segmented_control(
        "Below",
        _PARTS, format_func=_PARTS.__getitem__, key="frontier_part", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    if part == "families":
        families_part(view)
    elif part == "ablation":
        ablation_part(shown, choice.task)
    elif part == "prices":
        prices_part(shown, choice.task)
    elif part == "proxies":
        proxies_part(shown, choice.task)
    else:
        _points(view, marked)
    with st.expander("How to read the plot"):
        for note in view.notes:
            st.text(note)
    _left_out((*view.left_out, *shown.left_out))


def _about(point: FrontierPoint) -> None:
    """All that is known of a point."""
    with st.container(border=True):
        st.markdown(f"**{escaped(point.name)}**")
        for sign in point.signs:
            st.warning(escaped(sign))
        costs = [Fact(_short(name), _cost(name, reading)) for name, reading in point.costs.items()]
        left, right = st.columns(2, gap="large")
        with left:
            fact_table(costs, "Costs")
        with right:
            fact_table([Fact(name, value) for name, value in point.facts], "Settings")
        st.caption(escaped(f"From {point.source}."))


def _short(name: str) -> str:
    """A cost without its unit, which stands with the number."""
    kind, _, setting = name.partition(": ")
    return setting or {"macs": "one text", "share": "share", "training_macs": "training"}.get(kind, kind)


def _cost(name: str, reading: Reading) -> str:
    told = cost_in_words(name, reading.value)
    return told if reading.low is None or reading.high is None else f"{told} ({reading.low:.3g} to {reading.high:.3g})"


def _points(view: FrontierView, marked: Marked) -> None:
    rows = table_rows(view, marked.picked)
    st.caption(
        f"The {len(rows)} points selected in the plot."
        if marked.picked
        else f"All {len(rows)} points. Use the plot's box or lasso selection to list only those."
    )
    _table(rows)
    with st.container(horizontal=True):
        st.download_button("CSV", lambda: table_csv(rows), "frontier.csv", "text/csv", on_click="ignore")
        _download("Plot as a page", lambda: plot_page(view), "frontier.html", "with zoom, hover and legend.")
        _download("One-page report", lambda: _report(view, marked.advised), "report.html", "question, answer, points.")


def _download(label: str, make: Callable[[], str], file: str, told: str) -> None:
    words = escaped(f"An HTML file that works offline: {told}")
    st.download_button(escaped(label), make, file, "text/html", on_click="ignore", help=words)


def _report(view: FrontierView, advised: Advised) -> str:
    provenance = {"compecon": importlib.metadata.version("compecon"), "points": str(len(view.marks))}
    return report_page(view, frontier_report(view, advised.advice, advised.question, provenance))


def _table(rows: Sequence[TableRow]) -> None:
    data_table(
        {
            "Name": [row.name for row in rows],
            "Family": [row.family for row in rows],
            "Standing": [row.standing for row in rows],
            "Quality": [row.quality for row in rows],
            "interval": [_ends(row.quality_low, row.quality_high) for row in rows],
            "Change": [row.change for row in rows],
            "its interval": [_ends(row.change_low, row.change_high) for row in rows],
            "MACs": [row.macs for row in rows],
            "Share": [row.share for row in rows],
            "Time": [row.latency for row in rows],
            "Parameters": [row.parameters for row in rows],
            "Seed": [row.seed for row in rows],
            "Price": [row.price for row in rows],
            "Source": [f"{row.source}; {row.setting}" if row.setting else row.source for row in rows],
        },
        column_config=_COLUMNS,
        height=320,
        placeholder="",
        alt="Points of the frontier, best first",
    )


def _ends(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.4g} to {high:.4g}".replace("-", "−")


_COLUMNS = {
    "Name": st.column_config.TextColumn(width=250),
    "Family": st.column_config.TextColumn(width=130),
    "Standing": st.column_config.TextColumn(width=90),
    "Quality": st.column_config.NumberColumn(width=75, format="%.4f", help="The task's metric, measured."),
    "interval": st.column_config.TextColumn(width=120, help=_QUALITY),
    "Change": st.column_config.NumberColumn(
        width=75, format="%+.4f", help="Against its own dense parent, on the same rows."
    ),
    "its interval": st.column_config.TextColumn(width=130, help=_QUALITY),
    "MACs": st.column_config.NumberColumn(width=80, format="compact", help="For one text, counted from the shapes."),
    "Share": st.column_config.NumberColumn(width=65, format="percent", help="MACs / MACs of the dense parent."),
    "Time": st.column_config.NumberColumn(width=65, format="%.2f", help="Measured time / the dense parent's."),
    "Parameters": st.column_config.NumberColumn(width=90, format="compact"),
    "Seed": st.column_config.NumberColumn(width=55, format="%d"),
    "Price": st.column_config.NumberColumn(
        width=65, format="%.3g", help="Of compute, in task loss for all of the dense cost."
    ),
    "Source": st.column_config.TextColumn(width="large"),
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
