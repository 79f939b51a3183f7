"""The part of the Allocation page on what sharing one budget gains: measured budgets on attention and model size."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import streamlit as st

from app.allocation.rules_chart import gains_figure
from app.allocation.rules_panel import figure_downloads
from app.parts.widgets import escaped
from compecon.views.allocation.gains import gain_sentence, gains_of, measured_gains

_ABOUT = (
    "Measured on bundled checkpoints, 400 test rows each. A budget on attention (keys that a token may read) or on "
    "model size is usually the same for every text. Here the same total is shared among the texts at one price. The "
    "oracle knows which answers will be correct: it shows the potential gain, which no real rule can promise. The "
    "predictions use embeddings of the text, before it is answered, and a ridge regression that was not fitted on that "
    "row."
)
_BARS = (
    "Bars: 95% intervals of the difference from equal budgets at the same total, bootstrap over texts. The oracle also "
    "gains at the full budget, because for some texts less attention or a smaller model was right where the full one "
    "was wrong."
)


def gains_part() -> None:
    """What sharing one budget gains on the measured streams, in sentences and in one figure."""
    streams = list(dict.fromkeys(gain.stream for gain in measured_gains()))
    if not streams:
        st.info("The measured gains are missing.")
        return
    st.caption(_ABOUT)
    figure = gains_figure(streams)
    st.plotly_chart(figure, key="allocation-gains")
    for stream in streams:
        st.markdown(escaped(gain_sentence(gains_of(stream))))
    st.caption(_BARS)
    rows = [_flat(asdict(gain)) for gain in measured_gains()]
    about = {"source": _ABOUT, "intervals": _BARS, "command": "compecon bench --only thresholds"}
    figure_downloads("gains", figure, rows, about)


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    """A column for each number of an interval."""
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, tuple):
            flat |= {name: value[0], f"{name}_low": value[1], f"{name}_high": value[2]}
        else:
            flat[name] = value
    return flat
