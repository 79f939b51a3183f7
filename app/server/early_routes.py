"""Addresses that are answered before Streamlit is imported: the pages themselves, and recorded streams."""

from __future__ import annotations

import threading
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.server.addresses import PAGES, PREFIX
from app.server.first_page import first_page
from app.server.recordings import recorded_trace

WARM_UP_S = 0.8  # importing torch holds the interpreter lock: first let the browser paint


def early_routes(started: threading.Event) -> list[BaseRoute]:
    """The pages, and recordings.

    Args:
        started: Set once the dashboard has started: only then are models worth loading.
    """

    async def trace(request: Request) -> Response:
        """A recorded stream, complete. Once the page has it, the models are worth loading."""
        name = request.path_params["name"]
        data = recorded_trace(name)
        if data is None:
            return JSONResponse({"error": "Recording not found."}, 404)
        if request.url.query != "first":  # Streamlit's canvas stands there, too
            threading.Thread(target=_warm_up, args=(name.rpartition("-")[0], started), daemon=True).start()
        return Response(data, media_type="application/octet-stream")

    return [
        *(Route(f"/{page}", first_page, methods=["GET"]) for page in PAGES),
        Route(f"{PREFIX}/trace/{{name}}", trace, methods=["GET"]),
    ]


def _warm_up(checkpoint: str, started: threading.Event) -> None:
    started.wait()
    time.sleep(WARM_UP_S)
    from app.server.engine import engine  # noqa: PLC0415 - NumPy and more, which no early answer needs

    engine().warm_up(checkpoint)
