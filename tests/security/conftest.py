"""The guard around a small application, and the real server in a process of its own, asked over plain sockets.

A socket says what it likes: a test decides on every header, as an attacker would.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import connect

from app.server.access import Access
from app.server.guard import Guard

ROOT = Path(__file__).resolve().parents[2]
START_S = 60
OURS = "localhost:8501"
TOKEN = "correct-horse-battery"
SECRET = "hf_SecretThatMustNotLeaveTheServer"
HEADERS = (
    "content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy",
    "referrer-policy", "x-content-type-options", "x-frame-options",
)  # fmt: skip


# ---- the guard alone


async def _say_hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def _fail(_request: Request) -> PlainTextResponse:
    raise RuntimeError(SECRET)


async def _open(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture
def guarded() -> Iterator[Callable[..., TestClient]]:
    """A client of an application that would answer everybody: ``guarded(Access(...))``."""
    clients = []

    def make(access: Access | None = None, base_url: str = "http://localhost:8501") -> TestClient:
        anything = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]
        routes = [
            WebSocketRoute("/_stcore/stream", _open),
            Route("/fail", _fail),
            Route("/{path:path}", _say_hello, methods=anything),
        ]
        client = TestClient(
            Guard(Starlette(routes=routes), access or Access()),
            base_url=base_url,
            raise_server_exceptions=False,
            follow_redirects=False,
        )
        clients.append(client)
        return client

    yield make
    for client in clients:
        client.close()


def handshake(client: TestClient, path: str = "/_stcore/stream", **headers: str) -> int:
    """101 if the WebSocket opens, else the status of the refusal, which must carry the security headers."""
    named = {"host": OURS, **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        with client.websocket_connect(f"ws://{OURS}{path}", headers=named) as opened:
            assert opened.receive_text() == "hello"
            return 101
    except WebSocketDenialResponse as refused:
        status = refused.status_code
        bare = [name for name in HEADERS if name not in refused.headers]
    assert not bare, "a refusal without its headers"
    return status


# ---- the real server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()


@dataclass(frozen=True)
class Server:
    """A running dashboard."""

    port: int
    log: Path
    address: str = "127.0.0.1"

    @property
    def host(self) -> str:
        return f"localhost:{self.port}"

    def ask(
        self, path: str = "/", method: str = "GET", *, host: str | None = None, body: bytes = b"", **headers: str
    ) -> Answer:
        """Send exactly these headers (``sec_fetch_site`` for ``Sec-Fetch-Site``) and read the whole answer."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if body:
            named["Content-Length"] = str(len(body))
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host if host is None else host}", "Connection: close"]
        if "upgrade" in named:
            lines.remove("Connection: close")
        lines += [f"{name}: {value}" for name, value in named.items()]
        with socket.create_connection((self.address, self.port), timeout=30) as connection:
            connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            response = http.client.HTTPResponse(connection, method=method)
            response.begin()
            content = b"" if response.status == 101 else response.read()
            cookies = tuple(response.headers.get_all("set-cookie") or ())
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content, cookies)

    def shake_hands(self, path: str = "/_stcore/stream", **headers: str) -> Answer:
        """Ask for a WebSocket."""
        asked = {"upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": "streamlit"}
        return self.ask(path, **asked, **key, **headers)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(check: Callable[[], Any], what: str, seconds: float = START_S) -> Any:
    """The first true answer of a check of another process, or a failure that says what was awaited."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(OSError, http.client.HTTPException):
            if found := check():
                return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for: {what}")


@contextmanager
def running(
    folder: Path, program: str, *arguments: str, address: str = "127.0.0.1", start: Path = ROOT, **environment: str
) -> Iterator[Server]:
    """A dashboard served by a Python program that starts in a folder, until the end of the block."""
    port, log = free_port(), folder / "server.log"
    everything = {
        **os.environ, "COMPECON_THREADS": "1", "COMPECON_CHECKPOINTS": "", "HF_HUB_CACHE": str(folder / "no-cache"),
        "COMPECON_HOME": str(folder / "home"), "HF_TOKEN": SECRET, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT),
        **environment,
    }  # fmt: skip
    command = [sys.executable, "-P", "-c", program, "--no-browser", "--port", str(port), *arguments]
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=start, env=everything, stdout=out, stderr=subprocess.STDOUT)
    server = Server(port, log, address)

    def answers() -> bool:
        assert process.poll() is None, f"The dashboard did not start:\n{log.read_text()}"
        return server.ask("/_stcore/health").status > 0

    try:
        eventually(answers, "the dashboard to answer")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def messages(server: Server, query: str = "") -> Iterator[bytes]:
    """What a page gets to see of one run of the script."""
    with connect(
        f"ws://localhost:{server.port}/_stcore/stream",
        origin=f"http://localhost:{server.port}",  # type: ignore[arg-type]
        subprotocols=["streamlit"],  # type: ignore[list-item]
        proxy=None,
    ) as session:
        session.send(BackMsg(rerun_script={"query_string": query}).SerializeToString())
        while True:
            data = session.recv(timeout=60)
            assert isinstance(data, bytes)
            yield data
            if ForwardMsg.FromString(data).WhichOneof("type") == "script_finished":
                return


CLI = "from compecon.cli import main; main()"


@pytest.fixture(scope="session")
def open_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard as ``compecon`` starts it: on this machine, without a token."""
    with running(tmp_path_factory.mktemp("open"), CLI) as server:
        yield server


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The dashboard with a token, listening on every address, asked for as box.test."""
    arguments = ("--host", "0.0.0.0", "--allow-host", "box.test")  # noqa: S104 - what is tested
    with running(tmp_path_factory.mktemp("shared"), CLI, *arguments, COMPECON_TOKEN=TOKEN) as server:
        yield server


@pytest.fixture(scope="session")
def cookie(shared_server: Server) -> str:
    """What a browser sends back to the shared server after signing in."""
    answer = shared_server.ask(f"/?token={TOKEN}")
    assert answer.status == 303
    return re.match(r"[^;]+", answer.cookies[0])[0]  # type: ignore[index]
