"""The options of ``compecon`` and ``compecon serve`` that say who may come in."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

import app.server.serve
from compecon.cli import main
from tests.security.conftest import TOKEN

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the server was asked to do, instead of doing it."""
    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(app.server.serve, "serve", lambda **settings: calls.append(settings))
    return calls


@pytest.fixture
def compecon(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process: its exit code and what it said on stderr."""
    monkeypatch.setenv("COMPECON_CHECKPOINTS", "")
    monkeypatch.setenv("COMPECON_TOKEN", "")
    monkeypatch.setattr(sys, "path", sys.path[:])

    def run(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["compecon", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), capsys.readouterr().err

    return run


COMMANDS = pytest.mark.parametrize("command", [(), ("serve",)], ids=["plain", "serve"])


@COMMANDS
def test_without_options_it_is_for_this_machine_alone(
    compecon: Run, served: list[dict[str, Any]], command: tuple[str, ...]
) -> None:
    assert compecon(*command)[0] == 0
    asked = [(c["host"], c["token"], list(c["allow_hosts"]), list(c["trust_proxies"])) for c in served]
    assert asked == [("127.0.0.1", None, [], [])]


@COMMANDS
def test_the_options_reach_the_server(compecon: Run, served: list[dict[str, Any]], command: tuple[str, ...]) -> None:
    given = ("--host", "box.lan", "--token", "auto", "--allow-host", "a.lan", "--allow-host", "b.lan")
    proxies = ("--trust-proxy", "10.0.0.7", "--trust-proxy", "10.1.0.0/24")
    assert compecon(*command, *given, *proxies)[0] == 0
    assert [(c["host"], c["token"], list(c["allow_hosts"]), list(c["trust_proxies"])) for c in served] == [
        ("box.lan", "auto", ["a.lan", "b.lan"], ["10.0.0.7", "10.1.0.0/24"])
    ]


@COMMANDS
def test_a_token_of_the_environment_is_used_and_left_to_no_child(
    compecon: Run, served: list[dict[str, Any]], command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPECON_TOKEN", TOKEN)
    assert compecon(*command)[0] == 0
    assert served[0]["token"] == TOKEN
    assert "COMPECON_TOKEN" not in os.environ


def test_a_token_on_the_command_line_comes_first(
    compecon: Run, served: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPECON_TOKEN", TOKEN)
    compecon("--token", "auto")
    assert served[0]["token"] == "auto"
    assert "COMPECON_TOKEN" not in os.environ


@COMMANDS
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.7", "box.lan"])  # noqa: S104 - what is refused
def test_another_host_without_a_token_is_one_sentence(compecon: Run, command: tuple[str, ...], host: str) -> None:
    code, err = compecon(*command, "--host", host)
    assert code == 1
    assert err.startswith(f"compecon: --host {host} ")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("token", ["short", ""])
def test_a_short_token_is_one_sentence(compecon: Run, token: str) -> None:
    code, err = compecon("--token", token)
    assert code == 1
    assert "16 to 200 characters" in err
    assert len(err.splitlines()) == 1
