"""A process of models for each device, as pages and routes ask them."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import final

from app.models.latency_job import LatencyJob
from app.models.model_process import ModelProcess, Send
from app.models.sweep_job import SweepJob

_UNLOADS_WITHIN_S = 30.0
_MOST_PAGES = 1000
_BEST = "auto"  # the device that this machine is best at


@final
class ModelProcesses:
    """The processes of this server, each started when it is first needed.

    Args:
        make: Makes the process of a device.
    """

    def __init__(self, make: Callable[[], ModelProcess] = ModelProcess) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._processes: dict[str, ModelProcess] = {}
        self._latest: OrderedDict[str, Callable[[], None]] = OrderedDict()

    @property
    def is_ready(self) -> bool:
        """Whether a process has its imports done and its first model loaded."""
        return any(process.is_ready for process in list(self._processes.values()))

    def warm_up(self, checkpoint: str = "") -> None:
        """Start the process of the best device, and let it load a checkpoint as its first."""
        self._of(_BEST).begin(checkpoint)

    def submit(self, job: SweepJob | LatencyJob, client: str, send: Send) -> Callable[[], None]:
        """Run a job.

        Args:
            job: What to compute.
            client: The page that asks; its older job is dropped.
            send: Gets each message as bytes, then None; called from another thread.

        Returns:
            What drops the job.
        """
        cancel = self._of(job.device).ask(job.ASK, send, job=job.fields())
        with self._lock:
            older = self._latest.pop(client, None)
            self._latest[client] = cancel
            while len(self._latest) > _MOST_PAGES:
                self._latest.popitem(last=False)
        if older is not None:
            older()
        return cancel

    def unload(self) -> int:
        """Drop every model and result from memory; returns how many models there were."""
        return sum(_unloaded(process) for process in list(self._processes.values()) if process.pid is not None)

    def close(self) -> None:
        """End all of them for good."""
        for process in list(self._processes.values()):
            process.close()

    def _of(self, device: str) -> ModelProcess:
        """The process of a device. What this machine does not have, the first one refuses."""
        with self._lock:
            best = self._processes.get(_BEST)
            others = best.devices[1:] if best is not None else ()
            name = device if device in others else _BEST
            if name not in self._processes:
                self._processes[name] = self._make()
            return self._processes[name]


def _unloaded(process: ModelProcess) -> int:
    parts, done = list[bytes](), threading.Event()

    def take(part: bytes | None) -> None:
        if part is None:
            done.set()
        else:
            parts.append(part)

    process.ask("unload", take)
    done.wait(_UNLOADS_WITHIN_S)
    said = b"".join(parts)
    return int(said) if said.isdigit() else 0


@functools.cache
def models() -> ModelProcesses:
    """The processes of this server."""
    return ModelProcesses()
