"""A budget dragged on the Attention and Compare pages: the page's own work in each frame, and frames it left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from compecon.benchmarks.browser import SWEPT, chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, text_of
from compecon.benchmarks.moves import SETTLE_MS, Drag, Move, drag_in_turns, dropped_figures, own_figures, own_work
from compecon.benchmarks.server import dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_ONE_PAGE_MS = {64: 8.0, 128: 11.0}  # goals by tokens
_COMPARE_MS = 14.0
_PAIR = {"a": "sentiment", "b": "sentiment-elastic"}  # 12 heads a layer in both
_BOTH_ARRIVED = """() => compeconBench.messages.filter((message) => message.kind === "done").length >= 2
  && compeconBench.canvas()?.dataset.both === "true" && compeconBench.hasPicture()"""
_EXACT = ("exact", "recorded")


def measure(settings: Settings) -> list[Table]:
    """Drag over texts of 64 and 128 tokens, and of 128 in two checkpoints, in turns with a bare range input."""
    checkpoint, passes = bundled_checkpoint(), settings.pick(6, 1)
    texts = {n: text_of(checkpoint, n, seed=n) for n in _ONE_PAGE_MS}
    with chromium() as browser, dashboard() as server:
        tables = [
            _table(browser, server.url(text=texts[n]), SWEPT, f"frames: 12 heads × {n} tokens", goal_ms, passes)
            for n, goal_ms in _ONE_PAGE_MS.items()
        ]
        both = f"{server.url()}compare?{urlencode({**_PAIR, 'text': texts[128]})}"
        title = "frames: Compare, 12 heads × 128 tokens × 2"
        return [*tables, _table(browser, both, _BOTH_ARRIVED, title, _COMPARE_MS, passes)]


def _table(browser: Browser, url: str, arrived: str, title: str, goal_ms: float, passes: int) -> Table:
    with fresh_page(browser) as page:
        wait_for_sweep(page, url, arrived)
        loop_ms = page.evaluate("() => compeconBench.calibrate()")
        moves, turns = drag_in_turns(page, "#cc-k", "compeconBench", passes=passes, settle_ms=SETTLE_MS)
    return frames_table(title, moves, turns, goal_ms=goal_ms, loop_ms=loop_ms)


def frames_table(
    title: str, moves: Sequence[Move], turns: Sequence[tuple[Drag, Drag]], *, goal_ms: float, loop_ms: float
) -> Table:
    """What was found in one page.

    Args:
        title: Of the table.
        moves: Of the bar and of the bare range input, in milliseconds, as the page's probe notes them.
        turns: The drags of both, in turns.
        goal_ms: Goal for the 95th percentile of the own work in a move.
        loop_ms: What a fixed loop took in this browser.
    """
    canvas = [m for m in moves if m["target"] == "canvas"]
    floor = [m for m in moves if m["target"] == "floor"]
    exact = [m for m in canvas if m["kind"] in _EXACT]
    previews = [m for m in canvas if m["kind"] == "preview"]
    figures = [
        *own_figures(exact, "own work in a move, exact budgets", goal_ms),
        *([Figure("own work in a move, previews", "ms", own_work(previews))] if previews else []),
        Figure("own work in a move of the bare range input", "ms", own_work(floor)),
        *dropped_figures(turns),
        Figure("pointer to painted, with the browser's own wait", "ms", tuple(m["total"] for m in canvas)),
        Figure("  of the bare range input", "ms", tuple(m["total"] for m in floor)),
        Figure("script reruns: WebSocket frames per drag", "", tuple(drag.sent for drag, _ in turns), Goal("max", 0)),
        Figure("sweep requests per drag", "", tuple(drag.requests for drag, _ in turns)),
    ]
    unchanged = sum(not m["changedK"] for m in canvas), sum(not m["changedGini"] for m in canvas)
    notes = (
        "A mouse drag, one stop of the bar per move, all stops down and up; the sweep was complete before.",
        "Own work: from the first line of the page's code to the end of the frame (animation frame, then a message "
        "turn). The wait before it is the browser's, which delivers moves with its 60 Hz frames.",
        "A frame is dropped where two animation frames lie further apart than a 60th of a second.",
        f"{unchanged[0]} of {len(canvas)} moves left the budget's number as it was, {unchanged[1]} the Gini; "
        f"{sum(m['merged'] for m in canvas)} were delivered together with an earlier one. "
        f"A fixed loop took {loop_ms:.0f} ms in this browser at the start.",
    )
    return Table(title, tuple(figures), notes)
