"""What answers first: it listens before Streamlit is imported, and hands on what only Streamlit can answer.

Importing Streamlit takes longer than all that the first picture needs. So it happens in a thread, while pages, their
files and recordings are answered from here; every other request waits until the dashboard has started.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import final

from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.server.plain_files import is_from_here, plain_files

FAREWELL_S = 10.0  # for open pages to learn that the dashboard cannot start
FAILED = "The dashboard could not start. See the terminal for details."
_SWITCH_S = 0.001  # how long the import may keep an answer waiting; Python's own 5 ms add up over 60 files
_LOG = logging.getLogger(__name__)


Dashboard = tuple[ASGIApp, AbstractAsyncContextManager[None]]  # what answers, and what starts and stops it


@final
class Front:
    """Answers early routes and plain files at once, and everything else once the dashboard has started.

    Args:
        early: Routes that need no Streamlit.
        build: Makes the dashboard; runs in a thread.
        listening: Called once requests are answered.
        give_up: Called some seconds after it could not start.
    """

    def __init__(
        self,
        early: Sequence[BaseRoute],
        build: Callable[[], Dashboard],
        *,
        listening: Callable[[], None] = lambda: None,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._router = Router(early, redirect_slashes=False, default=self._later, lifespan=self._lifespan)
        self._build, self._listening, self._give_up = build, listening, give_up
        self._dashboard: ASGIApp | None = None
        self._files = plain_files()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or start and stop."""
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and scope["path"] in self._files:
            answer = await self._files[scope["path"]].answer(scope)
            await answer(scope, receive, send)
        else:
            await self._router(scope, receive, send)

    @property
    def failed(self) -> bool:
        """Whether the dashboard could not start."""
        return self._decided.is_set() and self._dashboard is None

    @asynccontextmanager
    async def _lifespan(self, _app: object) -> AsyncIterator[None]:
        self._decided, self._stopping = asyncio.Event(), asyncio.Event()
        running = asyncio.create_task(self._run())
        self._listening()
        yield
        self._stopping.set()
        await running

    async def _run(self) -> None:
        """Start the dashboard, keep it until the server stops, stop it."""
        try:
            dashboard, running = await asyncio.to_thread(self._imported)
            async with running:
                self._dashboard = dashboard
                self._decided.set()
                await self._stopping.wait()
        except Exception:  # noqa: BLE001 - whatever stops it, the page says so
            if self._stopping.is_set():  # nobody waits for it any more, and half of what it needs has ended
                return
            _LOG.exception("The dashboard could not start.")
            asyncio.get_running_loop().call_later(FAREWELL_S, self._give_up)
        finally:
            self._decided.set()

    def _imported(self) -> Dashboard:
        usual = sys.getswitchinterval()
        sys.setswitchinterval(_SWITCH_S)
        try:
            return self._build()
        finally:
            sys.setswitchinterval(usual)

    async def _later(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._decided.wait()
        if scope["type"] == "http" and is_from_here(scope):  # Streamlit packs what it answers, streams of numbers too
            scope = {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"accept-encoding"]}
        if self._dashboard is not None:
            await self._dashboard(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1011, "reason": FAILED})
        else:
            await PlainTextResponse(FAILED, 503)(scope, receive, send)
