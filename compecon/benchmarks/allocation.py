"""The Allocation page: a file of queries until its picture, and a total budget dragged over hundreds of them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from compecon.benchmarks.browser import chromium, fresh_page
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.moves import FRAMES, drag_in_turns, floor_figure, pointer_figures
from compecon.benchmarks.server import dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_STREAMS = (
    ("400 measured queries", {"stream": "sentiment-sizes"}),
    ("500 drawn queries", {"stream": "Balanced", "belief": "surge"}),
)
_GOAL_MS, _UPLOAD_GOAL_S = 25.0, 1.0
_N_QUERIES, _CAPS = 500, (64, 128, 256, 512, 1024, 2048, 4096, 8192)
_SETTLE_MS = 800  # after a release the page tells the server, once
_PROBE = Path(__file__).with_name("allocation_probe.js")


def measure(settings: Settings) -> list[Table]:
    """Upload a file, then drag over a measured and a drawn stream, in turns with a bare range input in the page."""
    passes = settings.pick(5, 1)
    with chromium() as browser, dashboard() as server:
        url = f"{server.url()}allocation"
        drags = [_table(browser, f"{url}?{urlencode(query)}", name, passes) for name, query in _STREAMS]
    with chromium() as browser, dashboard() as server:
        uploads = [
            _uploaded(browser, f"{server.url()}allocation?stream=file", n) for n in range(settings.pick(10, 3) + 1)
        ]
    return [_uploading(uploads), *drags]


def _uploaded(browser: Browser, url: str, number: int) -> float:
    """Seconds from a file's choice until its picture is drawn; another number is another file."""
    rows = [
        f"query {n},{cap},{int(cap > 40 * 1.01**n)},{min(cap, 30 + n + number)}"
        for n in range(_N_QUERIES)
        for cap in _CAPS
    ]
    content = "\n".join(["query,budget,correct,tokens", *rows]).encode()
    with fresh_page(browser, is_probed=False) as page:
        page.goto(url, wait_until="networkidle")
        chooser = page.locator("input[type=file]")
        chooser.wait_for(state="attached")
        began = time.perf_counter()
        chooser.set_input_files({"name": "queries.csv", "mimeType": "text/csv", "buffer": content})
        page.locator(".ca[data-budget]").wait_for()
        return time.perf_counter() - began


def _uploading(uploads: list[float]) -> Table:
    first, *others = uploads
    return Table(
        f"allocation: a file of {_N_QUERIES} queries at {len(_CAPS)} budgets is uploaded",
        (
            Figure("file chosen to picture drawn", "s", tuple(others), Goal("median", _UPLOAD_GOAL_S)),
            Figure("  the first one, the server just started", "s", (first,)),
        ),
        ("Each time another file, in a page whose scripts were not loaded before.",),
    )


def _table(browser: Browser, url: str, name: str, passes: int) -> Table:
    with fresh_page(browser) as page:
        page.goto(url, wait_until="commit")
        page.locator(".ca[data-budget]").wait_for()
        page.get_by_role("button", name="JSON", exact=True).wait_for()  # the script has run to its end
        page.locator("#compecon-first-picture").wait_for(state="detached")
        page.evaluate(_PROBE.read_text(encoding="utf-8"))
        moves, turns = drag_in_turns(
            page, "#ca-budget", "marketBench", passes=passes, settle_ms=_SETTLE_MS, press_ms=_SETTLE_MS
        )
    canvas = [m for m in moves if m["target"] == "canvas"]
    figures = (
        *pointer_figures(canvas, "pointer to painted", _GOAL_MS),
        floor_figure(moves),
        Figure("script reruns: WebSocket frames per drag", "", tuple(drag.sent for drag, _ in turns), Goal("max", 0)),
    )
    notes = (
        "A mouse drag, one stop of the bar per move, all stops down and up, queue, market, curve and facts redrawn.",
        "From the event's own time stamp to the end of the frame that shows the new stop; "
        f"{sum(m['changed'] for m in canvas)} of {len(canvas)} moves changed the stop.",
        FRAMES,
    )
    return Table(f"allocation: {name}", figures, notes)
