"""The server and its process of models end together, whenever and however they are told to, and say nothing."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
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
    server = subprocess.Popen(
        [sys.executable, "-c", START, "--no-browser", "--port", str(free_port())],
        cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    assert server.stdout is not None
    assert b"compecon is on" in server.stdout.readline()
    while not (models := psutil.Process(server.pid).children()):
        assert server.poll() is None
    psutil.wait_procs([psutil.Process(server.pid)], timeout=after_s)
    if is_stopped:
        models[0].suspend()
    os.killpg(server.pid, sign)  # as a terminal does
    said, _ = server.communicate(timeout=60)
    _, alive = psutil.wait_procs(models, timeout=30)
    for each in alive:
        each.kill()
    assert (alive, said.strip()) == ([], b"")
