"""The part of the Allocation page that joins budgets on attention and the shadow price."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from app.allocation.rules_chart import gains_figure, standalone
from app.allocation.rules_panel import downloads
from app.parts.widgets import escaped
from compecon.views.allocation.gains import gain_sentence, gains_of, measured_gains
from compecon.views.allocation.query_table import table_csv, table_json

_TOLD = (
    "Measured on bundled checkpoints, 400 test rows each. A budget on attention (keys that a token may read) or on "
    "model size is usually the same for every text. Here the same total is shared among the texts at one price. The "
    "oracle knows which answers will be correct: it shows the potential gain, which no real rule can promise. The "
    "predictions use embeddings of the text, before it is answered, and a ridge "
    "regression that was not fitted on that row."
)
_BARS = (
    "Bars: 95% intervals of the difference from equal budgets at the same total, "
    "bootstrap over texts. The oracle also gains at "
    "the full budget, because for some texts less attention or a smaller model was right where the full one was wrong."
)


def gains_part() -> None:
    """What sharing one budget gains on the measured streams, in words and in one figure."""
    streams = list(dict.fromkeys(gain.stream for gain in measured_gains()))
    if not streams:
        st.info("The measured gains are missing.")
        return
    st.caption(_TOLD)
    figure = gains_figure(streams)
    st.plotly_chart(figure, key="allocation-gains")
    for stream in streams:
        st.markdown(escaped(gain_sentence(gains_of(stream))))
    st.caption(_BARS)
    rows = [_flat(asdict(gain)) for gain in measured_gains()]
    about = {"source": _TOLD, "intervals": _BARS, "command": "compecon bench --only thresholds"}
    downloads(
        "gains",
        {
            "HTML": lambda: standalone(figure),
            "CSV": lambda: table_csv(rows, about),
            "JSON": lambda: table_json(rows, about),
        },
    )


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A column for each number of an interval."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, tuple):
            flat |= {name: value[0], f"{name}_low": value[1], f"{name}_high": value[2]}
        else:
            flat[name] = value
    return flat
