"""Addresses of ours that need more than files: sweeps as a stream of bytes, and whether a model is ready."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from app.models.model_processes import models
from app.models.sweep_job import SweepJob
from app.server.addresses import PREFIX
from app.server.guard import is_from_our_page
from app.server.resources import checkpoints
from compecon.attention.policies import POLICIES

MAX_BODY = 1_000_000
_BYTES = "application/octet-stream"


class SweepBody(BaseModel):
    """A sweep request from the page, checked field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    checkpoint: Annotated[str, Field(max_length=1000)]
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda|mps)$")]
    text: Annotated[str, Field(max_length=100_000)]
    pair: Annotated[str, Field(max_length=100_000)] = ""
    policy: str = "top-k"
    layer: Annotated[int, Field(ge=0, le=1000)] = 0
    head: Annotated[int, Field(ge=0, le=1000)] = 0
    budgets: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=64)] = []
    first: Annotated[int, Field(ge=1, le=100_000)] | None = None
    size: Annotated[float, Field(gt=0, le=1)] | None = None
    client: Annotated[str, Field(max_length=40)] = ""


async def sweep(request: Request) -> Response:
    """Compute one text at every budget; the answer streams while it is computed."""
    if not is_from_our_page(request):
        return _refuse(403, "Only the dashboard's own pages may use this address.")
    try:
        body = SweepBody.model_validate_json(await _body(request))
    except ValidationError as error:
        first = error.errors()[0]
        return _refuse(422, f"The request was refused: {'.'.join(map(str, first['loc']))}: {first['msg']}.")
    except (ValueError, ClientDisconnect) as error:
        return _refuse(413, str(error))
    entry = checkpoints().get(body.checkpoint)
    if entry is None or body.policy not in POLICIES:
        return _refuse(404, "That checkpoint or policy is no longer available. Reload the page.")
    # Models live in a process with another current folder.
    place = body.checkpoint if entry.origin == "bundled" else str(Path(body.checkpoint).absolute())
    fields = body.model_dump(exclude={"client", "budgets", "checkpoint"})
    job = SweepJob(place, **fields, budgets=tuple(body.budgets))
    return StreamingResponse(_listen(job, body.client), media_type=_BYTES)


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise ValueError("The request is larger than 1 MB. Shorten the text.")
    return bytes(data)


async def _listen(job: SweepJob, client: str) -> AsyncIterator[bytes]:
    """Hand on what the models' process answers; tell it when the page hangs up."""
    loop, queue = asyncio.get_running_loop(), asyncio.Queue[bytes | None]()

    def hand_over(data: bytes | None) -> None:
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(queue.put_nowait, data)

    drop = models().submit(job, client, hand_over)
    try:
        while (data := await queue.get()) is not None:
            yield data
    finally:
        drop()


def health(_request: Request) -> Response:
    """Whether the server is up and a model is ready."""
    return Response(json.dumps({"ready": models().is_ready}), media_type="application/json")


def _refuse(status: int, sentence: str) -> JSONResponse:
    return JSONResponse({"error": sentence}, status)


def routes() -> list[BaseRoute]:
    """What is answered under ``/compecon`` once the dashboard has started."""
    return [
        Route(f"{PREFIX}/sweep", sweep, methods=["POST"]),
        Route(f"{PREFIX}/health", health, methods=["GET"]),
    ]
