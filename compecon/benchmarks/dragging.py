"""A range input dragged with the mouse from end to end and back, as every benchmark of a bar does it."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

_FRAME_S = 1 / 60
_HALF_THUMB = 8  # pixels: the thumb's middle stays inside the bar
_COUNTS = "() => globalThis.compeconBench ? [compeconBench.sent.length, compeconBench.requests.length] : [0, 0]"


def drag(page: Page, selector: str, *, settle_ms: int = 0, press_ms: int = 0) -> tuple[float, float]:
    """Press on the right end, drag to the left end and back, a stop at a time, and let go.

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
