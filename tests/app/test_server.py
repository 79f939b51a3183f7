"""Before it serves: the port and the configuration."""

from __future__ import annotations

import socket
import tomllib
from collections.abc import Iterator

import pytest

from app.server import _configuration, serve
from compecon.errors import CompeconError
from compecon.paths import dashboard_root


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_in_use_is_one_sentence_with_a_way_out(taken_port: int) -> None:
    with pytest.raises(CompeconError, match=f"Port {taken_port} is in use.*--port {taken_port + 1}"):
        serve(port=taken_port, open_browser=False, say=print)


def test_the_configuration_is_the_repositorys_own_with_dotted_names() -> None:
    flat = _configuration(dashboard_root())
    table = tomllib.loads((dashboard_root() / ".streamlit" / "config.toml").read_text())
    assert flat["server.address"] == table["server"]["address"] == "127.0.0.1"
    assert flat["theme.dark.backgroundColor"] == table["theme"]["dark"]["backgroundColor"]
    assert not any(isinstance(value, dict) for value in flat.values())


def test_the_server_listens_here_and_tells_nobody() -> None:
    flat = _configuration(dashboard_root())
    assert flat["browser.gatherUsageStats"] is False
    assert flat["server.enableStaticServing"] is False
    assert set(flat["server.allowedHosts"]) == {"localhost", "127.0.0.1"}
