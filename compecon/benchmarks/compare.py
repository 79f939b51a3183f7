"""A budget dragged on the Compare page: two checkpoints, three matrices, every statistic twice."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from compecon.benchmarks.browser import SWEEP_TIMEOUT_S, chromium, fresh_page
from compecon.benchmarks.drag import drag_table
from compecon.benchmarks.figures import Table
from compecon.benchmarks.models import bundled_checkpoint, text_of
from compecon.benchmarks.server import dashboard
from compecon.benchmarks.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Page

_N_TOKENS = 128
_GOAL_MS = 25.0
_PAIR = {"a": "sentiment", "b": "sentiment-any-budget"}  # 12 heads a layer in both
_ARRIVED = """() => compeconBench.messages.filter((message) => message.kind === "done").length >= 2
  && compeconBench.canvas()?.dataset.both === "true" && compeconBench.hasPicture()"""


def measure(settings: Settings) -> list[Table]:
    """Drag over a text of 128 tokens."""
    text = text_of(bundled_checkpoint(), _N_TOKENS, seed=_N_TOKENS)
    with chromium() as browser, dashboard() as server, fresh_page(browser) as page:
        server.wait_until_listening()
        _wait_for_both(page, f"{server.url()}compare?{urlencode({**_PAIR, 'text': text})}")
        title = f"compare: 12 heads × {_N_TOKENS} tokens × 2"
        return [drag_table(page, title, passes=settings.pick(6, 1), goal_ms=_GOAL_MS)]


def _wait_for_both(page: Page, url: str) -> None:
    page.goto(url, wait_until="commit")
    page.wait_for_function(_ARRIVED, timeout=1000 * SWEEP_TIMEOUT_S)
    page.get_by_label("Text", exact=True).wait_for()  # the widgets have come, too
    page.evaluate("() => compeconBench.painted()")
