"""The models in memory and the threads that run them. It lives in a process of models, where torch may be imported."""

from __future__ import annotations

import gc
import importlib
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, final

from app.models.loaded_models import LoadedModels
from app.models.memory import MemoryGate, free_with_cuda, give_back
from app.models.prepare import AnyJob, prepare
from app.models.sweep_job import SweepJob
from app.models.turns import Job, Turns
from app.models.watchdog import TEXT_S, Late, Step, Watchdog
from compecon.errors import CompeconError, TextError, TextTooLongError, UnwantedError, is_out_of_memory
from compecon.views.attention.budget_grid import MAX_TOKENS
from compecon.views.attention.frames import Message, encode

if TYPE_CHECKING:
    from compecon.checkpoints.load import Checkpoint

_LOG = logging.getLogger(__name__)
CACHE_BYTES = 64_000_000
_STREAMS = ("compecon.views.attention.attention_stream", "compecon.views.attention.size_times")
_LOOK_S = 0.1  # how soon a job that waits for a load finds out that nobody wants it any more
_THREADS = 32  # jobs that have begun: most of them wait for their turns
_TOO_LITTLE = "The machine ran out of memory. Shorten the text or choose a smaller checkpoint."
_STUCK = (
    "The model gave no sign of life for {seconds} seconds, so its process was ended and starts again. Shorten the "
    "text, or choose another checkpoint."
)
_LOST = "The device stopped working, and its models are gone. Reload the page, or choose another device."

Send = Callable[[bytes | None], None]  # takes each message as bytes, then None; called from another thread


