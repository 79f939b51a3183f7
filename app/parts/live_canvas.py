"""The live canvas: a component that owns its data, so that dragging never runs the script."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.parts.canvas import canvas_component
from app.server.guard import page_token
from app.server.resources import checkpoints
from app.state.attention_choice import AttentionChoice, CanvasView
from app.state.attention_state import LAST_GOOD
from compecon.views.attention.snippet import python_snippet
from compecon.views.attention.traces import TraceKey

_NOTHING = {"id": "", "title": "", "source": None, "live": None, "python": ""}  # an error before any picture


def live_canvas(choice: AttentionChoice, view: CanvasView, error: str | None) -> None:
    """Draw the canvas for a request; with an error, the last good picture under a sentence."""
    request = (LAST_GOOD.get() or _NOTHING) if error else _request(choice)
    if not error:
        LAST_GOOD.put(request)
    component = canvas_component("canvas")
    data = {**request, "token": page_token(), "view": asdict(view), "error": error}
    component(data=data, key=CanvasView.CANVAS, on_view_change=lambda: None)


def sources_of(choice: AttentionChoice) -> dict[str, Any]:
    """The request's name, where its first picture comes from (if possible a recording), and what computes the rest."""
    live = {"url": f"{PREFIX}/sweep", "body": asdict(choice)}
    name = TraceKey(choice.checkpoint, choice.text, choice.pair, choice.policy).name
    recorded = name in trace_names() and choice.device == "auto"
    return {
        "id": choice.digest,
        "title": choice.text[:40],
        "source": {"url": f"{PREFIX}/trace/{name}", "body": None} if recorded else live,
        "live": live,
    }


def _request(choice: AttentionChoice) -> dict[str, Any]:
    """Where the canvas gets its bytes, and the script that computes the same."""
    entry = checkpoints().get(choice.checkpoint)
    compacted = entry is not None and entry.preflight is not None and entry.preflight.heads_kept is not None
    return {**sources_of(choice), "python": python_snippet(**asdict(choice), compacted=compacted)}
