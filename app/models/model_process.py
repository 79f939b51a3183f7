"""The server's side of a process of models: asks, hands on what it answers, and starts it again when it has died."""

from __future__ import annotations

import itertools
import logging
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, final

from app.models.pulse import SILENT_S, Pulse
from app.models.wire import BEAT_S, NEWS, STUCK, answers, question
from compecon import children
from compecon.files.safe_reader import parse_object
from compecon.paths import dashboard_root

_LOG = logging.getLogger(__name__)
_FEW_HEAPS = {"MALLOC_ARENA_MAX": "2"}  # glibc gives each thread a heap of its own, and keeps what was freed in it
_PROGRAM = "import runpy, sys; runpy.run_path(sys.argv[1]); from app.models.model_child import main; main()"
_ENDS_WITHIN_S = 5.0
_KILLED = -9  # by SIGKILL, as the system ends what uses too much memory
Send = Callable[[bytes | None], None]  # takes each part of an answer, then None; called from another thread


def start_child() -> subprocess.Popen[bytes]:
    """A new process of models."""
    folder = dashboard_root() / "app"
    return children.start(
        "-c",
        _PROGRAM,
        str(folder / "launch.py"),
        folder=folder,
        variables=children.environment(_FEW_HEAPS),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl+C in a terminal is the server's
    )


@final
class ModelProcess:
    """One process of models. Safe to call from any thread; nothing here waits for it.

    Attributes:
        is_ready: Whether it has done its imports and loaded what it was to load in advance.
        devices: What this machine has, the best first; empty until it has done its imports.

    Args:
        start: Starts it; `start_child` if not given.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]] | None = None) -> None:
        self._start, self._first = start or start_child, ""
        self._lock = threading.Lock()
        self._numbers = itertools.count(NEWS + 1)
        self._open: dict[int, Send] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._threads: tuple[threading.Thread, ...] = ()
        self._is_closed = self._has_lived = False
        self.is_ready, self.devices, self._n_loading = False, tuple[str, ...](), 0

    def begin(self, checkpoint: str = "") -> None:
        """Start it, unless it runs, and let it load a checkpoint as its first, once."""
        with self._lock:
            is_new, self._first = bool(checkpoint) and not self._first, self._first or checkpoint
            if self._process is None:
                self._ensure()
            elif is_new:
                self._load()

    def ask(self, what: str, send: Send, **fields: Any) -> Callable[[], None]:
        """Ask; returns what takes the question back."""
        with self._lock:
            number = next(self._numbers)
            self._open[number] = send
            if self._ensure():
                self._lines.put(question(number, what, **fields))
                return lambda: self._cancel(number)
            self._open.pop(number)
        send(_error("The process that runs the models cannot be started. See the terminal for details."))
        send(None)
        return lambda: None

    def close(self) -> None:
        """End it for good, and wait until those who asked have heard of it and its pipes are closed."""
        with self._lock:
            self._is_closed = True
            if self._process is not None:
                self._process.kill()
        for thread in self._threads:
            thread.join(_ENDS_WITHIN_S)

    @property
    def pid(self) -> int | None:
        """The process, if it runs."""
        return self._process.pid if self._process else None

    def _cancel(self, number: int) -> None:
        with self._lock:
            if number in self._open:
                self._lines.put(question(number, "cancel"))

    def _ensure(self) -> bool:
        """Make sure that it runs; False if it cannot be started. The caller holds the lock."""
        if self._process is not None:
            return True
        if self._is_closed:
            return False
        try:
            process = self._start()
        except OSError:
            _LOG.exception("The process that runs the models cannot be started.")
            return False
        self._process, self._lines = process, queue.SimpleQueue()
        self._n_loading = 0
        self._load()
        self._threads = (
            threading.Thread(target=_write, args=(process, self._lines), daemon=True),
            threading.Thread(target=self._read, args=(process, self._lines), daemon=True),
        )
        for thread in self._threads:
            thread.start()
        return True

    def _load(self) -> None:
        self._n_loading, self.is_ready = self._n_loading + 1, False
        self._lines.put(question(NEWS, "load", checkpoint=self._first))

    def _read(self, process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
        assert process.stdout is not None  # noqa: S101 - for the type checker
        pulse, ended = Pulse(), threading.Event()
        threading.Thread(target=_guard, args=(process, pulse, ended), daemon=True).start()
        for number, data in answers(process.stdout):
            if number == NEWS:
                self._hear(parse_object(data, "News"), pulse)
                continue
            with self._lock:
                send = self._open.get(number) if data else self._open.pop(number, None)
            if send is not None:
                send(data or None)
        lines.put(None)
        ended.set()
        self._bury(process)

    def _hear(self, news: Mapping[str, Any], pulse: Pulse) -> None:
        if "alive" in news:
            pulse.beat()
        if "devices" in news:
            with self._lock:
                self.devices, self._n_loading = tuple(news["devices"]), self._n_loading - 1
                self.is_ready, self._has_lived = self._n_loading == 0, True

    def _bury(self, process: subprocess.Popen[bytes]) -> None:
        """It has died: say so to all who waited, and start it again if it had come to life."""
        process.kill()
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        with self._lock:
            lost, self._open = self._open, {}
            again, self._process = self._has_lived and not self._is_closed, None
            self.is_ready = self._has_lived = False
            if again:
                self._ensure()
        if not self._is_closed:
            _LOG.warning("The process that runs the models ended (%s). Requests lost: %d.", _why(code), len(lost))
        for send in lost.values():
            send(
                _error(
                    f"The process that runs the models ended ({_why(code)}), and this request was lost with it. "
                    "Reload the page to ask again, or change the text.",
                    again=True,
                )
            )
            send(None)


def _write(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
    """Questions in their order; in a thread, because a process that imports torch reads late."""
    assert process.stdin is not None  # noqa: S101 - for the type checker
    with suppress(OSError):  # it has died, which its reader finds out
        while (line := lines.get()) is not None:
            process.stdin.writelines([line])
            process.stdin.flush()
    with suppress(OSError):
        process.stdin.close()


def _guard(process: subprocess.Popen[bytes], pulse: Pulse, ended: threading.Event) -> None:
    """End a process that is silent for too long: something in it holds the interpreter for ever."""
    while not ended.wait(BEAT_S):
        if pulse.is_lost():
            _LOG.warning("The process that runs the models gave no sign of life for %d s.", SILENT_S)
            process.kill()
            return


def _why(code: int) -> str:
    if code == STUCK:
        return "it was stuck"
    if code == _KILLED:
        return "killed, perhaps for lack of memory or because it was stuck"
    return f"signal {-code}" if code < 0 else f"code {code}"


def _error(sentence: str, *, again: bool = False) -> bytes:
    from compecon.views.attention.frames import Message, encode  # noqa: PLC0415 - NumPy: not before the first picture

    return encode(Message("error", {"error": sentence, "again": again}))
