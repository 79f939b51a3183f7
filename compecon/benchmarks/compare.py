"""A budget dragged on the Compare page: two checkpoints, three matrices, every statistic twice."""

from __future__ import annotations

from urllib.parse import urlencode

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.drag import drag_table
from compecon.benchmarks.figures import Settings, Table
from compecon.benchmarks.models import bundled_checkpoint, text_of
from compecon.benchmarks.server import dashboard

_N_TOKENS = 128
_GOAL_MS = 25.0
_PAIR = {"a": "sentiment", "b": "sentiment-any-budget"}  # 12 heads a layer in both
_ARRIVED = """() => compeconBench.messages.filter((message) => message.kind === "done").length >= 2
  && compeconBench.canvas()?.dataset.both === "true" && compeconBench.hasPicture()"""


def measure(settings: Settings) -> list[Table]:
    """Drag over a text of 128 tokens."""
    text = text_of(bundled_checkpoint(), _N_TOKENS, seed=_N_TOKENS)
    with chromium() as browser, dashboard() as server, fresh_page(browser) as page:
        wait_for_sweep(page, f"{server.url()}compare?{urlencode({**_PAIR, 'text': text})}", _ARRIVED)
        title = f"compare: 12 heads × {_N_TOKENS} tokens × 2"
        return [drag_table(page, title, passes=settings.pick(6, 1), goal_ms=_GOAL_MS)]
