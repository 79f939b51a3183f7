"""What is known of a run: what was asked for, what its worker says, and what follows from both."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Self, final

from compecon.errors import RunError
from compecon.runs.files import Json

SCHEMA = 1
MAX_ORDER = 10**12  # as many digits as a ticket has
_ID = re.compile(r"[a-z0-9-]{8,40}\Z")
_MAX_TITLE = 200
_MAX_NUMBER = 10**15  # beyond that no count and no time is one


@final
class RunState(StrEnum):
    """Where a run is in its life."""

    QUEUED = "QUEUED"
    STARTING = "STARTING"
    RUNNING = "RUNNING"
    STOPPING = "STOPPING"  # asked to stop, not there yet; follows from the files and is never written
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    LOST = "LOST"  # its worker is gone without an end; written only by a worker that a signal ends

    @property
    def is_finished(self) -> bool:
        """Whether nothing will change unless someone starts it again."""
        return self in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED, RunState.LOST)

    @property
    def can_resume(self) -> bool:
        """Whether it can be started again."""
        return self in (RunState.FAILED, RunState.CANCELLED, RunState.LOST)


@final
@dataclass(frozen=True)
class RunSpec:
    """What to run: enough to run it again. Written once, by whoever submits it.

    Attributes:
        recipe: Name of a recipe.
        params: Its parameters, all of them.
        title: A line for people.
        sweep: The sweep it belongs to, or "".
        parent_run: The run it was made from by changing something, or "".
        queue: What it waits for a slot of: "cpu", "gpu", or "" for nothing.
        threads: Threads that it computes with; another number gives other roundings.
        executor: Who runs it: "local", or the name of another one.
        order: Runs are listed by this, not by a clock.
        created_at: Seconds since 1970, for people.
        versions: Of the libraries that it was submitted with.
        schema: Version of this description.
    """

    recipe: str
    params: Mapping[str, Json] = field(default_factory=dict)
    title: str = ""
    sweep: str = ""
    parent_run: str = ""
    queue: Literal["cpu", "gpu", ""] = "cpu"
    threads: int = 1
    executor: str = "local"
    order: int = 0
    created_at: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

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
        """A spec from a file.

        Raises:
            RunError: If a part is missing, unknown, or of another type.
        """
        if value.get("schema") != SCHEMA:
            raise RunError(f"spec.json is of version {value.get('schema')!r}, this compecon reads {SCHEMA}.")
        read: Self = _read(cls, value, "spec.json")
        return read

    @property
    def digest(self) -> str:
        """Changes with every part of it."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


@final
@dataclass(frozen=True)
class Status:
    """What the worker of a run says of it. Written by whoever holds the run's lock, and by nobody else.

    Attributes:
        state: Where it is.
        reason: Why, one sentence; may be empty.
        attempt: How often it was started.
        stage: What is being done.
        step: Steps of the stage that are done.
        total: Steps of the stage; 0 while unknown.
        seconds: Time of this attempt since it had its slot.
        pid: Process of the worker; 0 before it has begun.
        host: Name of its machine.
        device: What it runs on.
        results: What came of it.
        spec_sha256: Digest of the spec that it was first started with.
    """

    state: RunState = RunState.QUEUED
    reason: str = ""
    attempt: int = 1
    stage: str = ""
    step: int = 0
    total: int = 0
    seconds: float = 0.0
    pid: int = 0
    host: str = ""
    device: str = ""
    results: Mapping[str, Json] = field(default_factory=dict)
    spec_sha256: str = ""

    @classmethod
    def read(cls, value: Mapping[str, Any]) -> Self:
        """A status from a file.

        Raises:
            RunError: If a part is unknown or of another type.
        """
        if value.get("state") not in list(RunState):
            raise RunError(f"status.json is damaged: there is no state {value.get('state')!r}.")
        read: Self = _read(cls, {**value, "state": RunState(value["state"])}, "status.json")
        return read


@final
@dataclass(frozen=True)
class RunRecord:
    """A run as it was when it was read.

    Attributes:
        run_id: Its name.
        folder: Its folder.
        spec: What was asked for.
        status: What its worker said last.
        state: Where it is, judged by its lock too.
        reason: Why, one sentence; may be empty.
        is_stalled: Whether its process lives and stands still.
    """

    run_id: str
    folder: Path
    spec: RunSpec
    status: Status
    state: RunState
    reason: str
    is_stalled: bool = False

    @property
    def title(self) -> str:
        """A line for people."""
        return self.spec.title or self.run_id

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint that came of it, if one did."""
        path = self.folder / "result" / self.run_id
        return path if self.state is RunState.SUCCEEDED and (path / "config.json").is_file() else None


def checked_id(run_id: str) -> str:
    """A run's name, which becomes a folder's.

    Raises:
        RunError: If it cannot be one.
    """
    if not _ID.match(run_id):
        raise RunError(f"a run's name has 8 to 40 of a-z, 0-9 and -, got {run_id[:60]!r}.")
    return run_id


def _read(kind: Any, value: Mapping[str, Any], name: str) -> Any:
    """A dataclass of plain values from JSON; every type is looked at, because anybody may have changed the file."""
    expected = {each.name: each.type for each in fields(kind)}
    if unknown := sorted(set(value) - set(expected)):
        raise RunError(f"{name} has an entry {unknown[0]!r} that no version of it has.")
    for key, given in value.items():
        if not _fits(given, str(expected[key])):
            raise RunError(f"{name} is damaged: {key} is {str(given)[:60]!r}.")
    try:
        return kind(**value)
    except TypeError as error:
        raise RunError(f"{name} is incomplete: {error}.") from error


def _fits(given: Any, declared: str) -> bool:
    if declared.startswith("Mapping"):
        return isinstance(given, dict) and (
            "str, str" not in declared or all(isinstance(v, str) for v in given.values())
        )
    if declared == "int":
        return type(given) is int and abs(given) < _MAX_NUMBER
    if declared == "float":
        return type(given) in (int, float) and abs(given) < _MAX_NUMBER  # neither inf nor nan
    return isinstance(given, str)
