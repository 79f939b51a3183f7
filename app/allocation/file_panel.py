"""A file of one's own on the Allocation page: its upload, and what it may hold."""

from __future__ import annotations

import streamlit as st

from app.canvas_data.shared_markets import market_of_file
from app.parts.data_table import data_table
from app.parts.widgets import escaped
from compecon.allocation.streams.bundled_streams import streams_root
from compecon.allocation.streams.columns import LOG_COLUMNS
from compecon.errors import StreamError
from compecon.files.safe_reader import MEGABYTE, read_bytes
from compecon.views.allocation.market_data import Market

SAMPLES = {"sample_log.csv": "Sample log", "sample_prices.csv": "Sample prices"}
_KINDS = ["csv", "tsv", "jsonl", "ndjson", "gz"]


def file_market() -> Market | None:
    """Draw the upload of a log and of a price table; None as long as there is no log, or a bad one."""
    given = st.file_uploader("Log of answers", type=_KINDS, help="CSV, TSV or JSON Lines, also packed (.gz).")
    table = st.file_uploader(
        "Prices (optional)",
        type=["csv", "tsv", "json"],
        help="Price per million tokens: model, input, output. Budgets are money then.",
    )
    if given is None:
        return None
    prices = None if table is None else (table.name, table.getvalue())
    try:
        return market_of_file(given.name, given.getvalue(), prices)
    except (StreamError, ValueError) as error:
        st.error(escaped(str(error)))
        return None


def columns_part() -> None:
    """What a file may hold, and samples, in place of the canvas while there is no file."""
    st.info(
        "Upload a log of answers in the sidebar: a row for each answer, in any order. Several answers of a query at "
        "one level are averaged; other columns are ignored."
    )
    data_table(
        {
            "Column": [column.name for column in LOG_COLUMNS],
            "Holds": [column.holds for column in LOG_COLUMNS],
            "Or": [", ".join(column.also) for column in LOG_COLUMNS],
        },
        height=442,
        column_config={
            "Column": st.column_config.TextColumn(width=130),
            "Holds": st.column_config.TextColumn(width=380),
            "Or": st.column_config.TextColumn(width="medium"),
        },
        alt="Accepted columns",
    )
    st.caption(
        "Needed: query and correct; what tells levels apart (model, effort, action or budget); and what answers cost: "
        "cost, tokens, or input_tokens and output_tokens with a price table. Attempts without levels (query, correct, "
        "tokens) are fitted with curves. The samples are invented."
    )
    for column, (name, label) in zip(st.columns(4), SAMPLES.items(), strict=False):
        column.download_button(
            escaped(label), read_bytes(streams_root() / name, MEGABYTE), name, "text/csv", width="stretch"
        )
