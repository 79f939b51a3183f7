"""A budget dragged with the mouse: how long until the picture shows it, and whether the server hears of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.dragging import drag
from compecon.benchmarks.figures import Figure, Goal, Table
from compecon.benchmarks.models import bundled_checkpoint, text_of
from compecon.benchmarks.server import dashboard
from compecon.benchmarks.settings import Settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Move: TypeAlias = Mapping[str, Any]
_GOALS_MS = {64: 16.7, 128: 25.0}
SETTLE_MS = 600  # after a release the page tells the server, once
_EXACT = ("exact", "recorded")


def measure(settings: Settings) -> list[Table]:
    """Drag over texts of 64 and 128 tokens, in turns with a bare range input in the same page."""
    checkpoint = bundled_checkpoint()
    passes = settings.pick(6, 1)
    with chromium() as browser, dashboard() as server:
        server.wait_until_listening()
        return [_table(browser, server.url(text=text_of(checkpoint, n, seed=n)), n, passes) for n in _GOALS_MS]


def _table(browser: Browser, url: str, n: int, passes: int) -> Table:
    with fresh_page(browser) as page:
        wait_for_sweep(page, url)
        return drag_table(page, f"drag: 12 heads × {n} tokens", passes=passes, goal_ms=_GOALS_MS[n])


def drag_table(page: Page, title: str, *, passes: int, goal_ms: float) -> Table:
    """Drag the budget bar of a page that is complete, in turns with a bare range input in it.

    Args:
        page: Opened, and every message of its sweeps drawn.
        title: Of the table.
        passes: Drags, each all stops down and up.
        goal_ms: Goal for the 95th percentile from the pointer to the painted frame.
    """
    page.evaluate("() => compeconBench.addFloor()")
    loop_ms = page.evaluate("() => compeconBench.calibrate()")
    drag(page, "#cc-k", settle_ms=SETTLE_MS)  # code is compiled, matrices are decoded
    page.evaluate("() => { compeconBench.moves.length = 0; }")
    traffic = []
    for _ in range(passes):
        traffic.append(drag(page, "#cc-k", settle_ms=SETTLE_MS))
        drag(page, "#bench-floor", settle_ms=SETTLE_MS)
    moves = page.evaluate("() => compeconBench.moves")
    return Table(title, tuple(_figures(moves, traffic, goal_ms)), _notes(moves, loop_ms))


def _figures(moves: Sequence[Move], traffic: Sequence[tuple[float, float]], goal_ms: float) -> list[Figure]:
    canvas = [m for m in moves if m["target"] == "canvas"]
    exact = [m for m in canvas if m["kind"] in _EXACT]
    previews = [m for m in canvas if m["kind"] == "preview"]
    share = 100 * len(exact) / max(1, len(canvas))
    frames, requests = zip(*traffic, strict=True)
    return [
        Figure("pointer to painted, exact budgets", "ms", _column(exact, "total"), Goal("p95", goal_ms)),
        Figure("  of it: waiting for the browser's frame", "ms", _column(exact, "wait")),
        Figure("  of it: drawing, in the input handler", "ms", _column(exact, "handler")),
        Figure("  of it: the rest of the frame (style, layout, paint)", "ms", _rest(exact)),
        *([Figure("pointer to painted, previews", "ms", _column(previews, "total"))] if previews else []),
        *([Figure("  of it: drawing, in the input handler", "ms", _column(previews, "handler"))] if previews else []),
        Figure("bare range input, same page: pointer to painted", "ms", _column(moves, "total", "floor")),
        Figure("moves over exact budgets", "%", (share,)),
        Figure("script reruns: WebSocket frames a drag", "", frames, Goal("max", 0)),
        Figure("sweep requests a drag", "", requests),
    ]


def _column(moves: Sequence[Move], name: str, target: str = "canvas") -> tuple[float, ...]:
    return tuple(m[name] for m in moves if m["target"] == target)


def _rest(moves: Sequence[Move]) -> tuple[float, ...]:
    return tuple(m["total"] - m["wait"] - m["handler"] for m in moves)


def _notes(moves: Sequence[Move], loop_ms: float) -> tuple[str, ...]:
    canvas = [m for m in moves if m["target"] == "canvas"]
    unchanged = sum(not m["changedK"] for m in canvas), sum(not m["changedGini"] for m in canvas)
    return (
        "A mouse drag, one stop of the bar a move, all stops down and up; the sweep was complete before.",
        "From the event's own time stamp to the end of the frame (animation frame, then a message turn) in which the "
        f"budget's number and the Gini cell are new. {unchanged[0]} of {len(canvas)} moves left the number and "
        f"{unchanged[1]} the rounded Gini as it was.",
        "Chromium delivers moves with its 60 Hz frames: up to 16.7 ms pass before any code of a page runs. The bare "
        "input shows that floor. Handing the frame to a screen comes on top and cannot be seen from inside.",
        f"{sum(m['merged'] for m in canvas)} of {len(canvas)} moves had waited together with an older one. "
        f"A fixed loop took {loop_ms:.0f} ms in this browser at the start.",
    )
