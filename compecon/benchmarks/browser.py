"""Headless Chromium, driven by Playwright: needed by the benchmarks that look at the page, and by them alone."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from compecon.errors import CompeconError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWEPT = "() => compeconBench.messages.at(-1)?.kind === 'done' && compeconBench.hasPicture()"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--no-sandbox",  # the only page is our own; without it no browser starts as root
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TIMEOUT_S, _SWEEP_TIMEOUT_S = 60, 400


def find_chromium() -> str:
    """Path of a Chromium: the environment variable CHROMIUM, else the first one on PATH.

    Raises:
        CompeconError: If there is none.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, _NAMES)), None)
    if not found:
        raise CompeconError("no Chromium was found. Install chromium, or set CHROMIUM=/path/to/chromium.")
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser.

    Raises:
        CompeconError: If Playwright or Chromium is missing, or the page did not do what was waited for.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 - an optional library
    except ImportError:
        raise CompeconError("Playwright is not installed. Install it: pip install playwright.") from None
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(_FLAGS))
            try:
                yield browser
            finally:
                browser.close()
    except Error as error:
        raise CompeconError(f"the browser failed: {str(error).splitlines()[0]}") from error


def browser_error() -> type[Exception]:
    """What Playwright raises when a page does not do what was waited for."""
    from playwright.sync_api import Error  # noqa: PLC0415 - an optional library

    return Error


@contextmanager
def fresh_page(browser: Browser, *, is_probed: bool = True) -> Iterator[Page]:
    """A page with empty caches; a probed one measures the live canvas from inside, looking for it in each frame."""
    context = browser.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(1000 * TIMEOUT_S)
    page = context.new_page()
    for script in ("frames.js", "probe.js") if is_probed else ("frames.js",):
        page.add_init_script(path=Path(__file__).with_name(script))
    try:
        yield page
    finally:
        context.close()


def wait_for_sweep(page: Page, url: str, arrived: str = SWEPT) -> None:
    """Open a page whose text is not recorded and wait until its last message has been drawn, and its widgets too."""
    page.goto(url, wait_until="commit")
    page.wait_for_function(arrived, timeout=1000 * _SWEEP_TIMEOUT_S)
    page.get_by_label("Text", exact=True).wait_for()
    page.evaluate("() => compeconBench.painted()")


def browser_facts() -> dict[str, str]:
    """Version of the browser; empty when there is none."""
    try:
        with chromium() as browser:
            return {"chromium": f"{browser.version}, headless, software raster"}
    except CompeconError:
        return {}
