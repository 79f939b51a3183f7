"""From the command to the first picture, and to a model that answers."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from compecon.benchmarks.browser import chromium, fresh_page
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.server import Dashboard, dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_PAINT_GOAL_S, _WIDGETS_GOAL_S, _READY_GOAL_S = 1.2, 3.0, 4.0


def measure(settings: Settings) -> list[Table]:
    """Start the dashboard several times in front of a browser that is already running."""
    with chromium() as browser:
        starts = [_one_start(browser) for _ in range(settings.pick(7, 2))]
    listening, painted, widgets, ready = (tuple(column) for column in zip(*starts, strict=True))
    notes = (
        "From just before the process is started, in an already running headless Chromium with empty caches.",
        "First meaningful paint: the heatmap shows a matrix and its frame is made (one frame late at most).",
        "Widgets: Streamlit has drawn the sidebar's text box.",
        "Model ready: GET /compecon/health says so; torch is imported behind the first picture.",
    )
    figures = (
        Figure("server accepts connections", "s", listening),
        Figure("first meaningful paint", "s", painted, Goal("median", _PAINT_GOAL_S)),
        Figure("widgets", "s", widgets, Goal("median", _WIDGETS_GOAL_S)),
        Figure("model ready", "s", ready, Goal("median", _READY_GOAL_S)),
    )
    return [Table("coldstart: from the command to a picture", figures, notes)]


def _one_start(browser: Browser) -> tuple[float, float, float, float]:
    with fresh_page(browser) as page, dashboard() as server:
        listening = time.perf_counter()
        page.goto(server.url(), wait_until="commit")
        page.wait_for_function("() => compeconBench.shown")
        painted = time.perf_counter()
        page.locator("textarea").first.wait_for(state="attached")
        widgets = time.perf_counter()
        ready = server.wait_for(Dashboard.is_ready)
        began = server.started
        return listening - began, painted - began, widgets - began, ready - began
