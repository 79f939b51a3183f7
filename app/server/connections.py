"""How long a visitor may keep a connection waiting, and how many connections there may be.

uvicorn waits forever for the rest of a request and for a reader of its answers, so a few hundred visitors who send half
a request use up all files that a process may open. Here each wait has an end, and where there are too many connections,
the one waited for longest is closed first, so that a new visitor is answered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, final

import uvicorn
from starlette.types import ASGIApp
from typing_extensions import override
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

from app.server.access import Access, network_of, plain_address

try:
    import resource
except ImportError:  # Windows, which has no such limit
    resource = None  # type: ignore[assignment]

VISITOR = "compecon_visitor"  # where a request's ``scope["state"]`` holds its Visitor
_LARGEST_BODY = 6_000_000  # bytes; no more than that earns time
_WARN_EVERY_S = 60.0
_LOG = logging.getLogger(__name__)


def _most() -> int:
    """Half of the files that this process may open, 512 at most: what is not a connection needs the rest."""
    allowed = 0 if resource is None else resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return min(512, allowed // 2) if allowed > 0 else 512


@final
@dataclass(frozen=True)
class Limits:
    """What a visitor may cost.

    Attributes:
        headers_s: Seconds until the headers of a request are complete.
        body_s: Seconds until its body is, and one more for every ``slowest`` bytes of it.
        unread_s: Seconds that an answer waits for its reader, and one more for every ``slowest`` bytes of it.
        slowest: Bytes a second.
        per_address: Connections of one visitor, as ``network_of`` tells them apart.
        in_all: Connections of all visitors.
        tick_s: Seconds between two looks at a connection.
    """

    headers_s: float = 10.0
    body_s: float = 20.0
    unread_s: float = 60.0
    slowest: int = 16_000
    per_address: int = 128
    in_all: int = field(default_factory=_most)
    tick_s: float = 1.0


@final
class Visitor:
    """The other end of a connection; the guard notes who has signed in."""

    def __init__(self) -> None:
        self.is_known = False


@final
class ServerConfig(uvicorn.Config):
    """uvicorn's settings for the dashboard, whatever the environment says of them."""

    def __init__(self, app: ASGIApp, access: Access, limits: Limits | None = None) -> None:
        super().__init__(
            app,
            http=HttpProtocol,
            ws=SocketProtocol,
            ws_ping_interval=30,
            ws_ping_timeout=30,
            ws_per_message_deflate=False,
            proxy_headers=bool(access.proxies),
            forwarded_allow_ips=sorted(access.proxies),
            workers=1,
            timeout_graceful_shutdown=10,
            use_colors=False,
            access_log=False,
            log_level="warning",
        )
        self.access, self.limits, self.warned_at = access, limits or Limits(), -_WARN_EVERY_S


class _Wait(NamedTuple):
    """What a connection is waited for; a new name begins a new wait."""

    name: tuple[str, int]
    seconds: float


@final
class _Watch:
    """Ends a connection that is waited for too long.

    It counts its own looks instead of reading a clock: while the machine is suspended, no one is late.
    """

    def __init__(self, transport: asyncio.Transport, tick_s: float, wait: Callable[[], _Wait | None]) -> None:
        self._transport, self._tick_s, self._wait = transport, tick_s, wait
        self._name: tuple[str, int] | None = None
        self._waited = self._allowed = 0.0
        self._loop = asyncio.get_running_loop()
        self._next = self._loop.call_later(tick_s, self._look)

    def _look(self) -> None:
        wait = self._wait()
        name = None if wait is None else wait.name
        if name != self._name:
            self._name, self._waited, self._allowed = name, 0.0, 0.0
        if wait is not None:
            self._waited += self._tick_s
            self._allowed = max(self._allowed, wait.seconds)
            if self._waited > self._allowed:
                self._transport.abort()
                return
        self._next = self._loop.call_later(self._tick_s, self._look)

    def stop(self) -> None:
        self._next.cancel()


@final
class HttpProtocol(H11Protocol):
    """uvicorn's protocol for a connection, with an end to every wait."""

    config: ServerConfig
    connections: set[Any]  # uvicorn's: every open connection of this server

    def __init__(
        self,
        config: ServerConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.visitor = Visitor()
        super().__init__(config, server_state, {**app_state, VISITOR: self.visitor}, _loop)
        self._received = self._answered = self._emptied = 0

    @override
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.client = _plain(self.client)
        self.network, self._since = network_of(self.client[0] if self.client else ""), self.loop.time()
        self._watch = _Watch(transport, self.config.limits.tick_s, self.wait)
        self._make_room()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.stop()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)

    @override
    def on_response_complete(self) -> None:
        self._received, self._answered = 0, self._answered + 1
        super().on_response_complete()

    @override
    def resume_writing(self) -> None:
        self._emptied += 1
        super().resume_writing()

    @override
    def handle_websocket_upgrade(self, event: Any) -> None:
        self._watch.stop()  # from here on this is a SocketProtocol's connection
        super().handle_websocket_upgrade(event)

    def wait(self) -> _Wait | None:
        """What the visitor has to do next, or None where it is the server's turn."""
        limits, state = self.config.limits, self.conn.their_state.__name__
        if self.transport.is_closing() or self.flow.write_paused:
            return _reader(self.transport, self._emptied, limits)
        if state == "IDLE":
            return _Wait(("headers", self._answered), limits.headers_s)
        if state == "SEND_BODY" and not self.flow.read_paused:
            earned = min(self._received, _LARGEST_BODY) / limits.slowest
            return _Wait(("body", self._answered), limits.body_s + earned)
        return None

    def _make_room(self) -> None:
        """Where there are too many connections, end the one whose visitor has been waited for longest."""
        limits, access = self.config.limits, self.config.access
        others = [one for one in self.connections if one is not self]
        crowd = [one for one in others if one.network == self.network]
        if len(crowd) < limits.per_address or access.is_proxy(self.client[0] if self.client else ""):
            if len(others) < limits.in_all:
                return
            crowd = others
        waiting = [one for one in crowd if isinstance(one, HttpProtocol) and one.wait() is not None]
        goes = min(waiting, key=lambda one: (one.visitor.is_known, one._since), default=self)
        if goes is self and self.loop.time() - self.config.warned_at >= _WARN_EVERY_S:
            self.config.warned_at = self.loop.time()
            _LOG.warning("Too many connections: %d from %s, %d in all.", len(crowd), self.network, len(others))
        self.connections.discard(goes)  # at once: more may come before it learns of its end
        goes.transport.abort()


@final
class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's protocol for a WebSocket. Pings find out who is gone; this finds out who does not read."""

    config: ServerConfig

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.client = _plain(self.client)
        self.network, self._emptied = network_of(self.client[0] if self.client else ""), 0
        self._watch = _Watch(self.transport, self.config.limits.tick_s, self._wait)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.stop()
        super().connection_lost(exc)

    @override
    def resume_writing(self) -> None:
        self._emptied += 1
        super().resume_writing()

    def _wait(self) -> _Wait | None:
        is_read = self.writable.is_set() and not self.transport.is_closing()
        return None if is_read else _reader(self.transport, self._emptied, self.config.limits)


def _reader(transport: asyncio.Transport, emptied: int, limits: Limits) -> _Wait:
    seconds = limits.unread_s + transport.get_write_buffer_size() / limits.slowest
    return _Wait(("reader", emptied), seconds)


def _plain(client: tuple[str, int] | None) -> tuple[str, int] | None:
    return client and (plain_address(client[0]), client[1])
