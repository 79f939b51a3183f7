"""A bar dragged with the mouse: how long each move takes, which frames are not made, and what is sent to the server."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias, final

from compecon.benchmarks.figures import Figure, Goal

if TYPE_CHECKING:
    from playwright.sync_api import Page

Move: TypeAlias = Mapping[str, Any]
SETTLE_MS = 600  # after a release the page tells the server, once
FRAMES = "Chromium delivers moves with its 60 Hz frames: up to 16.7 ms pass before any code of a page runs. The bare "
FRAMES += "input shows that floor."
_FRAME_S = 1 / 60
_HALF_THUMB = 8  # pixels: the thumb's middle stays inside the bar
_COUNTS = "() => globalThis.compeconBench ? [compeconBench.sent.length, compeconBench.requests.length] : [0, 0]"


@final
@dataclass(frozen=True)
class Drag:
    """What happened while the button was down."""

    sent: float  # WebSocket frames; 0 on a page without our probe
    requests: float  # of sweeps; the same
    dropped: float  # of 100 frames that the screen could have shown, how many the page did not make


def drag(page: Page, selector: str, *, settle_ms: int = 0, press_ms: int = 0) -> Drag:
    """Press on the right end of a range input, drag to the left end and back, a stop at a time, and let go.

    Args:
        page: The page.
        selector: Of the range input.
        settle_ms: How long to wait after the release, in which the page may tell the server.
        press_ms: How long to wait after the press, in which it may do so too.

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
    page.evaluate("() => compeconFrames.watch()")
    for stop in [*range(stops - 1, -1, -1), *range(1, stops + 1)]:
        page.mouse.move(left + width * stop / stops, y)
        time.sleep(_FRAME_S * random.uniform(1, 2))  # noqa: S311 - any phase against the screen's frames
    made, dropped = page.evaluate("() => compeconFrames.watched()")
    after = page.evaluate(_COUNTS)
    page.mouse.up()
    page.wait_for_timeout(settle_ms)
    sent, requests = (float(now - then) for now, then in zip(after, before, strict=True))
    return Drag(sent, requests, 100 * dropped / max(1, made + dropped))


def drag_in_turns(
    page: Page, bar: str, bench: str, *, passes: int, settle_ms: int, press_ms: int = 0
) -> tuple[list[Move], list[tuple[Drag, Drag]]]:
    """Drag a bar in turns with a bare range input: moves of both in the page's `bench`, and the two drags of a turn."""
    page.evaluate("() => compeconBench.addFloor()")
    drag(page, bar, settle_ms=settle_ms, press_ms=press_ms)  # code is compiled, matrices are decoded
    page.evaluate(f"() => {{ {bench}.moves.length = 0; }}")

    def dragged(selector: str) -> Drag:
        return drag(page, selector, settle_ms=settle_ms, press_ms=press_ms)

    turns = [(dragged(bar), dragged("#bench-floor")) for _ in range(passes)]
    return page.evaluate(f"() => {bench}.moves"), turns


def pointer_figures(moves: Sequence[Move], label: str, goal_ms: float) -> list[Figure]:
    """From the pointer to the painted frame, and the parts of that time."""
    return [
        Figure(label, "ms", _column(moves, "total"), Goal("p95", goal_ms)),
        Figure("  of it: waiting for the browser's frame", "ms", _column(moves, "wait")),
        *_own_parts(moves),
    ]


def own_figures(moves: Sequence[Move], label: str, goal_ms: float) -> list[Figure]:
    """From the page's first line of code to the painted frame: all but the browser's own wait."""
    return [Figure(label, "ms", own_work(moves), Goal("p95", goal_ms)), *_own_parts(moves)]


def own_work(moves: Sequence[Move]) -> tuple[float, ...]:
    """Milliseconds of each move without the wait for the browser's frame."""
    return tuple(m["total"] - m["wait"] for m in moves)


def dropped_figures(turns: Sequence[tuple[Drag, Drag]]) -> list[Figure]:
    """Frames that were not made while a bar was dragged, against the bare range input in the same page."""
    bar, floor = (tuple(drag.dropped for drag in drags) for drags in zip(*turns, strict=True))
    more = tuple(one - other for one, other in zip(bar, floor, strict=True))
    return [
        Figure("frames dropped in a drag", "%", bar),
        Figure("  of the bare range input, in turns", "%", floor),
        Figure("  more of them than of that", "%", more, Goal("median", 0)),
    ]


def _own_parts(moves: Sequence[Move]) -> list[Figure]:
    rest = tuple(own - m["handler"] for own, m in zip(own_work(moves), moves, strict=True))
    return [
        Figure("  of it: drawing, in the input handler", "ms", _column(moves, "handler")),
        Figure("  of it: the rest of the frame (style, layout, paint)", "ms", rest),
    ]


def floor_figure(moves: Sequence[Move]) -> Figure:
    """The same for the bare range input."""
    floor = [m for m in moves if m["target"] == "floor"]
    return Figure("bare range input, same page: pointer to painted", "ms", _column(floor, "total"))


def _column(moves: Sequence[Move], name: str) -> tuple[float, ...]:
    return tuple(m[name] for m in moves)
