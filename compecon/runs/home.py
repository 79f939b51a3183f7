"""The folder that everything on this machine's runs lies in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from compecon.errors import RunError
from compecon.runs.files import read_json, write_json
from compecon.runs.locks import Lock

VARIABLE = "COMPECON_HOME"
_MAX_SLOTS = 256


@final
@dataclass(frozen=True)
class Home:
    """Runs, their trash, and who may use which device.

    Attributes:
        root: The folder; made when something is first written.
    """

    root: Path

    @classmethod
    def default(cls) -> Self:
        """The folder of the environment variable ``COMPECON_HOME``, or of this user."""
        if given := os.environ.get(VARIABLE):
            return cls(Path(given).expanduser().absolute())
        import platformdirs  # noqa: PLC0415 - a worker is told its folder and has no need of it

        return cls(platformdirs.user_data_path("compecon"))

    @property
    def runs(self) -> Path:
        """A folder for each run."""
        return self.root / "runs"

    @property
    def trash(self) -> Path:
        """Runs that were deleted."""
        return self.root / "trash"

    @property
    def queues(self) -> Path:
        """Who waits for what."""
        return self.root / "queues"

    @property
    def sweeps(self) -> Path:
        """What belongs together."""
        return self.root / "sweeps"

    def made(self) -> Self:
        """The same, with its folders there.

        Raises:
            RunError: If they cannot be made.
        """
        try:
            for folder in (self.runs, self.trash, self.queues, self.sweeps):
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RunError(
                f"Runs cannot be kept in {self.root}: {error.strerror or error}. "
                f"Set {VARIABLE} to a folder that can be written."
            ) from error
        return self

    def next_number(self) -> int:
        """A number that is larger than every one before it, whatever the clock says.

        Raises:
            RunError: If it cannot be written down.
        """
        lock = Lock.taken(self.root / "number.lock", patience_s=10.0)
        if lock is None:
            raise RunError(f"{self.root / 'number.lock'} is held by a process that does not let go. End that process.")
        try:
            path = self.root / "number.json"
            number = _number(path) + 1
            write_json(path, {"last": number}, durable=False)
            return number
        finally:
            lock.release()

    @property
    def slots(self) -> Mapping[str, int]:
        """How many runs a kind of device takes at a time, where that was set: "cpu" or "gpu" to a number."""
        try:
            given = read_json(self.root / "settings.json").get("slots", {})
        except (FileNotFoundError, RunError):
            return {}
        if not isinstance(given, dict):
            return {}
        return {name: n for name, n in given.items() if isinstance(n, int) and 0 < n <= _MAX_SLOTS}

    def set_slots(self, device: str, number: int) -> None:
        """Let so many runs use a kind of device at a time, from the next one on that looks.

        Raises:
            ValueError: If the device is neither "cpu" nor "gpu", or the number is not in [1, 256].
        """
        if device not in ("cpu", "gpu") or not 1 <= number <= _MAX_SLOTS:
            raise ValueError(f"slots are a number in [1, {_MAX_SLOTS}] for cpu or gpu, got {device}={number}.")
        write_json(self.made().root / "settings.json", {"slots": {**self.slots, device: number}})


def _number(path: Path) -> int:
    try:
        last = read_json(path)["last"]
        return last if isinstance(last, int) and last >= 0 else 0
    except (FileNotFoundError, RunError, KeyError):
        names = [*path.parent.glob("runs/*/spec.json"), *path.parent.glob("trash/*/spec.json")]
        return max(map(_order, names), default=0)


def _order(spec: Path) -> int:
    try:
        order = read_json(spec).get("order")
    except (OSError, RunError):
        return 0
    return order if isinstance(order, int) else 0
