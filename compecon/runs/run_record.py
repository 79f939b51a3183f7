"""What is known of a run: its spec, its worker's status, and what follows from both."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self, final

from compecon.errors import NewerError, RunError
from compecon.files.durable import Json
from compecon.files.schema import check_schema
from compecon.runs.parts import read_parts, written_parts

SCHEMA = 1
MAX_ORDER = 10**12  # as many digits as a ticket has
_ID = re.compile(r"[a-z0-9-]{8,40}\Z")
_STATE = re.compile(r"[A-Z][A-Z_]{2,29}\Z")
_MAX_TITLE = 200
BACKGROUND, NORMAL = "background", "normal"
PRIORITIES = (BACKGROUND, NORMAL)


@final
class RunState(StrEnum):
    """Where a run is in its life."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"  # asked to stop; follows from the files and is never written
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"  # its worker disappeared; written only by a worker that a signal ends
    NEWER = "NEWER"  # its files are a newer compecon's; follows from the files and is never written

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change unless someone starts it again, or a newer compecon does."""
        return self not in (RunState.QUEUED, RunState.STARTING, RunState.RUNNING, RunState.STOPPING)

    @property
    def can_resume(self) -> bool:
        """Whether it can be started again."""
        return self in (RunState.FAILED, RunState.CANCELLED, RunState.LOST)


_WRITTEN = frozenset(RunState) - {RunState.NEWER}


@final
@dataclass(frozen=True)
class RunSpec:
    """What to run: enough to run it again. Written once, on submission."""

    recipe: str
    params: Mapping[str, Json] = field(default_factory=dict)  # its parameters, all of them
    title: str = ""  # a line for people
    sweep: str = ""  # the sweep it belongs to, or ""
    parent_run: str = ""  # the run whose settings were changed to make it, or ""
    queue: Literal["cpu", "gpu", ""] = "cpu"  # the device that it waits for: "cpu", "gpu", or "" for none
    threads: int = 1  # threads to compute with; another number gives other roundings
    executor: str = "local"  # "local", or the name of another executor
    order: int = 0  # position in lists, independent of clocks
    created_at: float = 0.0  # seconds since 1970, for people
    versions: Mapping[str, str] = field(default_factory=dict)  # of the libraries that it was submitted with
    priority: str = BACKGROUND  # CPU priority on a busy machine: "background" or "normal"
    more: Mapping[str, Json] = field(default_factory=dict)  # entries of its file that only a newer compecon knows

    def __post_init__(self) -> None:
        if self.queue not in ("cpu", "gpu", ""):
            raise RunError(f"queue must be cpu, gpu or empty, got {self.queue!r}.")
        if not 1 <= self.threads <= 1024:
            raise RunError(f"threads must be in [1, 1024], got {self.threads}.")
        if len(self.title) > _MAX_TITLE:
            raise RunError(f"a title has at most {_MAX_TITLE} characters, got {len(self.title)}.")
        if not 0 <= self.order < MAX_ORDER:
            raise RunError(f"order must be in [0, {MAX_ORDER}), got {self.order}.")

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """A spec from a file."""
        return read_parts(cls, value, "spec.json", SCHEMA)

    def as_json(self) -> dict[str, Any]:
        """Content of its file. Fields added later are left out at their defaults, so that older compecons read it."""
        return written_parts(self, SCHEMA, later=("priority",))

    @property
    def digest(self) -> str:
        """Hash of all of it."""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()


@final
@dataclass(frozen=True)
class Status:
    """What the worker of a run reports. Written only by the process that holds the run's lock."""

    state: RunState = RunState.QUEUED  # where it is
    reason: str = ""  # why, one sentence; may be empty
    attempt: int = 1  # how often it was started
    stage: str = ""  # what is being done
    step: int = 0  # finished steps of the stage
    total: int = 0  # steps of the stage; 0 while unknown
    seconds: float = 0.0  # time of this attempt since it got its slot
    pid: int = 0  # process of the worker; 0 before it has begun
    host: str = ""  # name of its machine
    device: str = ""  # what it runs on
    results: Mapping[str, Json] = field(default_factory=dict)
    spec_sha256: str = ""  # digest of the spec that it was first started with
    # the last checkpoint of its training: "stage", "step" and "total"; empty before the first
    saved: Mapping[str, Json] = field(default_factory=dict)
    # how busy the machine is, see `compecon.runs.load`; empty where unknown
    load: Mapping[str, Json] = field(default_factory=dict)
    earlier_seconds: float = 0.0  # time of earlier attempts
    more: Mapping[str, Json] = field(default_factory=dict)  # entries of its file that only a newer compecon knows

    @property
    def all_seconds(self) -> float:
        """Time of all attempts, each since it got its slot."""
        return self.earlier_seconds + self.seconds

    @classmethod
    def read(cls, value: Mapping[str, Any], name: str = "status.json") -> Self:
        """A status from a file. A state that only a newer compecon knows raises `NewerError`."""
        check_schema(value, SCHEMA, name, error=RunError)
        state = value.get("state")
        if not isinstance(state, str) or not _STATE.match(state):
            raise RunError(f"{name} is damaged: {str(state)[:60]!r} is not a state.")
        if state not in _WRITTEN:
            raise NewerError(f"{name} has the state {state}, which only a newer compecon knows. Update compecon.")
        return read_parts(cls, {**value, "state": RunState(state)}, name, SCHEMA)

    def as_json(self) -> dict[str, Any]:
        """Content of its file."""
        return written_parts(self, SCHEMA, later=("earlier_seconds",))

    def again(self, attempt: int) -> Self:
        """The status while it waits for another start: what was saved stays."""
        return type(self)(
            attempt=attempt,
            spec_sha256=self.spec_sha256,
            saved=self.saved,
            earlier_seconds=self.all_seconds,
            more=self.more,
        )


@final
@dataclass(frozen=True)
class RunRecord:
    """A run as it was when it was read."""

    run_id: str
    folder: Path
    spec: RunSpec  # what was submitted
    status: Status  # what its worker reported last
    state: RunState  # where it is, judged by its lock too
    reason: str  # why, one sentence; may be empty
    is_stalled: bool = False  # whether its process is alive and halted
    heard_at: float = 0.0  # when its worker wrote last, in seconds since 1970; 0 if unknown

    @property
    def title(self) -> str:
        """A line for people."""
        return self.spec.title or self.run_id

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint that it made, if any."""
        path = self.folder / "result" / self.run_id
        return path if self.state is RunState.SUCCEEDED and (path / "config.json").is_file() else None

    def require_known(self) -> None:
        """Refuse to change a run that a newer compecon wrote."""
        if self.state is RunState.NEWER:
            raise NewerError(f"{self.run_id} is left alone: {self.reason}")


def is_id(name: str) -> bool:
    """Whether a text can be a run's name."""
    return _ID.match(name) is not None


def checked_id(run_id: str) -> str:
    """A valid run's name, which is also a folder's."""
    if not is_id(run_id):
        raise RunError(f"a run's name has 8 to 40 of a-z, 0-9 and -, got {run_id[:60]!r}.")
    return run_id
