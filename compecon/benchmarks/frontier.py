"""The Frontier page's plot with a thousand checkpoints: its first picture, and its bar dragged with the mouse."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

from compecon.benchmarks.browser import TIMEOUT_S, chromium, fresh_page
from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.frontier_made import BUDGETS
from compecon.benchmarks.moves import drag, pointer_figures
from compecon.benchmarks.server import serving
from compecon.paths import dashboard_root

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

N_POINTS = 1_000
_DRAW_GOAL_MS, _DRAG_GOAL_MS = 1_000, 33


def measure(settings: Settings) -> list[Table]:
    """Draw the plot several times, and drag over all its stops and back."""
    with chromium() as browser, serving(_page) as server:
        address = f"http://127.0.0.1:{server.port}/bench"
        server_s, n_bytes = json.loads(_content(f"{address}/times.json")), len(_content(f"{address}/data.json"))
        _drawn(browser, address)  # files are read, code is compiled
        draws = [_drawn(browser, address) for _ in range(settings.pick(8, 2))]
        with fresh_page(browser, is_probed=False) as page:
            _open(page, address)
            loop_ms = page.evaluate("() => frontierBench.calibrate()")
            drag(page, "#cf-keys")
            page.evaluate("() => { frontierBench.moves.length = 0; frontierBench.told = 0; }")
            for _ in range(settings.pick(10, 2)):
                drag(page, "#cf-keys")
            found = page.evaluate("() => frontierBench")
    return [_drawing(server_s, draws, n_bytes), _dragging(found, loop_ms)]


def _page(port: int) -> list[str]:
    """A program of the dashboard's, which this library cannot import."""
    launch = dashboard_root() / "app" / "launch.py"
    return [str(launch), "app.frontier.made_up_page", str(port), str(N_POINTS)]


def _content(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own server
        return bytes(answer.read())


def _open(page: Page, address: str) -> None:
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.frontierBench?.drawn", timeout=1000 * TIMEOUT_S)


def _drawn(browser: Browser, address: str) -> dict[str, float]:
    with fresh_page(browser, is_probed=False) as page:
        _open(page, address)
        return dict(
            page.evaluate(
                "() => { const { loaded, plotted, drawn } = frontierBench; return { loaded, plotted, drawn }; }"
            )
        )


def _drawing(server_s: dict[str, list[float]], draws: list[dict[str, float]], n_bytes: int) -> Table:
    return Table(
        f"frontier: {N_POINTS:,} checkpoints × {len(BUDGETS)} key budgets, first picture",
        (
            Figure("data loaded to painted", "ms", tuple(d["drawn"] for d in draws), Goal("median", _DRAW_GOAL_MS)),
            Figure("  of it: until Plotly has drawn", "ms", tuple(d["plotted"] for d in draws)),
            Figure("loading Plotly's script, once a session", "ms", tuple(d["loaded"] for d in draws)),
            Figure("server: fronts, ties and volumes", "s", tuple(server_s["view"])),
            Figure("server: everything until it can be sent, once", "s", tuple(server_s["data"])),
            Figure("sent to the page", "MB", (n_bytes / 1e6,)),
        ),
        (
            "The plot on a page of its own, behind the dashboard's own guard and headers.",
            "With a debugger, which drives the browser here, Plotly's script takes up to twice as long as without: V8 "
            "looks up where errors that the script catches were thrown. From the third visit on V8 keeps its code.",
        ),
    )


def _dragging(found: dict[str, Any], loop_ms: float) -> Table:
    return Table(
        f"frontier: the key budget dragged over {N_POINTS:,} checkpoints",
        (
            *pointer_figures(found["moves"], "pointer to painted", _DRAG_GOAL_MS),
            Figure("messages to the server while dragging", "", (float(found["told"]),), Goal("max", 0)),
        ),
        (
            "A mouse drag, one stop of the bar per move, all stops down and up.",
            f"A fixed loop took {loop_ms:.0f} ms in this browser at the start.",
        ),
    )
