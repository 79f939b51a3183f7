"""A job server that speaks as Ray's does and runs its jobs as children: what a cluster may do, at will."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil


class JobServer(ThreadingHTTPServer):
    """Serves on a port of its own; what it was asked is in `asked`, with headers in lower case."""

    daemon_threads = True

    def __init__(self, logs: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.logs = logs
        self.jobs: dict[str, dict[str, Any]] = {}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.stopped: set[str] = set()
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self.has_room = True
        self.guard = threading.Lock()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def forget(self) -> None:
        """Lose every job while its process runs on, as the head does when it is started again."""
        with self.guard:
            self.jobs.clear()

    def submit(self, job: dict[str, Any]) -> bool:
        name = job["submission_id"]
        with self.guard:
            if name in self.jobs:
                return False
            self.jobs[name] = job
        if self.has_room:
            self.place(name)
        return True

    def place(self, name: str) -> None:
        job = self.jobs[name]
        with (self.logs / f"{name}.log").open("wb") as log:
            self.processes[name] = subprocess.Popen(  # noqa: S602 - as Ray does
                job["entrypoint"],
                shell=True,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **job["runtime_env"]["env_vars"]},
                start_new_session=True,
            )

    def status(self, name: str) -> str:
        if name not in self.processes:
            return "PENDING"
        code = self.processes[name].poll()
        if code is None:
            return "RUNNING"
        return "STOPPED" if name in self.stopped else "FAILED" if code else "SUCCEEDED"

    def stop(self, name: str) -> None:
        self.stopped.add(name)
        process = self.processes.get(name)
        if process is not None and process.poll() is None:
            threading.Thread(target=self._end, args=(process,), daemon=True).start()

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """Ray signals the shell and what it has started, and kills what is left of them after a while."""
        ending = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        for each in ending:
            with suppress(psutil.NoSuchProcess):
                each.terminate()
        for each in psutil.wait_procs(ending, timeout=1.0)[1]:
            with suppress(psutil.NoSuchProcess):
                each.kill()

    def end_all(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class _Handler(BaseHTTPRequestHandler):
    server: JobServer

    def do_GET(self) -> None:
        self._note()
        if self.path == "/api/version":
            self._answer(200, {"ray_version": "0"})
        elif self.path == "/api/jobs/":
            named = list(self.server.jobs)
            self._answer(200, [{"submission_id": name, "status": self.server.status(name)} for name in named])
        else:
            self._answer(404, "no such job")

    def do_POST(self) -> None:
        self._note()
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.path.strip("/").split("/")[2] if self.path != "/api/jobs/" else ""
        if not name:
            taken = self.server.submit(json.loads(raw))
            self._answer(200 if taken else 500, {} if taken else "Traceback\nValueError: already exists")
        elif name in self.server.jobs:
            self.server.stop(name)
            self._answer(200, {"stopped": True})
        else:
            self._answer(404, "no such job")

    def _note(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.asked.append((self.command, self.path, headers))

    def _answer(self, status: int, value: Any) -> None:
        raw = value.encode() if isinstance(value, str) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: Any) -> None:
        return


@contextmanager
def serving(logs: Path) -> Iterator[JobServer]:
    """A server, and an end of everything that it has started."""
    server = JobServer(logs)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        server.end_all()
