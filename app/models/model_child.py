"""A process of models: reads questions from standard input and answers on standard output until its input ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, final

import psutil

from app.models.engine import Engine
from app.models.latency_job import LatencyJob
from app.models.prepare import AnyJob
from app.models.sweep_job import SweepJob
from app.models.wire import BEAT_S, NEWS, STUCK, answer
from compecon.files.safe_reader import parse_object

_FIRST_TO_GO = "500"  # of 1,000: if memory runs out, the system ends this process and not the server
_SHARE = 0.9  # of the machine's memory


def main() -> None:
    """Answer until the server ends or closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the server's
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what libraries print must not get between the answers
    _offer_itself()
    child = _Child(channel)
    threading.Thread(target=child.beat, daemon=True).start()
    answers: dict[str, Callable[[int, dict[str, Any]], None]] = {
        SweepJob.ASK: partial(child.submit, SweepJob), LatencyJob.ASK: partial(child.submit, LatencyJob),
        "cancel": child.cancel, "load": child.load, "unload": child.unload,
    }  # fmt: skip
    for line in sys.stdin.buffer:
        asked = parse_object(line, "A question")
        answers[asked["ask"]](asked["id"], asked)
    os._exit(0)  # whatever its threads are doing


@final
class _Child:
    """Answers each kind of question; none keeps the next one waiting."""

    def __init__(self, channel: IO[bytes]) -> None:
        self._channel, self._lock = channel, threading.Lock()
        self._engine = Engine(give_up=lambda: os._exit(1))
        self._dropped: dict[int, threading.Event] = {}
        self._is_warm = threading.Event()  # before that, imports may hold the interpreter as long as a disk takes

    def submit(self, kind: type[AnyJob], number: int, asked: dict[str, Any]) -> None:
        dropped = self._dropped[number] = threading.Event()

        def send(data: bytes | None) -> None:
            self._say(number, data or b"")
            if data is None:
                self._dropped.pop(number, None)

        self._engine.submit(kind.of(asked["job"]), send, lambda: not dropped.is_set())

    def cancel(self, number: int, _asked: dict[str, Any]) -> None:
        if (dropped := self._dropped.get(number)) is not None:
            dropped.set()

    def load(self, _number: int, asked: dict[str, Any]) -> None:
        threading.Thread(target=self._load, args=(asked["checkpoint"],), daemon=True).start()

    def _load(self, checkpoint: str) -> None:
        self._engine.warm_up(checkpoint)
        self._say(NEWS, json.dumps({"devices": _devices()}).encode())
        self._is_warm.set()

    def beat(self) -> None:
        """Say now and then that this process lives; end it once a step takes longer than it can."""
        while True:
            time.sleep(BEAT_S)
            if self._engine.watchdog.bites():
                os._exit(STUCK)
            if self._is_warm.is_set():
                self._say(NEWS, json.dumps({"alive": True}).encode())

    def unload(self, number: int, _asked: dict[str, Any]) -> None:
        threading.Thread(target=self._unload, args=(number,), daemon=True).start()

    def _unload(self, number: int) -> None:
        self._say(number, str(self._engine.unload()).encode())
        self._say(number, b"")

    def _say(self, number: int, data: bytes) -> None:
        try:
            with self._lock:
                self._channel.writelines([answer(number, data)])
                self._channel.flush()
        except OSError:
            os._exit(0)  # the server is gone


def _offer_itself() -> None:
    with suppress(OSError):  # Linux only
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_GO, encoding="ascii")


def _devices() -> list[str]:
    """What models can be moved to, the best first; nothing if torch cannot be imported.

    Without CUDA, which maps more than there is, memory is limited: a failed allocation is an error that a page can
    show, a machine that swaps is not.
    """
    try:
        import torch  # noqa: PLC0415 - it is there by now
    except ImportError:
        return []
    if torch.cuda.is_available():
        return ["cuda", "cpu"]
    with suppress(ImportError, AttributeError, ValueError, OSError):
        import resource  # noqa: PLC0415 - not on Windows

        most = int(_SHARE * psutil.virtual_memory().total)
        resource.setrlimit(resource.RLIMIT_DATA, (most, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    return ["mps", "cpu"] if torch.backends.mps.is_available() else ["cpu"]
