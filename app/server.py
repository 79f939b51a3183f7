"""Starts the dashboard: Streamlit's server with our routes, our guard and the repository's own configuration."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from app.guard import middleware
from app.routes import routes
from compecon.errors import CompeconError
from compecon.paths import dashboard_root


def serve(*, port: int, open_browser: bool, say: Callable[[str], None]) -> None:
    """Serve on 127.0.0.1 until interrupted.

    Args:
        port: A free port.
        open_browser: Whether to open the page in the default browser.
        say: Is told the address.

    Raises:
        CompeconError: If the port is taken.
    """
    _check_port(port)
    say(f"compecon is on http://localhost:{port} (Ctrl+C stops it)")
    root = dashboard_root()
    app = st.App(root / "app" / "streamlit_app.py", routes=routes(), middleware=middleware())
    app.run(config={**_configuration(root), "server.port": port, "server.headless": not open_browser})


def _configuration(root: Path) -> dict[str, Any]:
    """``.streamlit/config.toml`` of the dashboard, whatever the working directory is."""
    return _flat(tomllib.loads((root / ".streamlit" / "config.toml").read_text(encoding="utf-8")))


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for name, value in table.items():
        out.update(_flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value})
    return out


def _check_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CompeconError(
                f"Port {port} is in use. Stop the other program or choose another port: compecon --port {port + 1}."
            ) from error
