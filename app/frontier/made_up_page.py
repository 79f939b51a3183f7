"""The Frontier plot by itself, over made-up checkpoints: the server at which `compecon bench` drives a browser."""

from __future__ import annotations

import json
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, Response
from starlette.routing import Route

import compecon.benchmarks
from app.canvas_data.advised import Advised
from app.server.access import Access
from app.server.early_routes import early_routes
from app.server.front import Front
from app.server.frontier_data import canvas_data
from app.server.guard import Guard
from app.server.routes import routes
from app.server.shared_frontier import Frontier
from app.state.frontier_choice import FrontierPlace
from compecon.benchmarks.frontier_made import TASK, made_points
from compecon.paths import assets
from compecon.views.frontier.drawn import FrontierAxes
from compecon.views.frontier.frontier_view import frontier_view

_PAGE = Path(compecon.benchmarks.__file__).parent


def prepared(number: int) -> tuple[dict[str, list[float]], bytes]:
    """Seconds that the server needs before it answers, each part three times, and what it sends."""
    points, axes = made_points(number), FrontierAxes(TASK)
    times: dict[str, list[float]] = {"view": [], "data": []}
    for _ in range(3):
        began = time.perf_counter()
        frontier_view(points, axes)
        times["view"].append(time.perf_counter() - began)
        began, shown = time.perf_counter(), Frontier(points, polls=False)
        data = canvas_data(shown, shown.view(axes), FrontierPlace(), Advised())
        times["data"].append(time.perf_counter() - began)
    return times, json.dumps(data).encode()


def application(number: int) -> Guard:
    """The plot of so many checkpoints on a page of its own, with the dashboard's own files and headers."""
    times, data = prepared(number)
    parts = assets() / "frontier"
    files = {
        "/bench": _PAGE / "frontier.html",
        "/bench/frontier.js": _PAGE / "frontier.js",
        "/bench/part.html": parts / "frontier.html",
        "/bench/frontier.css": parts / "frontier.css",
    }
    contents = {"/bench/data.json": data, "/bench/times.json": json.dumps(times).encode()}
    own = [Route(path, lambda _request, file=file: FileResponse(file)) for path, file in files.items()]
    own += [
        Route(path, lambda _request, content=content: Response(content, media_type="application/json"))
        for path, content in contents.items()
    ]
    early = [*own, *early_routes()]
    return Guard(Front(early, lambda: (Starlette(routes=routes()), nullcontext())), Access())


if __name__ == "__main__":
    uvicorn.run(application(int(sys.argv[2])), port=int(sys.argv[1]), log_level="error")
