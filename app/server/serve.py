"""Starts the dashboard: our guard, what answers first, and Streamlit with our routes and our configuration."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import threading
import tomllib
import webbrowser
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any, final

import uvicorn
from typing_extensions import override

from app.models.model_processes import models
from app.server.access import MAKE_TOKEN, Access, checked_host, grant, is_loopback, is_wildcard
from app.server.connections import ServerConfig
from app.server.early_routes import early_routes
from app.server.front import Dashboard, Front
from app.server.guard import Guard
from compecon.errors import CompeconError
from compecon.paths import dashboard_root


def serve(  # noqa: PLR0913 - what the command line says, by name
    *,
    port: int,
    open_browser: bool,
    say: Callable[[str], None],
    host: str = "127.0.0.1",
    token: str | None = None,
    allow_hosts: Sequence[str] = (),
    trust_proxies: Sequence[str] = (),
) -> None:
    """Serve until interrupted.

    Args:
        port: A free port.
        open_browser: Whether to open the page in the default browser; never with a token, which a command line shows.
        say: Called with the address, and with a token that was generated.
        host: Name or address to listen on. Anything but this machine's loopback needs a token.
        token: What visitors must know, "auto" for a new one, or None.
        allow_hosts: More names under which visitors may ask for the server.
        trust_proxies: Addresses or networks of proxies that say for whom they ask.

    Raises:
        CompeconError: If the port is taken, the host is not this machine's, or others could come in without a token.
    """
    host = checked_host(host)
    access = grant(host, token, allow_hosts, trust_proxies)
    with _listening(host, port) as listener:
        url = _url(host, port, access)
        say(_greeting(url, host, access, is_new=token == MAKE_TOKEN))
        opens = open_browser and not access.token and _has_screen()
        address = listener.getsockname()[:2]  # later it may be closed
        run(access, listener, lambda: dashboard(access, address), url if opens else "")


def run(access: Access, listener: socket.socket, build: Callable[[], Dashboard], url: str = "") -> None:
    """Serve on a socket until interrupted.

    Args:
        access: Who may talk to the server.
        listener: Where it listens.
        build: Makes what is not answered early.
        url: Page to open in the default browser, or "".

    Raises:
        CompeconError: If the dashboard does not start.
    """

    def built() -> Dashboard:
        made = build()
        server.config.configure_logging()  # importing Streamlit gives uvicorn's loggers levels and handlers of its own
        return made

    def give_up() -> None:
        server.should_exit = True

    def listening() -> None:
        models().warm_up()
        if url:  # in a thread: some browsers keep their caller waiting
            threading.Thread(target=webbrowser.open, args=(url,), daemon=True).start()

    front = Front(early_routes(), built, listening=listening, give_up=give_up)
    server = _Server(ServerConfig(Guard(front, access), access))
    server.run(sockets=[listener])
    if not server.started or front.failed:
        raise CompeconError("The server did not start. See the lines above.")


@final
class _Server(uvicorn.Server):
    """Ends what models compute before it waits for those who listen to it; a second Ctrl+C spares the waiting."""

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        if self.force_exit:  # a second Ctrl+C: visitors are cut off, and what that breaks has nothing to say
            logging.disable()

    @override
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        models().close()
        await super().shutdown(sockets)
        if self.force_exit:  # uvicorn then spares the dashboard its end as well
            await self.lifespan.shutdown()


def dashboard(access: Access, address: tuple[str, int]) -> Dashboard:
    """Streamlit's application with our routes; importing it takes longer than answering the first page.

    Args:
        access: Who may talk to the server.
        address: Host and port that it is served on.
    """
    sys.modules["plotly"] = None  # type: ignore[assignment]  # else Streamlit imports it at once: see plotly_figures
    import streamlit as st  # noqa: PLC0415
    from streamlit.components.v2 import manifest_scanner  # noqa: PLC0415
    from streamlit.web.bootstrap import load_config_options  # noqa: PLC0415

    del sys.modules["plotly"]
    # Of every installed package it would read the metadata, in the event loop: an eighth of a second in which nobody is
    # answered, for components that no page has.
    manifest_scanner.scan_component_manifests = lambda *_: []

    from app.server.routes import routes  # noqa: PLC0415

    root, folder = dashboard_root(), Path.cwd()

    # Streamlit obeys a .streamlit in the current folder, and makes environment variables of the secrets in it: it must
    # not see the one where somebody has put checkpoints.
    os.chdir(root)
    app = st.App(root / "app" / "streamlit_app.py", routes=routes())
    load_config_options(
        {
            **_configuration(root),
            "server.address": address[0],
            "server.port": address[1],
            "server.allowedHosts": sorted(access.hosts),
            "server.headless": True,  # Streamlit opens no browser for an app of this kind
        }
    )

    @asynccontextmanager
    async def running() -> AsyncIterator[None]:
        async with app.lifespan()(app):
            os.chdir(folder)  # paths on a page are relative to it
            yield

    return app, running()


def _has_screen() -> bool:
    """Without one, the browser that the system names may be a text browser that takes over the terminal."""
    return not sys.platform.startswith("linux") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")))


def _greeting(url: str, host: str, access: Access, *, is_new: bool) -> str:
    lines = [f"compecon is on {url}{f'/?token={access.token}' if is_new else ''} (Ctrl+C stops it)"]
    if access.token and not is_new:
        lines.append("It asks for the token you set.")
    if access.token and not is_loopback(host):
        lines.append(
            "The connection is not encrypted: use an SSH tunnel or a proxy with TLS on networks you don't trust."
        )
    if is_wildcard(host) and all(map(is_loopback, access.hosts)):
        lines.append(
            "It answers requests for localhost only. For other host names of this machine, add --allow-host NAME."
        )
    return "\n".join(lines)


def _url(host: str, port: int, access: Access) -> str:
    others = sorted(name for name in access.hosts if not is_loopback(name))
    name = "localhost" if host == "127.0.0.1" else host
    if is_wildcard(host):
        name = others[0] if others else "localhost"
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def _configuration(root: Path) -> dict[str, Any]:
    """``.streamlit/config.toml`` of the dashboard, whatever the working directory is."""
    return _flat(tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8")))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in table.items():
        out.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return out


def _listening(host: str, port: int) -> socket.socket:
    """A socket that listens on the address behind a host."""
    # localhost may be ::1 first; everything local, from the benchmarks to SSH tunnels, expects 127.0.0.1
    name = "127.0.0.1" if host == "localhost" else host
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
        family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
        return _bound(family, address)
    except OSError as error:
        raise CompeconError(_why_not(host, port, error)) from error


def _bound(family: socket.AddressFamily, address: Any) -> socket.socket:
    both = family == socket.AF_INET6 and socket.has_dualstack_ipv6()  # behind :: visitors of IPv4 too
    return socket.create_server(address[:2], family=family, dualstack_ipv6=both)


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use. Stop the other program or choose another port: compecon --port {port + 1}."
    if isinstance(error, PermissionError):
        return f"This account may not use port {port}. Choose one above 1023: compecon --port 8501."
    return f"--host {host} is not an address of this machine ({error}). Use one that is, or omit the option."