@final
class Engine:
    """Loads checkpoints, runs jobs, remembers results. Safe to call from any thread.

    Args:
        give_up: Called once a device has failed, which leaves every model on it unusable.
    """

    def __init__(self, give_up: Callable[[], None] = lambda: None) -> None:
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="compecon")
        self._turns, self._give_up = Turns(), give_up
        self._memory, self._cuda_memory = MemoryGate(), MemoryGate(free_with_cuda)
        self.watchdog = Watchdog()
        self._lock = threading.Lock()
        self._models = LoadedModels(self.watchdog)
        self._results: OrderedDict[SweepJob, list[bytes]] = OrderedDict()

    def warm_up(self, checkpoint: str) -> None:
        """Import torch, and load a checkpoint if one is named, before anybody asks."""
        try:
            with self._models.imports:
                _import_models()
            if checkpoint:
                self.load(checkpoint, "auto")
        except Exception:  # noqa: BLE001 - the text that needs it says so on the page
            _LOG.warning("The checkpoint %s could not be loaded in advance.", checkpoint or "(none)", exc_info=True)
        gc.collect()
        gc.freeze()  # a collection walks every object alive; torch alone brings 300,000 that never die

    def load(
        self, checkpoint: str, device: str, wanted: Callable[[], bool] = lambda: True, late: Late = lambda _: None
    ) -> Checkpoint:
        """The checkpoint on a device; errors and arguments as of `LoadedModels.load`."""
        return self._models.load((checkpoint, device), wanted, late)

    def unload(self) -> int:
        """Drop every model and result from memory; returns how many models there were."""
        n_models = self._models.clear()
        with self._lock:
            self._results.clear()
        gc.collect()
        return n_models

    def submit(self, job: AnyJob, send: Send, wanted: Callable[[], bool]) -> None:
        """Run a job on the engine's threads.

        Args:
            job: What to compute.
            send: Gets the answer.
            wanted: Whether somebody still reads it; asked between forward passes.
        """
        self._pool.submit(self._run, job, send, wanted)

    def _run(self, job: AnyJob, send: Send, wanted: Callable[[], bool]) -> None:
        broken = False
        try:
            recalled = self._results.get(job.known_as) if job.known_as else None
            if recalled is None:
                self._compute(job, send, wanted)
            for data in recalled or ():
                send(data)
        except UnwantedError:
            pass  # nobody reads it
        except TextTooLongError as error:
            send(_error(str(error), fits=self._beginning(job)))
        except CompeconError as error:
            send(_error(str(error)))
        except Exception as error:  # noqa: BLE001 - the page must hear about it, whatever it was
            sentence, broken = _said(error)
            send(_error(sentence, again=broken))
        finally:
            send(None)
            give_back()
        if broken:
            self._give_up()

    def _compute(self, job: AnyJob, send: Send, wanted: Callable[[], bool]) -> None:
        """Send messages as they come; remember the whole when it came to its end."""

        def late(seconds: float) -> None:
            send(_error(_STUCK.format(seconds=round(seconds))))
            send(None)

        with self._models.asking((job.checkpoint, job.device), wanted):
            if not self._may_load(job, send, wanted):
                return
            # First load, then import more: two threads that import transformers at once find half of it.
            checkpoint = self.load(job.checkpoint, job.device, wanted, late)
        with self.watchdog.step(TEXT_S, late):
            encoded = checkpoint.encode(job.text, job.pair or None, max_tokens=MAX_TOKENS)
        ready = prepare(job, checkpoint, encoded)
        step = self.watchdog.step(ready.within_s, late)
        messages = ready.messages(step.asking(wanted))
        turns = Job(wanted, needs_quiet=job.NEEDS_QUIET)
        memory = self._cuda_memory if checkpoint.device.type == "cuda" else self._memory
        if ahead := self._turns.ahead_of(turns) or int(memory.would_wait(ready.need)):
            send(encode(Message("waiting", {"ahead": ahead})))
        with memory.hold(ready.need, wanted) as short:
            if short:
                raise TextError(
                    f"{ready.extent} need about {ready.need / 1e9:.1f} GB of memory; {short / 1e9:.1f} GB are free. "
                    "Shorten the text or choose a smaller checkpoint."
                )
            parts = self._sent(messages, turns, step, send)
        if job.known_as and wanted():
            self._remember(job.known_as, parts)

    def _sent(self, messages: Iterator[Message], turns: Job, step: Step, send: Send) -> list[bytes]:
        """Send messages as their turns come; returns them."""
        parts: list[bytes] = []
        while True:
            with self._turns.turn(turns) as still_wanted, step:
                message = next(messages, None) if still_wanted else None
            if message is None:
                return parts
            parts.append(encode(message))
            send(parts[-1])

    def _may_load(self, job: AnyJob, send: Send, wanted: Callable[[], bool]) -> bool:
        """Wait while another checkpoint is being loaded, unless this one is there; False once nobody waits any more."""
        is_told = False
        while wanted():
            if self._models.get((job.checkpoint, job.device)) is not None or not self._models.imports.locked():
                return True
            if not is_told and self._models.being_loaded not in ("", job.checkpoint):
                send(encode(Message("waiting", {"ahead": 1})))
                is_told = True
            time.sleep(_LOOK_S)
        return False

    def _beginning(self, job: AnyJob) -> str:
        """What of a text the page may offer to read instead; of a pair, nothing."""
        from compecon.checkpoints.fitting_text import beginning_that_fits  # noqa: PLC0415 - imports torch

        if job.pair:
            return ""
        try:
            return beginning_that_fits(self.load(job.checkpoint, job.device), job.text, MAX_TOKENS)
        except CompeconError:  # another fault of the text: what is said already is enough
            return ""

    def _remember(self, job: SweepJob, parts: list[bytes]) -> None:
        with self._lock:
            self._results[job] = parts
            while sum(len(p) for result in self._results.values() for p in result) > CACHE_BYTES:
                self._results.popitem(last=False)


def _import_models() -> None:
    """What every checkpoint needs. Meanwhile no collection: it would look at a million new objects again and again."""
    gc.disable()
    try:
        for name in ("transformers.modeling_utils", "compecon.checkpoints.load", *_STREAMS):
            importlib.import_module(name)
    finally:
        gc.enable()


def _said(error: Exception) -> tuple[str, bool]:
    """The sentence for an error that nobody expected, and whether its device is lost."""
    if is_out_of_memory(error):
        return _TOO_LITTLE, False
    words = str(error).lower()
    _LOG.error("A job failed.", exc_info=error)
    if any(sign in words for sign in ("cuda error", "device-side assert", "mps backend")):
        return _LOST, True
    return f"Unexpected error ({type(error).__name__}). The terminal where compecon runs shows the details.", False


def _error(sentence: str, **more: str | bool) -> bytes:
    return encode(Message("error", {"error": sentence, **more}))
