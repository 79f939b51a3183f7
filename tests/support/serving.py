"""A small guarded application, served on loopback as the dashboard is, in a thread of the test's own process."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.server.access import Access
from app.server.connections import Limits, ServerConfig
from app.server.guard import Guard

CHUNK = bytes(200_000)


async def _echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def _much(_request: Request) -> Response:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(500):
            yield CHUNK

    return StreamingResponse(chunks())


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    try:
        await socket.receive_text()
        for _ in range(500):
            await socket.send_bytes(CHUNK)
    except WebSocketDisconnect:
        pass


@dataclass
class Serving:
    """A running server."""

    port: int
    server: uvicorn.Server

    def connect(self, said: str | bytes = b"", source: str = "127.0.0.1") -> socket.socket:
        """A connection on which something was said; ``{host}`` stands for the server's name."""
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=60, source_address=(source, 0))
        text = said.replace("{host}", f"localhost:{self.port}").encode() if isinstance(said, str) else said
        opened.sendall(text)
        return opened

    def ask(self, target: str = "/", *headers: str, source: str = "127.0.0.1") -> str:
        """The whole answer to one request."""
        lines = "\r\n".join([f"GET {target} HTTP/1.1", "Host: {host}", "Connection: close", *headers, "", ""])
        with self.connect(lines, source) as opened:
            return read_to_the_end(opened).decode("latin-1")

    def status(self, target: str = "/", *headers: str, source: str = "127.0.0.1") -> int:
        return int(self.ask(target, *headers, source=source).split()[1])

    @property
    def n_open(self) -> int:
        return len(self.server.server_state.connections)


def read_to_the_end(opened: socket.socket) -> bytes:
    """What comes until the server hangs up, in whatever manner."""
    data = bytearray()
    try:
        while chunk := opened.recv(65_536):
            data += chunk
    except ConnectionResetError:
        pass
    return bytes(data)


@contextmanager
def serving(access: Access | None = None, limits: Limits | None = None) -> Iterator[Serving]:
    """Serve until the end of the block."""
    access = access or Access()
    routes = [
        Route("/much", _much),
        WebSocketRoute("/_stcore/stream", _socket),
        Route("/{path:path}", _echo, methods=["GET", "POST"]),
    ]
    server = uvicorn.Server(ServerConfig(Guard(Starlette(routes=routes), access), access, limits))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            yield Serving(listener.getsockname()[1], server)
        finally:
            server.should_exit = True
            thread.join(60)
    assert not thread.is_alive(), "the server does not stop"


def until(condition: object, seconds: float = 60) -> None:
    """Wait for another thread."""
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
