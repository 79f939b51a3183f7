"""Addresses of ours that need more than files: sweeps and timings as streams of bytes, and whether a model is ready."""

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

from app.models.latency_job import LatencyJob
from app.models.model_processes import models
from app.models.sweep_job import SweepJob
from app.server.addresses import PREFIX
from app.server.guard import is_from_our_page
from app.server.resources import checkpoints
from app.state.values import MOST
from compecon.attention.policies import POLICIES
from compecon.views.attention.request import problem_with
from compecon.views.attention.traces import DEFAULT_POLICY

MAX_BODY = 1_000_000
_BYTES = "application/octet-stream"


class TextBody(BaseModel):
    """A text and what is to read it, from the page, checked field by field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    checkpoint: Annotated[str, Field(max_length=1000)]
    device: Annotated[str, Field(pattern="^(auto|cpu|cuda|mps)$")]
    text: Annotated[str, Field(max_length=100_000)]
    pair: Annotated[str, Field(max_length=100_000)] = ""
    client: Annotated[str, Field(max_length=40)] = ""


class SweepBody(TextBody):
    """A sweep request."""

    policy: str = DEFAULT_POLICY
    layer: Annotated[int, Field(ge=0, le=MOST)] = 0  # beyond the last one is the last one
    head: Annotated[int, Field(ge=0, le=MOST)] = 0
    budgets: Annotated[list[Annotated[int, Field(ge=1, le=100_000)]], Field(max_length=64)] = []
    first: Annotated[int, Field(ge=1, le=100_000)] | None = None
    size: Annotated[float, Field(gt=0, le=1)] | None = None


async def sweep(request: Request) -> Response:
    """Compute one text at every budget; the answer streams while it is computed."""
    return await _answer(request, SweepBody, SweepJob)


async def latency(request: Request) -> Response:
    """Time one text at every size of an elastic checkpoint; the answer streams while it is measured."""
    return await _answer(request, TextBody, LatencyJob)


async def _answer(request: Request, checks: type[TextBody], job: type[SweepJob | LatencyJob]) -> Response:
    if not is_from_our_page(request):
        return _refuse(403, "Only the dashboard's own pages may use this address.")
    try:
        body = checks.model_validate_json(await _body(request))
    except ValidationError as error:
        first = error.errors()[0]
        return _refuse(422, f"The request was refused: {'.'.join(map(str, first['loc']))}: {first['msg']}.")
    except (ValueError, ClientDisconnect) as error:
        return _refuse(413, str(error))
    entry, fields = checkpoints().get(body.checkpoint), body.model_dump(exclude={"client"})
    if entry is None or fields.get("policy", DEFAULT_POLICY) not in POLICIES:
        return _refuse(404, "That checkpoint or policy is no longer available. Reload the page.")
    if problem := problem_with(entry, body.text, body.pair):
        return _refuse(422, problem)
    if entry.origin != "bundled":  # models live in a process with another current folder
        fields["checkpoint"] = str(Path(body.checkpoint).absolute())
    return StreamingResponse(_listen(job.of(fields), body.client), media_type=_BYTES)


async def _body(request: Request) -> bytes:
    data = bytearray()
    async for chunk in request.stream():
        data += chunk
        if len(data) > MAX_BODY:
            raise ValueError("The request is larger than 1 MB. Shorten the text.")
    return bytes(data)


async def _listen(job: SweepJob | LatencyJob, client: str) -> AsyncIterator[bytes]:
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
        Route(f"{PREFIX}/latency", latency, methods=["POST"]),
        Route(f"{PREFIX}/health", health, methods=["GET"]),
    ]
