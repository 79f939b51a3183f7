"""A Ray head on this machine, for as long as it is needed."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from compecon.errors import RunError
from compecon.runs.executors.ray_jobs import JobServer
from tests.support.runs import until


@contextmanager
def ray_head() -> Iterator[str]:
    """The address of its job server. It listens on every network, whatever it is told, so it always has a token."""
    folder = tempfile.mkdtemp(prefix="cc-", dir="/tmp")  # names of sockets in it may have 107 letters
    address = f"http://127.0.0.1:{_free_port()}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(24))
        patch.setenv("RAY_raylet_start_wait_time_s", "120")  # a busy machine needs more than the usual 30
        process = subprocess.Popen(_command(folder, address), start_new_session=True, stdout=subprocess.DEVNULL)
        try:
            until(lambda: _takes_jobs(address, process), 120.0)
            yield address
        finally:
            _end(process.pid)
            process.wait()
            shutil.rmtree(folder, ignore_errors=True)


def _command(folder: str, address: str) -> list[str]:
    options = {"port": "0", "dashboard-host": "127.0.0.1", "dashboard-port": address.rpartition(":")[2]}
    options |= {"node-ip-address": "127.0.0.1", "num-cpus": "2", "temp-dir": folder}
    told = [f"--{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--block", "--disable-usage-stats", *told]


def _takes_jobs(address: str, process: subprocess.Popen[bytes]) -> bool:
    """Its job server answers some seconds before there is anything that could run a job."""
    assert process.poll() is None, "Ray's head did not start"
    try:
        JobServer(address).submit({"entrypoint": "echo", "submission_id": "first"})
    except RunError:
        return False
    return True


def _end(session: int) -> None:
    """End what the head has started: all that is in its session, or was when it was looked at."""
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) == session:
                process.send_signal(signal.SIGKILL)
        except (psutil.Error, ProcessLookupError, PermissionError):
            continue


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
