"""The folder that holds all runs of this user."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from compecon.errors import NewerError, RunError
from compecon.files.durable import Json, read_json, write_json
from compecon.runs.locks import Lock
from compecon.runs.run_record import BACKGROUND, MAX_ORDER, PRIORITIES, SCHEMA

VARIABLE = "COMPECON_HOME"
SETTINGS, NUMBER = "settings.json", "number.json"
_MAX_SLOTS = 256


@final
@dataclass(frozen=True)
class Home:
    """Folder of the runs, their trash, queues, sweeps and settings; created when something is first written."""

    root: Path

    @classmethod
    def default(cls) -> Self:
        """The folder of the environment variable ``COMPECON_HOME``, or of this user."""
        if given := os.environ.get(VARIABLE):
            return cls(Path(given).expanduser().absolute())
        import platformdirs  # noqa: PLC0415 - a worker gets its folder and does not need it

        return cls(platformdirs.user_data_path("compecon"))

    @property
    def runs(self) -> Path:
        """A folder for each run."""
        return self.root / "runs"

    @property
    def trash(self) -> Path:
        """Deleted runs."""
        return self.root / "trash"

    @property
    def queues(self) -> Path:
        """Tickets and slots."""
        return self.root / "queues"

    @property
    def sweeps(self) -> Path:
        """A file for each sweep."""
        return self.root / "sweeps"

    @property
    def measurements(self) -> Path:
        """Stored evaluations and statistics of checkpoints."""
        return self.root / "measurements"

    @property
    def streams(self) -> Path:
        """Measured streams for the Allocation page."""
        return self.root / "streams"

    def made(self) -> Self:
        """The same, with its folders created and writable."""
        with system_errors(f"Runs cannot be stored in {self.root}", f" Set {VARIABLE} to a writable folder."):
            for folder in (self.runs, self.trash, self.queues, self.sweeps):
                folder.mkdir(parents=True, exist_ok=True)
                if not os.access(folder, os.W_OK):
                    raise PermissionError(errno.EACCES, "it is not writable")
        return self

    def next_number(self) -> int:
        """A number larger than every one before it, whatever the clock says."""
        path, guard = self.root / NUMBER, self.root / "number.lock"
        with system_errors(f"{guard} cannot be opened"):
            lock = Lock.taken(guard, patience_s=10.0)
        if lock is None:
            raise RunError(f"{guard} has been held for 10 s: the machine is too busy, or a process hangs. Try again.")
        with lock, system_errors(f"{path} cannot be written"):
            number = _number(path) + 1
            write_json(path, {**_held(path), "last": number}, durable=False)
        return number

    @property
    def slots(self) -> Mapping[str, int]:
        """Configured number of concurrent runs by device, "cpu" or "gpu"."""
        given = self._settings.get("slots")
        if not isinstance(given, dict):
            return {}
        return {name: n for name, n in given.items() if type(n) is int and 0 < n <= _MAX_SLOTS}

    def set_slots(self, device: str, number: int) -> None:
        """Set how many runs, 1 to 256, use a kind of device at a time; runs that wait notice later."""
        if device not in ("cpu", "gpu") or not 1 <= number <= _MAX_SLOTS:
            raise ValueError(f"slots are a number in [1, {_MAX_SLOTS}] for cpu or gpu, got {device}={number}.")
        self._set("slots", {**self.slots, device: number})

    @property
    def priority(self) -> str:
        """Priority of runs that set none: "background" or "normal"."""
        given = self._settings.get("priority")
        return given if given in PRIORITIES else BACKGROUND

    def set_priority(self, priority: str) -> None:
        """Set the priority of future runs that set none."""
        if priority not in PRIORITIES:
            raise ValueError(f"priority must be one of {', '.join(PRIORITIES)}, got {priority!r}.")
        self._set("priority", priority)

    @property
    def _settings(self) -> Mapping[str, Any]:
        try:
            return read_json(self.root / SETTINGS, SCHEMA)
        except (OSError, RunError):
            return {}

    def _set(self, name: str, value: Json) -> None:
        """Change one setting and leave the others, known or not."""
        path = self.made().root / SETTINGS
        with system_errors(f"{path} cannot be written"):
            write_json(path, {**_held(path), name: value})


@contextmanager
def system_errors(what: str, advice: str = "") -> Iterator[None]:
    """Turn an `OSError` into a `RunError` that says what could not be done, and what to do."""
    try:
        yield
    except OSError as error:
        raise RunError(f"{what}: {error.strerror or error}.{advice}") from error


def _held(path: Path) -> dict[str, Any]:
    """Content of a file of the home, its version first; only the version if it is absent or damaged."""
    try:
        return {"schema": SCHEMA, **read_json(path, SCHEMA)}
    except NewerError:
        raise
    except (OSError, RunError):
        return {"schema": SCHEMA}


def _number(path: Path) -> int:
    """The last number given out; if the file is lost or damaged, the largest that a run has."""
    last = _held(path).get("last")
    if type(last) is int and 0 <= last < MAX_ORDER:
        return last
    return max(map(_order, [*path.parent.glob("runs/*/spec.json"), *path.parent.glob("trash/*/spec.json")]), default=0)


def _order(spec: Path) -> int:
    try:
        order = read_json(spec).get("order")
    except (OSError, RunError):
        return 0
    return order if type(order) is int and 0 <= order < MAX_ORDER else 0
