"""A budget dragged with the mouse: how long until the picture shows it, and whether anything is sent to the server."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from compecon.benchmarks.browser import chromium, fresh_page, wait_for_sweep
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.models import bundled_checkpoint, text_of
from compecon.benchmarks.server import dashboard

if TYPE_CHECKING:
    from playwright.sync_api import Page

Move: TypeAlias = Mapping[str, Any]
SETTLE_MS = 600  # after a release the page tells the server, once
FRAMES = "Chromium delivers moves with its 60 Hz frames: up to 16.7 ms pass before any code of a page runs. The bare "
FRAMES += "input shows that floor."
_GOALS_MS = {64: 16.7, 128: 25.0}
_EXACT = ("exact", "recorded")
_FRAME_S = 1 / 60
_HALF_THUMB = 8  # pixels: the thumb's middle stays inside the bar
_COUNTS = "() => globalThis.compeconBench ? [compeconBench.sent.length, compeconBench.requests.length] : [0, 0]"


def measure(settings: Settings) -> list[Table]:
    """Drag over texts of 64 and 128 tokens, in turns with a bare range input in the same page."""
    checkpoint, tables = bundled_checkpoint(), []
    with chromium() as browser, dashboard() as server:
        for n, goal_ms in _GOALS_MS.items():
            with fresh_page(browser) as page:
                wait_for_sweep(page, server.url(text=text_of(checkpoint, n, seed=n)))
                title = f"drag: 12 heads × {n} tokens"
                tables.append(drag_table(page, title, passes=settings.pick(6, 1), goal_ms=goal_ms))
    return tables


def drag(page: Page, selector: str, *, settle_ms: int = 0, press_ms: int = 0) -> tuple[float, float]:
    """Press on the right end of a range input, drag to the left end and back, a stop at a time, and let go.

    Args:
        page: The page.
        selector: Of the range input.
        settle_ms: How long to wait after the release, in which the page may tell the server.
        press_ms: How long to wait after the press, in which it may do so too.

    Returns:
        WebSocket frames and sweep requests sent while the button was down; 0 and 0 on a page without our probe.

    Raises:
        ValueError: If the bar has no stops.
    """
    bar = page.locator(selector)
    box, stops = bar.bounding_box(), int(bar.get_attribute("max") or 0)
    if box is None or stops < 1:
        raise ValueError(f"{selector} has no stops to drag over; the page did not open as it should.")
    left, width, y = box["x"] + _HALF_THUMB, box["width"] - 2 * _HALF_THUMB, box["y"] + box["height"] / 2
    page.mouse.move(left + width, y)
    page.mouse.down()
    page.wait_for_timeout(press_ms)
    before = page.evaluate(_COUNTS)
    for stop in [*range(stops - 1, -1, -1), *range(1, stops + 1)]:
        page.mouse.move(left + width * stop / stops, y)
        time.sleep(_FRAME_S * random.uniform(1, 2))  # noqa: S311 - any phase against the screen's frames
    after = page.evaluate(_COUNTS)
    page.mouse.up()
    page.wait_for_timeout(settle_ms)
    return float(after[0] - before[0]), float(after[1] - before[1])


def drag_table(page: Page, title: str, *, passes: int, goal_ms: float) -> Table:
    """Drag the budget bar of a page that is complete, in turns with a bare range input in it.

    Args:
        page: Opened, and every message of its sweeps drawn.
        title: Of the table.
        passes: Drags, each all stops down and up.
        goal_ms: Goal for the 95th percentile from the pointer to the painted frame.
    """
    loop_ms = page.evaluate("() => compeconBench.calibrate()")
    moves, traffic = drag_in_turns(page, "#cc-k", "compeconBench", passes=passes, settle_ms=SETTLE_MS)
    return Table(title, tuple(_figures(moves, traffic, goal_ms)), _notes(moves, loop_ms))


def drag_in_turns(
    page: Page, bar: str, bench: str, *, passes: int, settle_ms: int, press_ms: int = 0
) -> tuple[list[Move], list[tuple[float, float]]]:
    """Drag a bar in turns with a bare range input: the moves of both in the page's `bench`, and results of `drag`."""
    page.evaluate("() => compeconBench.addFloor()")
    drag(page, bar, settle_ms=settle_ms, press_ms=press_ms)  # code is compiled, matrices are decoded
    page.evaluate(f"() => {{ {bench}.moves.length = 0; }}")
    traffic = []
    for _ in range(passes):
        traffic.append(drag(page, bar, settle_ms=settle_ms, press_ms=press_ms))
        drag(page, "#bench-floor", settle_ms=settle_ms, press_ms=press_ms)
    return page.evaluate(f"() => {bench}.moves"), traffic


def pointer_figures(moves: Sequence[Move], label: str, goal_ms: float) -> list[Figure]:
    """From the pointer to the painted frame, and the parts of that time."""
    rest = tuple(m["total"] - m["wait"] - m["handler"] for m in moves)
    return [
        Figure(label, "ms", _column(moves, "total"), Goal("p95", goal_ms)),
        Figure("  of it: waiting for the browser's frame", "ms", _column(moves, "wait")),
        Figure("  of it: drawing, in the input handler", "ms", _column(moves, "handler")),
        Figure("  of it: the rest of the frame (style, layout, paint)", "ms", rest),
    ]


def floor_figure(moves: Sequence[Move]) -> Figure:
    """The same for the bare range input."""
    floor = [m for m in moves if m["target"] == "floor"]
    return Figure("bare range input, same page: pointer to painted", "ms", _column(floor, "total"))


def _column(moves: Sequence[Move], name: str) -> tuple[float, ...]:
    return tuple(m[name] for m in moves)


def _figures(moves: Sequence[Move], traffic: Sequence[tuple[float, float]], goal_ms: float) -> list[Figure]:
    canvas = [m for m in moves if m["target"] == "canvas"]
    exact = [m for m in canvas if m["kind"] in _EXACT]
    previews = [m for m in canvas if m["kind"] == "preview"]
    frames, requests = zip(*traffic, strict=True)
    figures = pointer_figures(exact, "pointer to painted, exact budgets", goal_ms)
    if previews:
        figures.append(Figure("pointer to painted, previews", "ms", _column(previews, "total")))
        figures.append(Figure("  of it: drawing, in the input handler", "ms", _column(previews, "handler")))
    return [
        *figures,
        floor_figure(moves),
        Figure("moves over exact budgets", "%", (100 * len(exact) / max(1, len(canvas)),)),
        Figure("script reruns: WebSocket frames per drag", "", frames, Goal("max", 0)),
        Figure("sweep requests per drag", "", requests),
    ]


def _notes(moves: Sequence[Move], loop_ms: float) -> tuple[str, ...]:
    canvas = [m for m in moves if m["target"] == "canvas"]
    unchanged = sum(not m["changedK"] for m in canvas), sum(not m["changedGini"] for m in canvas)
    return (
        "A mouse drag, one stop of the bar per move, all stops down and up; the sweep was complete before.",
        "From the event's own time stamp to the end of the frame (animation frame, then a message turn) in which the "
        f"budget's number and the Gini cell are new. {unchanged[0]} of {len(canvas)} moves left the number and "
        f"{unchanged[1]} the rounded Gini unchanged.",
        f"{FRAMES} The time until a screen shows the frame is not included.",
        f"{sum(m['merged'] for m in canvas)} of {len(canvas)} moves were delivered together with an earlier one. "
        f"A fixed loop took {loop_ms:.0f} ms in this browser at the start.",
    )
