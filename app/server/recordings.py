"""Recorded streams, for whoever shows them: the first page before Streamlit is there, the pages, and the canvas."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache, lru_cache
from typing import Any

from app.server.addresses import PREFIX
from app.state.attention_choice import AttentionChoice
from compecon.views.attention.traces import TraceKey, read_index, read_trace, recorded_sizes


@cache
def trace_names() -> frozenset[str]:
    """Names of the recorded streams."""
    return frozenset(read_index())


@lru_cache(maxsize=32)
def recorded_trace(name: str) -> bytes | None:
    """A recorded stream, or None where the index has none of that name."""
    return read_trace(name)


def sources_of(choice: AttentionChoice) -> dict[str, Any]:
    """The request's name, where its first picture comes from (if possible a recording), and what computes the rest.

    Of an elastic checkpoint, also where smaller sizes are recorded, by size.
    """
    live = {"url": f"{PREFIX}/sweep", "body": asdict(choice)}
    name = TraceKey(choice.checkpoint, choice.text, choice.pair, choice.policy).name
    recorded = name in trace_names() and choice.device == "auto"
    sizes = recorded_sizes(name, trace_names()) if recorded else {}
    return {
        "id": choice.digest,
        "title": choice.text[:40],
        "source": {"url": f"{PREFIX}/trace/{name}", "body": None} if recorded else live,
        "live": live,
        "recorded": {f"{size:g}": f"{PREFIX}/trace/{each}" for size, each in sizes.items()},
    }
