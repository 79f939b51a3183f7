"""Before it serves: host, port, what it says, and the configuration."""

from __future__ import annotations

import asyncio
import socket
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.config import get_option
from streamlit.web.bootstrap import load_config_options

from app.server import serve as server
from app.server.access import Access
from app.server.front import Dashboard
from app.server.serve import _configuration, serve
from compecon.errors import CompeconError
from compecon.paths import dashboard_root

TOKEN = "correct-horse-battery"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class NotStarted:
    """Stands for the server: remembers what it was asked to serve, and where, and does not."""

    def __init__(self) -> None:
        self.access = Access()
        self.bound = self.url = ""
        self.dashboard: Dashboard | None = None

    def run(self, access: Access, listener: socket.socket, build: Callable[[], Dashboard], url: str) -> None:
        self.access, self.url, self.bound = access, url, listener.getsockname()[0]
        self.dashboard = build()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[NotStarted]:
    served = NotStarted()
    monkeypatch.setattr(server, "run", served.run)
    monkeypatch.setenv("BROWSER", "true")
    monkeypatch.chdir(".")  # where it goes back to afterwards
    yield served
    load_config_options({})


def said(port: int, **settings: Any) -> str:
    lines: list[str] = []
    serve(port=port, open_browser=True, say=lines.append, **settings)
    return "\n".join(lines)


# ---- host and port


def test_a_port_in_use_is_one_sentence_with_a_way_out(taken_port: int) -> None:
    with pytest.raises(CompeconError, match=f"Port {taken_port} is in use.*--port {taken_port + 1}"):
        serve(port=taken_port, open_browser=False, say=print)


def test_a_host_that_is_another_machines_is_refused(free_port: int) -> None:
    with pytest.raises(CompeconError, match=r"--host 203\.0\.113\.9 is not an address of this machine"):
        serve(port=free_port, open_browser=False, say=print, host="203.0.113.9", token=TOKEN)


def test_a_name_that_nobody_knows_is_refused(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(CompeconError, match="--host box is not an address of this machine"):
        serve(port=free_port, open_browser=False, say=print, host="box", token=TOKEN)


def test_a_port_of_the_system_is_refused_in_words(free_port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket, "create_server", forbidden)
    with pytest.raises(CompeconError, match=r"--port 8501"):
        serve(port=free_port, open_browser=False, say=print)


def test_nothing_is_served_to_others_without_a_token(free_port: int, asked: NotStarted) -> None:
    with pytest.raises(CompeconError, match="token"):
        said(free_port, host="0.0.0.0")  # noqa: S104 - what is refused
    assert not asked.bound


# ---- what is asked of the server


@pytest.mark.parametrize(
    ("host", "bound", "shown"),
    [
        ("127.0.0.1", "127.0.0.1", "http://localhost:{}"),
        ("localhost", "127.0.0.1", "http://localhost:{}"),
        ("127.0.0.2", "127.0.0.2", "http://127.0.0.2:{}"),
    ],
)
def test_a_loopback_host_is_listened_on(free_port: int, asked: NotStarted, host: str, bound: str, shown: str) -> None:
    assert said(free_port, host=host) == f"compecon is on {shown.format(free_port)} (Ctrl+C stops it)"
    assert asked.bound == get_option("server.address") == bound
    assert asked.access.token == ""
    assert set(get_option("server.allowedHosts")) == asked.access.hosts == {"localhost", "127.0.0.1", "::1", host}


def test_a_token_that_was_set_is_not_printed(free_port: int, asked: NotStarted) -> None:
    text = said(free_port, token=TOKEN)
    assert "asks for the token" in text
    assert TOKEN not in text
    assert asked.access.token == TOKEN


def test_a_token_that_was_made_is_printed_in_the_address(free_port: int, asked: NotStarted) -> None:
    text = said(free_port, token="auto")
    assert text == f"compecon is on http://localhost:{free_port}/?token={asked.access.token} (Ctrl+C stops it)"
    assert len(asked.access.token) >= 32


@pytest.mark.usefixtures("asked")
def test_on_every_address_it_says_what_is_missing(free_port: int) -> None:
    text = said(free_port, host="0.0.0.0", token=TOKEN)  # noqa: S104 - what is tested
    assert "not encrypted" in text
    assert "localhost only" in text
    assert "--allow-host NAME" in text
    named = said(free_port, host="0.0.0.0", token=TOKEN, allow_hosts=["box.lan"])  # noqa: S104 - what is tested
    assert f"http://box.lan:{free_port}" in named
    assert "--allow-host" not in named
    assert "box.lan" in get_option("server.allowedHosts")


# ---- the browser


def test_the_browser_is_opened(free_port: int, asked: NotStarted) -> None:
    said(free_port)
    assert asked.url == f"http://localhost:{free_port}"


def test_no_browser_is_opened_with_a_token_which_a_list_of_processes_would_show(
    free_port: int, asked: NotStarted
) -> None:
    said(free_port, token="auto")
    assert asked.url == ""


def test_no_browser_is_opened_without_a_screen(
    free_port: int, asked: NotStarted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    said(free_port)
    assert asked.url == ""


# ---- the configuration


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
    assert flat["server.enableAgentApi"] is False
    assert flat["client.showErrorDetails"] == "type"
    assert set(flat["server.allowedHosts"]) == {"localhost", "127.0.0.1"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("server.enableCORS", True), ("server.enableXsrfProtection", True), ("server.corsAllowedOrigins", []),
        ("server.baseUrlPath", ""), ("server.scriptHealthCheckEnabled", False),
    ],
)  # fmt: skip
def test_what_guards_does_not_depend_on_the_users_own_configuration(name: str, value: Any) -> None:
    assert _configuration(dashboard_root())[name] == value


def test_the_configuration_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert _configuration(dashboard_root())["server.address"] == "127.0.0.1"


def test_streamlit_starts_where_its_configuration_is_and_a_page_where_the_command_was_given(
    free_port: int, asked: NotStarted, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    said(free_port)
    assert Path.cwd() == dashboard_root()
    assert asked.dashboard is not None
    _, running = asked.dashboard

    async def start() -> None:
        async with running:
            assert Path.cwd() == tmp_path

    asyncio.run(start())
