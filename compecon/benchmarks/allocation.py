"""A total budget dragged over hundreds of queries: time until the market shows it, and messages to the server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from compecon.benchmarks.browser import chromium, fresh_page
from compecon.benchmarks.drag import FRAMES, drag_in_turns, floor_figure, pointer_figures
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.server import dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_STREAMS = (
    ("400 measured queries", {"stream": "sentiment-sizes"}),
    ("500 drawn queries", {"stream": "Balanced", "belief": "surge"}),
)
_GOAL_MS = 25.0
_SETTLE_MS = 800  # after a release the page tells the server, once
_PROBE = Path(__file__).with_name("allocation_probe.js")


def measure(settings: Settings) -> list[Table]:
    """Drag over a measured and a drawn stream, in turns with a bare range input in the same page."""
    passes = settings.pick(5, 1)
    with chromium() as browser, dashboard() as server:
        return [
            _table(browser, f"{server.url()}allocation?{urlencode(query)}", name, passes) for name, query in _STREAMS
        ]


def _table(browser: Browser, url: str, name: str, passes: int) -> Table:
    with fresh_page(browser) as page:
        page.goto(url, wait_until="commit")
        page.locator(".ca[data-budget]").wait_for()
        page.get_by_role("button", name="JSON", exact=True).wait_for()  # the script has run to its end
        page.evaluate(_PROBE.read_text(encoding="utf-8"))
        moves, traffic = drag_in_turns(
            page, "#ca-budget", "marketBench", passes=passes, settle_ms=_SETTLE_MS, press_ms=_SETTLE_MS
        )
    canvas = [m for m in moves if m["target"] == "canvas"]
    figures = (
        *pointer_figures(canvas, "pointer to painted", _GOAL_MS),
        floor_figure(moves),
        Figure("script reruns: WebSocket frames per drag", "", tuple(frames for frames, _ in traffic), Goal("max", 0)),
    )
    notes = (
        "A mouse drag, one stop of the bar per move, all stops down and up, queue, market, curve and facts redrawn.",
        "From the event's own time stamp to the end of the frame that shows the new stop; "
        f"{sum(m['changed'] for m in canvas)} of {len(canvas)} moves changed the stop.",
        FRAMES,
    )
    return Table(f"allocation: {name}", figures, notes)
