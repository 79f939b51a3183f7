"""A child that may hang or crash without harm: a process of its own with limits on time, memory and answers.

Time is processor time, counted after its imports: on a busy machine an honest child gets little of it through no fault
of its own. Memory is limited by the child itself where the system can (Linux), and watched from here everywhere. A
child that exceeded a limit is ended, and the next question starts another one.
"""

from __future__ import annotations

import subprocess
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self, final

import psutil

from compecon.children.messages import Message, MessageError, receive, send
from compecon.errors import ChildError

_LOOK_S = 0.05


@final
@dataclass(frozen=True)
class Limits:
    """Limits of a child."""

    cpu_s: float = 15.0  # processor time per answer, in seconds
    memory_bytes: int = 2 << 30  # memory beyond what it has after its imports
    answer_bytes: int = 256 << 20  # the longest answer
    wall_s: float = 900.0  # seconds after which the machine counts as too busy for an answer


@final
class LimitedProcess:
    """A child that answers questions, one at a time; started by the first one, and again after it has died.

    Args:
        start: Starts it, with pipes for its standard input and output. It first reports that its imports are done.
        limits: Its limits.
        greeting: Sent whenever it has started, before any question.
        afterwards: Called when it is no longer needed and has ended.
    """

    def __init__(
        self,
        start: Callable[[], subprocess.Popen[bytes]],
        limits: Limits,
        greeting: Message | None = None,
        afterwards: Callable[[], object] = lambda: None,
    ) -> None:
        self._start, self._limits, self._greeting = start, limits, greeting
        self._lock = threading.Lock()
        self._running: list[subprocess.Popen[bytes]] = []  # one or none; a list, so that the finalizer holds no self
        self._idle_bytes = 0
        weakref.finalize(self, _end_for_good, self._running, afterwards)

    def __deepcopy__(self, _memo: dict[int, Any]) -> Self:
        return self

    @property
    def pid(self) -> int | None:
        """The running process, if any."""
        return self._running[0].pid if self._running else None

    def close(self) -> None:
        """End the process; another question starts a new one."""
        with self._lock:
            _end(self._running)

    def ask(self, question: Message) -> Message:
        """The child's answer; a `ChildError`, if it died or broke a limit, continues "The child failed: ..."."""
        with self._lock:
            try:
                if not self._running or self._running[0].poll() is not None:
                    self._begin()
                answer = self._exchange(question)
            except BaseException:
                _end(self._running)
                raise
        if "error" in answer.body:
            raise ChildError(str(answer.body["error"])[:300])
        return answer

    def _begin(self) -> None:
        _end(self._running)
        self._running.append(self._start())
        self._exchange(None)  # its imports take as long as they take
        self._idle_bytes = _memory(self._running[0].pid)
        if self._greeting is not None and "error" in (answer := self._exchange(self._greeting)).body:
            raise ChildError(str(answer.body["error"])[:300])

    def _exchange(self, question: Message | None) -> Message:
        process = self._running[0]
        before, began = _cpu_seconds(process.pid), time.monotonic()
        answer: Future[Message] = Future()
        threading.Thread(target=self._talk, args=(process, question, answer), daemon=True).start()
        while not _has_come(answer):
            spent = _cpu_seconds(process.pid) - before
            if question is not None and spent > self._limits.cpu_s:
                raise ChildError(f"it took more than {self._limits.cpu_s:g} seconds of processor time")
            if question is not None and _memory(process.pid) - self._idle_bytes > self._limits.memory_bytes:
                raise ChildError(_too_much_memory(self._limits))
            if time.monotonic() - began > self._limits.wall_s:
                got = f"{spent:.1f} s of processor time in {self._limits.wall_s:g} s"
                raise ChildError(f"the machine is too busy ({got}); try again later")
        try:
            return answer.result()
        except (MessageError, OSError) as error:
            raise ChildError(self._cause_of_death(process, str(error))) from error

    def _talk(self, process: subprocess.Popen[bytes], question: Message | None, answer: Future[Message]) -> None:
        try:
            assert process.stdin is not None  # noqa: S101 - for the type checker
            assert process.stdout is not None  # noqa: S101 - likewise
            if question is not None:
                send(process.stdin, question)
            answer.set_result(receive(process.stdout, self._limits.answer_bytes))
        except Exception as error:  # noqa: BLE001 - it is raised where the answer is awaited
            answer.set_exception(error)

    def _cause_of_death(self, process: subprocess.Popen[bytes], said: str) -> str:
        try:
            code = process.wait(_LOOK_S * 20)
        except subprocess.TimeoutExpired:
            return said  # it lives, but its answer was not one
        if code in _OUT_OF_MEMORY:
            return _too_much_memory(self._limits)
        if code in _OUT_OF_TIME:
            return f"it took more than {self._limits.cpu_s:g} seconds of processor time"
        return f"it ended with code {code}"


_OUT_OF_MEMORY = frozenset({-6, -9, 3, 0xC0000409})  # Rust aborts, the kernel kills; Windows' abort, and its fast fail
_OUT_OF_TIME = frozenset({-24})  # SIGXCPU


def _too_much_memory(limits: Limits) -> str:
    return f"it needs more than {limits.memory_bytes / (1 << 30):.1f} GB of memory"


def _has_come(answer: Future[Message]) -> bool:
    try:
        answer.exception(_LOOK_S)
    except TimeoutError:
        return False
    return True


def _cpu_seconds(pid: int) -> float:
    try:
        return float(sum(psutil.Process(pid).cpu_times()[:2]))
    except psutil.Error:
        return 0.0


def _memory(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _end_for_good(running: list[subprocess.Popen[bytes]], afterwards: Callable[[], object]) -> None:
    _end(running)
    afterwards()


def _end(running: list[subprocess.Popen[bytes]]) -> None:
    while running:
        process = running.pop()
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except OSError:  # what was to be written is no longer needed
                    continue
