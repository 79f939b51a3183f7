"""A total budget dragged over hundreds of queries: how long until the market shows it; does the server hear of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlencode

from compecon.benchmarks.browser import chromium, fresh_page
from compecon.benchmarks.dragging import drag
from compecon.benchmarks.figures import Figure, Goal, Table
from compecon.benchmarks.server import dashboard
from compecon.benchmarks.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Move: TypeAlias = Mapping[str, Any]
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
        server.wait_until_listening()
        return [
            _table(browser, f"{server.url()}allocation?{urlencode(query)}", name, passes) for name, query in _STREAMS
        ]


def _table(browser: Browser, url: str, name: str, passes: int) -> Table:
    with fresh_page(browser) as page:
        page.goto(url, wait_until="commit")
        page.locator(".ca[data-budget]").wait_for()
        page.get_by_role("button", name="JSON", exact=True).wait_for()  # the script has run to its end
        page.evaluate(_PROBE.read_text(encoding="utf-8"))
        page.evaluate("() => compeconBench.addFloor()")
        _drag(page, "#ca-budget")  # code is compiled
        page.evaluate("() => { marketBench.moves.length = 0; }")
        frames = []
        for _ in range(passes):
            frames.append(_drag(page, "#ca-budget"))
            _drag(page, "#bench-floor")
        moves = page.evaluate("() => marketBench.moves")
    return Table(f"allocation: {name}", tuple(_figures(moves, frames)), _notes(moves))


def _drag(page: Page, selector: str) -> float:
    """Drag a bar; gives back the WebSocket frames that were sent meanwhile."""
    return drag(page, selector, settle_ms=_SETTLE_MS, press_ms=_SETTLE_MS)[0]


def _figures(moves: Sequence[Move], frames: Sequence[float]) -> list[Figure]:
    return [
        Figure("pointer to painted", "ms", _column(moves, "total"), Goal("p95", _GOAL_MS)),
        Figure("  of it: waiting for the browser's frame", "ms", _column(moves, "wait")),
        Figure("  of it: drawing, in the input handler", "ms", _column(moves, "handler")),
        Figure("bare range input, same page: pointer to painted", "ms", _column(moves, "total", "floor")),
        Figure("script reruns: WebSocket frames a drag", "", tuple(frames), Goal("max", 0)),
    ]


def _column(moves: Sequence[Move], name: str, target: str = "canvas") -> tuple[float, ...]:
    return tuple(m[name] for m in moves if m["target"] == target)


def _notes(moves: Sequence[Move]) -> tuple[str, ...]:
    canvas = [m for m in moves if m["target"] == "canvas"]
    return (
        "A mouse drag, one stop of the bar a move, all stops down and up, queue, market, curve and facts redrawn.",
        "From the event's own time stamp to the end of the frame that shows the new stop; "
        f"{sum(m['changed'] for m in canvas)} of {len(canvas)} moves changed the stop.",
        "Chromium delivers moves with its 60 Hz frames: up to 16.7 ms pass before any code of a page runs. The bare "
        "input shows that floor.",
    )
