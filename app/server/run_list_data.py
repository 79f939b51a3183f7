"""What the Train page hands to its table of runs. Loads no Streamlit: the list comes before that is there."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from app.server.resources import runs
from compecon.runs.run_record import RunState
from compecon.views.runs.run_columns import COLUMNS, SORTS, in_order
from compecon.views.runs.run_rows import RunRow, run_row

PAGE = 50  # rows that are shown at first, and more at each press


def table_data(rows: Sequence[RunRow], chosen_run: str, sort: str) -> dict[str, Any]:
    """Rows as they come, the chosen run marked.

    Args:
        rows: Those that are shown.
        chosen_run: Name of a run, in these rows or not.
        sort: What they are sorted by, one of `SORTS` or "".
    """
    return {
        "columns": [
            {"name": name, "title": column.title, "help": column.help, "isNumber": column.number is not None}
            for name, column in COLUMNS.items()
        ],
        "rows": [
            {"run": row.run_id, "progress": row.progress, "cells": [column.text(row) for column in COLUMNS.values()]}
            for row in rows
        ],
        "chosen": chosen_run,
        "sort": sort,
    }


def first_list_data(params: Mapping[str, str]) -> dict[str, Any] | None:
    """What the page will hand to its table at an address; None where it shows something else, or more above the table.

    Args:
        params: Of the address, as anybody may have written them.
    """
    records = runs()
    names = [record.run_id for record in records]
    run, sort = params.get("run", ""), params.get("sort", "")
    states = {record.state for record in records}
    if not records or RunState.LOST in states or not all(state.is_finished for state in states):
        return None  # an invitation, a warning above; and how long a run still takes is read from its metrics
    if run and run not in names:
        return None
    sort = sort if sort in SORTS else ""
    rows = [run_row(record, time.time()) for record in (records if sort else records[:PAGE])]
    return table_data(in_order(rows, sort)[:PAGE], run or names[0], sort)
