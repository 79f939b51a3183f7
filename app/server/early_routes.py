"""Addresses that are answered before Streamlit is imported: the pages themselves, and recorded streams."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.models.model_processes import models
from app.server.addresses import PAGES, PREFIX
from app.server.first_page import first_page
from app.server.first_pictures import first_data, params_of
from app.server.plain_files import takes_packed
from app.server.recordings import recorded_trace
from compecon.views.attention.traces import read_packed_trace


async def trace(request: Request) -> Response:
    """A recorded stream, complete. A text of one's own will be next: its checkpoint is loaded in advance."""
    name = request.path_params["name"]
    is_packed = takes_packed(request.scope)
    data = read_packed_trace(name) if is_packed else recorded_trace(name)
    if data is None:
        return JSONResponse({"error": "Recording not found."}, 404)
    models().warm_up(name.rpartition("-")[0])
    headers = {"Vary": "Accept-Encoding", **({"Content-Encoding": "gzip"} if is_packed else {})}
    return Response(data, media_type="application/octet-stream", headers=headers)


async def first(request: Request) -> Response:
    """What the first picture of a page is drawn from."""
    data = await asyncio.to_thread(_first, request.path_params["page"], params_of(request))
    if data is None:
        return JSONResponse({"error": "There is no first picture."}, 404)
    return Response(data, media_type="application/json", headers={"Cache-Control": "no-cache"})


def _first(page: str, params: Mapping[str, str]) -> bytes | None:
    """As it is sent: a thousand checkpoints are a megabyte, which takes too long to write in the event loop."""
    data = first_data(page, params)
    return None if data is None else json.dumps(data).encode()


def early_routes() -> list[BaseRoute]:
    """The pages, recordings, and what else first pictures are drawn from."""
    return [
        *(Route(f"/{page}", first_page, methods=["GET"]) for page in PAGES),
        Route(f"{PREFIX}/trace/{{name}}", trace, methods=["GET"]),
        Route(f"{PREFIX}/first/{{page}}", first, methods=["GET"]),
    ]
