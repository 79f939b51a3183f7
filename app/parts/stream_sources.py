"""Where a live canvas gets one checkpoint's bytes: a recording if there is one, else a live sweep."""

from __future__ import annotations

from typing import Any

from app.server.resources import trace_names
from app.server.routes import PREFIX
from app.state.attention_state import AttentionChoice
from compecon.views.attention.traces import TraceKey


def sources_of(choice: AttentionChoice) -> dict[str, Any]:
    """The request's name, where its first picture comes from, and what to ask for everything else."""
    live = {
        "url": f"{PREFIX}/sweep",
        "body": {
            "checkpoint": choice.checkpoint,
            "device": choice.device,
            "text": choice.text,
            "pair": choice.pair,
            "policy": choice.policy,
        },
    }
    name = TraceKey(choice.checkpoint, choice.text, choice.pair, choice.policy).name
    recorded = name in trace_names() and choice.device == "auto"
    return {
        "id": choice.digest,
        "title": choice.text[:40],
        "source": {"url": f"{PREFIX}/trace/{name}", "body": None} if recorded else live,
        "live": live,
    }
