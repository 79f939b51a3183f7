"""A dashboard to measure: started on a free port, stopped afterwards."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import final
from urllib.parse import urlencode

from compecon import children
from compecon.errors import CompeconError
from compecon.runs.home import VARIABLE

_STARTS_WITHIN_S = 60
_POLL_S = 0.01


@final
@dataclass(frozen=True)
class Dashboard:
    """A running server."""

    port: int  # where it listens
    started: float  # ``time.perf_counter()`` just before its process was started
    process: subprocess.Popen[bytes]  # the process
    log: Path  # file with what it printed

    def url(self, **query: str) -> str:
        """Address of the Attention page."""
        return f"http://127.0.0.1:{self.port}/" + (f"?{urlencode(query)}" if query else "")

    def wait_for(self, state: Callable[[Dashboard], bool]) -> float:
        """Return once it is in a state: `time.perf_counter()` then."""
        while not state(self):
            if self.process.poll() is not None or time.perf_counter() - self.started > _STARTS_WITHIN_S:
                said = self.log.read_text(encoding="utf-8", errors="replace")[-500:].strip()
                raise CompeconError(f"the dashboard did not start on port {self.port}. It said: {said or 'nothing'}")
            time.sleep(_POLL_S)
        return time.perf_counter()

    def listens(self) -> bool:
        """Whether a connection is accepted."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def is_ready(self) -> bool:
        """Whether a model answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/compecon/health", timeout=5) as answer:
                return bool(json.load(answer)["ready"])
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return False


@contextmanager
def dashboard(checkpoints: Path | None = None, home: Path | None = None) -> Iterator[Dashboard]:
    """Start the dashboard in a process of its own, with a folder of more checkpoints, and a home for its runs."""
    folder = [] if checkpoints is None else ["--checkpoints", str(checkpoints.resolve())]
    start = "from compecon.cli import main; main()"  # the console script's own line, whatever PATH is
    own_home = {} if home is None else {VARIABLE: str(home.resolve())}
    with serving(lambda port: ["-c", start, *folder, "--no-browser", "--port", str(port)], own_home) as server:
        yield server


@contextmanager
def serving(
    command: Callable[[int], Sequence[str]], variables: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Dashboard]:
    """Start a Python program that serves, on a free port and in a folder of its own, and wait until it listens.

    `command` gives the interpreter's arguments for a port.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="compecon-bench-") as scratch:
        log = Path(scratch) / "log.txt"
        with log.open("wb") as out:
            started = time.perf_counter()
            process = children.start(
                *command(port),
                folder=Path(scratch),
                variables=children.environment(variables),
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            server = Dashboard(port, started, process, log)
            try:
                server.wait_for(Dashboard.listens)
                yield server
            finally:
                _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
