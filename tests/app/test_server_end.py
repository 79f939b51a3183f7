"""The server and its process of models end together, whenever and however they are told to, and say nothing."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.fault, pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")]
START = "from compecon.cli import main; main()"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("after_s", [0.2, 1.0, 4.0])
@pytest.mark.parametrize("is_stopped", [False, True], ids=["", "models stopped"])
def test_both_processes_end_silently(tmp_path: Path, sign: signal.Signals, after_s: float, is_stopped: bool) -> None:
    if is_stopped and sign == signal.SIGKILL:
        pytest.skip("a stopped process cannot find out that its parent has died")
    server, models = started(tmp_path, free_port())
    pause(server, after_s)
    if is_stopped:
        models[0].suspend()
    os.killpg(server.pid, sign)  # as a terminal does
    assert end_of(server, models) == ([], b"")


@pytest.mark.parametrize("between_s", [0.05, 0.4])
@pytest.mark.parametrize("after_s", [0.1, 1.0, 4.0])
def test_who_presses_ctrl_c_twice_gets_the_same_end(tmp_path: Path, after_s: float, between_s: float) -> None:
    server, models = started(tmp_path, free_port())
    pause(server, after_s)
    os.killpg(server.pid, signal.SIGINT)
    pause(server, between_s)
    with suppress(ProcessLookupError):  # it has ended already
        os.killpg(server.pid, signal.SIGINT)
    assert end_of(server, models) == ([], b"")
    assert server.returncode in (0, 130)  # it may have ended in order before the second


def test_a_second_ctrl_c_cuts_off_who_is_still_answered(tmp_path: Path) -> None:
    port = free_port()
    server, models = started(tmp_path, port)
    pause(server, 1)
    models[0].suspend()  # so that the answer does not end
    headers = {"X-Compecon-Token": token_on(port), "Content-Type": "application/json"}
    body = json.dumps({"checkpoint": "sentiment", "device": "cpu", "text": "A text."})
    visitor = http.client.HTTPConnection("127.0.0.1", port)
    visitor.request("POST", "/compecon/sweep", body, headers)
    pause(server, 3)  # the dashboard has started and answers
    os.killpg(server.pid, signal.SIGINT)
    pause(server, 0.05)  # two at once are one
    os.killpg(server.pid, signal.SIGINT)
    assert end_of(server, models) == ([], b"")
    visitor.close()


def token_on(port: int) -> str:
    """The page's secret."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        found = re.search(r"&quot;token&quot;: &quot;([^&]+)&quot;", answer.read().decode())
    assert found is not None
    return found[1]


def started(folder: Path, port: int) -> tuple[subprocess.Popen[bytes], list[psutil.Process]]:
    """A server that listens, and its processes of models."""
    server = subprocess.Popen(
        [sys.executable, "-c", START, "--no-browser", "--port", str(port)],
        cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert b"compecon is on" in server.stdout.readline()
    while not (models := psutil.Process(server.pid).children()):
        assert server.poll() is None
    return server, models


def pause(server: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait, or until the server has ended."""
    with suppress(psutil.NoSuchProcess):
        psutil.wait_procs([psutil.Process(server.pid)], timeout=seconds)


def end_of(server: subprocess.Popen[bytes], models: list[psutil.Process]) -> tuple[list[psutil.Process], bytes]:
    """Processes that outlive the server, and what it said."""
    said, _ = server.communicate(timeout=60)
    _, alive = psutil.wait_procs(models, timeout=30)
    for each in alive:
        each.kill()
    return alive, said.strip()
