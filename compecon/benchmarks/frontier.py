"""The Frontier page's plot with a thousand checkpoints: its first picture, and its bar dragged with the mouse."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from compecon.benchmarks.browser import TIMEOUT_S, chromium, fresh_page
from compecon.benchmarks.dragging import drag
from compecon.benchmarks.figures import Figure, Goal, Table
from compecon.benchmarks.frontier_made import BUDGETS, TASK, made_points
from compecon.benchmarks.server import free_port
from compecon.benchmarks.settings import Settings
from compecon.errors import CompeconError
from compecon.paths import assets, dashboard_root

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from starlette.applications import Starlette

N_POINTS = 1_000
_DRAW_GOAL_MS, _DRAG_GOAL_MS = 1_000, 33
_HERE = Path(__file__).parent


def measure(settings: Settings) -> list[Table]:
    """Draw the plot several times, and drag over all its stops and back."""
    points = made_points(N_POINTS)
    server_s, data = _prepared(points)
    with chromium() as browser, _serving(data) as address:
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
    return [_drawing(server_s, draws, len(data)), _dragging(found, loop_ms)]


def _prepared(points: Any) -> tuple[dict[str, tuple[float, ...]], bytes]:
    """What the server does before it answers, timed; and what it sends."""
    sys.path.insert(0, str(dashboard_root()))
    from app.frontier.advice_panel import NO_ADVICE  # noqa: PLC0415 - lies beside the package
    from app.frontier.frontier_canvas import canvas_data  # noqa: PLC0415
    from app.frontier.shared_frontier import Frontier  # noqa: PLC0415
    from app.state.frontier_state import FrontierPlace  # noqa: PLC0415
    from compecon.views.frontier.frontier_view import FrontierAxes, frontier_view  # noqa: PLC0415

    times: dict[str, list[float]] = {"view": [], "data": []}
    for _ in range(3):
        began = time.perf_counter()
        frontier_view(points, FrontierAxes(TASK))
        times["view"].append(time.perf_counter() - began)
        began, shown = time.perf_counter(), Frontier(points, polls=False)
        data = canvas_data(shown, shown.view(FrontierAxes(TASK)), FrontierPlace(), NO_ADVICE)
        times["data"].append(time.perf_counter() - began)
    return {name: tuple(values) for name, values in times.items()}, json.dumps(data).encode()


def _app(data: bytes) -> Starlette:
    """The plot on a page of its own, with the dashboard's own files and headers."""
    from starlette.applications import Starlette  # noqa: PLC0415
    from starlette.responses import FileResponse, Response  # noqa: PLC0415
    from starlette.routing import Route  # noqa: PLC0415

    from app.server.guard import middleware  # noqa: PLC0415 - lies beside the package
    from app.server.routes import routes  # noqa: PLC0415

    parts = assets() / "frontier"
    files = {
        "/bench": _HERE / "frontier.html",
        "/bench/frontier.js": _HERE / "frontier.js",
        "/bench/part.html": parts / "frontier.html",
        "/bench/frontier.css": parts / "frontier.css",
    }
    own = [Route(path, lambda _request, file=file: FileResponse(file)) for path, file in files.items()]
    answer = Route("/bench/data.json", lambda _request: Response(data, media_type="application/json"))
    return Starlette(routes=[*own, answer, *routes()], middleware=middleware())


@contextmanager
def _serving(data: bytes) -> Iterator[str]:
    import uvicorn  # noqa: PLC0415 - Streamlit brings it

    port = free_port()
    server = uvicorn.Server(uvicorn.Config(_app(data), port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        _await(lambda: server.started)
        yield f"http://127.0.0.1:{port}/bench"
    finally:
        server.should_exit = True
        thread.join(TIMEOUT_S)


def _await(holds: Any) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while not holds():
        if time.monotonic() > deadline:
            raise CompeconError("the page with made-up checkpoints was not served. Try again on a quieter machine.")
        time.sleep(0.01)


def _open(page: Page, address: str) -> None:
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.frontierBench?.drawn", timeout=1000 * TIMEOUT_S)


def _drawn(browser: Browser, address: str) -> dict[str, float]:
    with fresh_page(browser, is_probed=False) as page:
        _open(page, address)
        return dict(
            page.evaluate(
                "() => ({ loaded: frontierBench.loaded, plotted: frontierBench.plotted, drawn: frontierBench.drawn })"
            )
        )


def _drawing(server_s: dict[str, tuple[float, ...]], draws: list[dict[str, float]], n_bytes: int) -> Table:
    return Table(
        f"frontier: {N_POINTS:,} checkpoints × {len(BUDGETS)} key budgets, first picture",
        (
            Figure("data at hand to painted", "ms", tuple(d["drawn"] for d in draws), Goal("median", _DRAW_GOAL_MS)),
            Figure("  of it: until Plotly has drawn", "ms", tuple(d["plotted"] for d in draws)),
            Figure("loading Plotly's script, once a session", "ms", tuple(d["loaded"] for d in draws)),
            Figure("server: fronts, ties and volumes", "s", server_s["view"]),
            Figure("server: everything until it can be sent, once", "s", server_s["data"]),
            Figure("sent to the page", "MB", (n_bytes / 1e6,)),
        ),
        ("The plot on a page of its own, behind the dashboard's own guard and headers.",),
    )


def _dragging(found: dict[str, Any], loop_ms: float) -> Table:
    moves = found["moves"]
    rest = tuple(m["total"] - m["wait"] - m["handler"] for m in moves)
    return Table(
        f"frontier: the key budget dragged over {N_POINTS:,} checkpoints",
        (
            Figure("pointer to painted", "ms", tuple(m["total"] for m in moves), Goal("p95", _DRAG_GOAL_MS)),
            Figure("  of it: waiting for the browser's frame", "ms", tuple(m["wait"] for m in moves)),
            Figure("  of it: drawing, in the input handler", "ms", tuple(m["handler"] for m in moves)),
            Figure("  of it: the rest of the frame (style, layout, paint)", "ms", rest),
            Figure("told to the server while dragging", "", (float(found["told"]),), Goal("max", 0)),
        ),
        (
            "A mouse drag, one stop of the bar a move, all stops down and up.",
            f"A fixed loop took {loop_ms:.0f} ms in this browser at the start.",
        ),
    )
