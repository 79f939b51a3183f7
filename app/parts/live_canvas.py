"""The live canvas: a component that owns its data, so that dragging never runs the script."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.parts.canvas import canvas_component
from app.server.guard import page_token
from app.server.recordings import sources_of
from app.server.resources import checkpoints
from app.state.attention_choice import AttentionChoice, CanvasView
from app.state.attention_state import LAST_GOOD, N_ENTERED, read_beginning
from compecon.views.attention.snippet import python_snippet

# An error before any picture.
_NOTHING = {"id": "", "title": "", "source": None, "live": None, "elastic": False, "python": ""}


def live_canvas(choice: AttentionChoice, view: CanvasView, error: str | None) -> None:
    """Draw the canvas for a request; with an error, the last good picture under a sentence."""
    request = (LAST_GOOD.get() or _NOTHING) if error else _request(choice)
    if not error:
        LAST_GOOD.put(request)
    component = canvas_component("canvas")
    heard = {"error": error, "n_entered": N_ENTERED.get()}
    data = {**request, "token": page_token(), "view": asdict(view), **heard}
    component(data=data, key=CanvasView.CANVAS, on_view_change=lambda: None, on_beginning_change=read_beginning)


def _request(choice: AttentionChoice) -> dict[str, Any]:
    """Where the canvas gets its bytes, and the script that computes the same."""
    entry = checkpoints().get(choice.checkpoint)
    about = None if entry is None else entry.preflight
    compacted, elastic = about is not None and about.heads_kept is not None, about is not None and about.elastic
    python = python_snippet(**asdict(choice), compacted=compacted, elastic=elastic)
    return {**sources_of(choice), "elastic": elastic, "python": python}
