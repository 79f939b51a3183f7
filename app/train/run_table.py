"""The table of runs: a component of ours, drawn before Streamlit's own table would have loaded its scripts."""

from __future__ import annotations

from collections.abc import Sequence

from app.parts.canvas import canvas_component
from app.server.run_list_data import table_data
from app.state.runs_state import RUNS_TABLE, take_run, take_sort
from compecon.views.runs.run_rows import RunRow


def run_table(rows: Sequence[RunRow], chosen_run: str, sort: str) -> None:
    """Draw the rows as they come, the chosen run marked.

    Args:
        rows: Those that are shown.
        chosen_run: Name of a run, in these rows or not.
        sort: What they are sorted by, one of `SORTS` or "".
    """
    component = canvas_component("runs")
    data = table_data(rows, chosen_run, sort)
    component(data=data, key=RUNS_TABLE, on_open_change=take_run, on_sort_change=take_sort)
