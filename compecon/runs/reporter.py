"""What a worker writes while it works: its status, now and then, and each step."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from compecon.errors import RunError
from compecon.files.durable import Json, read_json, write_json
from compecon.runs.folder import BALLAST, CANCEL, METRICS, OUTCOME, STATUS
from compecon.runs.locks import Lock
from compecon.runs.metrics_file import MetricsFile
from compecon.runs.run_record import SCHEMA, RunState, Status

if TYPE_CHECKING:
    from compecon.callbacks import StepRecord

_EVERY_S = 0.5
_BEAT_S = 1.0
_LOOK_S = 5.0  # how busy the machine is, over so long
_AT_WORK = (RunState.STARTING, RunState.RUNNING)


@final
class Reporter:
    """The only writer of a run's status and metrics, in the process that holds the run's lock."""

    def __init__(self, folder: Path, lock: Lock) -> None:
        self.folder, self.lock = folder, lock
        self.was_signalled = False
        self._status = replace(_former(folder), pid=os.getpid(), host=socket.gethostname())
        self._metrics: MetricsFile | None = None
        self._spare = [
            os.open(os.devnull, os.O_RDONLY) for _ in range(2)
        ]  # to write the last status when no more files may be open
        self._began = self._written = time.monotonic()
        self._guard, self._ended = threading.RLock(), threading.Event()  # two threads write: the work and the heartbeat

    @property
    def status(self) -> Status:
        """The last status."""
        return self._status

    @property
    def is_unwanted(self) -> bool:
        """Whether to stop: on request, on a signal, or because the folder is no longer this worker's."""
        return self.was_signalled or (self.folder / CANCEL).exists() or not self.lock.is_in_place

    def set(self, state: RunState, reason: str = "", **parts: Any) -> None:
        """Report the run's state durably."""
        with self._guard:
            self._status = replace(self._status, state=state, reason=reason, **parts)
            self._write(durable=True)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Update the run's status while it works, however long a step takes."""
        thread = threading.Thread(target=self._beat, daemon=True, name="heartbeat")
        thread.start()
        try:
            yield
        finally:
            self._ended.set()

    def started(self, device: str) -> None:
        """The run has its slot: its clock begins, and its metrics can be written."""
        self._began = time.monotonic()
        self._metrics = MetricsFile(self.folder / METRICS)
        self._metrics.event(
            {"event": "attempt", "schema": SCHEMA, "attempt": self._status.attempt, "at": round(time.time(), 3)}
        )
        self.set(RunState.STARTING, "Loading libraries.", device=device, stage="", step=0, total=0, seconds=0.0)

    def begin(self, stage: str, steps: int) -> None:
        """A stage of so many steps begins."""
        self.set(RunState.RUNNING, "", stage=stage, step=0, total=steps, seconds=self._passed())

    def report(self, record: StepRecord) -> None:
        """Record a finished step."""
        self._require_place()
        values = {name: value for name, value in asdict(record).items() if name != "step"}
        self._file().step(self._status.stage, record.step, self._status.total, values)
        with self._guard:
            self._status = replace(self._status, step=record.step, seconds=self._passed())
        if time.monotonic() - self._written >= _EVERY_S:
            self._file().sync()
            self._write(durable=False)

    def saved(self, step: int) -> None:
        """Record a complete checkpoint of the training."""
        with self._guard:
            saved: dict[str, Json] = {"stage": self._status.stage, "step": step, "total": self._status.total}
            self._status = replace(self._status, saved=saved)
        self._write(durable=False)

    def note(self, event: Mapping[str, Any]) -> None:
        """Record an event."""
        self._file().event({**event, "at": round(time.time(), 3)})

    def say(self, text: str) -> None:
        """Report a sentence on what is being done."""
        with suppress(OSError, ValueError):  # a full disk under the log must not end the run
            print(text, file=sys.stderr, flush=True)  # noqa: T201 - the run's log
        if self._status.state is RunState.RUNNING:
            self.set(RunState.RUNNING, text[:300], seconds=self._passed())

    def end(self, state: RunState, reason: str, results: Mapping[str, Json] | None = None) -> None:
        """Write the last status, for which room was kept."""
        plain = json.loads(json.dumps(dict(results or {}), default=str), parse_constant=lambda _: None)
        with self._guard:
            self._ended.set()
            self._status = replace(
                self._status, state=state, reason=reason, seconds=self._passed(), results=plain, load={}
            )
        if not self.lock.is_in_place:
            return  # the folder was deleted or belongs to another worker
        while self._spare:
            os.close(self._spare.pop())
        with suppress(OSError):
            (self.folder / BALLAST).unlink()
        with suppress(OSError):
            if self._metrics is not None:
                self._metrics.sync()
        if state is RunState.SUCCEEDED:
            with suppress(OSError):  # stored twice, so that no damage to one loses the results
                write_json(self.folder / OUTCOME, self._status.as_json())
        write_json(self.folder / STATUS, self._status.as_json())

    def _beat(self) -> None:
        from compecon.runs.load import LoadMeter  # noqa: PLC0415 - not before there is anything to measure

        meter, looked = LoadMeter(), time.monotonic()
        while not self._ended.wait(_BEAT_S):
            with self._guard:
                if self._ended.is_set() or self._status.state not in _AT_WORK:
                    continue
                if time.monotonic() - looked >= _LOOK_S:
                    self._status, looked = replace(self._status, load=meter.read()), time.monotonic()
                self._status = replace(self._status, seconds=self._passed())
                with suppress(OSError, RunError):  # the work itself reports what is wrong
                    self._write(durable=False)

    def _file(self) -> MetricsFile:
        if self._metrics is None:
            self._metrics = MetricsFile(self.folder / METRICS)
        return self._metrics

    def _passed(self) -> float:
        return round(time.monotonic() - self._began, 3)

    def _require_place(self) -> None:
        if not self.lock.is_in_place:
            raise RunError(f"{self.folder} or its lock was deleted: this worker leaves it alone.")

    def _write(self, *, durable: bool) -> None:
        with self._guard:
            self._require_place()
            write_json(self.folder / STATUS, self._status.as_json(), durable=durable)
            self._written = time.monotonic()


def _former(folder: Path) -> Status:
    try:
        return Status.read(read_json(folder / STATUS, SCHEMA))
    except (OSError, RunError):  # damaged while it waited
        return Status()
