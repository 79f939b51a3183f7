"""The models in memory and the threads that run them: everything slow happens here, off the page's thread.

torch is imported on the first job or by :meth:`Engine.warm_up`, after the first picture is on the screen.
"""

from __future__ import annotations

import functools
import gc
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, final

from compecon.errors import CompeconError, TextError
from compecon.views.attention.budget_grid import MAX_TOKENS, peak_bytes, scope_for
from compecon.views.attention.frames import Message, encode

if TYPE_CHECKING:
    from compecon.checkpoints.encode_text import Encoded
    from compecon.checkpoints.load import Checkpoint

_LOG = logging.getLogger(__name__)
MAX_MODELS = 2
CACHE_BYTES = 256_000_000


@final
@dataclass(frozen=True)
class SweepJob:
    """One text to be read at every budget."""

    checkpoint: str  # name of a bundled checkpoint, or a folder or cached Hub id from the catalog
    device: str  # "auto", "cpu", "cuda" or "mps"
    text: str
    pair: str = ""  # the second text of a pair, or ""
    policy: str = "top-k"  # key of the policy menu
    layer: int = 0  # layer to send when not all fit
    head: int = 0  # head of that layer to send when the layer does not fit
    budgets: tuple[int, ...] = ()  # only these budgets; empty for all
    first: int | None = None  # a budget wanted before others


class Engine:
    """Loads checkpoints, runs sweeps, remembers results. Safe to call from any thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="compecon")
        self._lock = threading.Lock()
        self._loading = threading.Lock()
        self._models: OrderedDict[tuple[str, str], Checkpoint] = OrderedDict()
        self._results: OrderedDict[SweepJob, list[bytes]] = OrderedDict()
        self._latest: OrderedDict[str, SweepJob] = OrderedDict()
        self._warm: Future[None] | None = None

    @property
    def is_ready(self) -> bool:
        """Whether torch is in memory and the first model answers."""
        return self._warm is not None and self._warm.done()

    def warm_up(self, checkpoint: str) -> None:
        """Start importing torch and loading a checkpoint, once, in the background."""
        with self._lock:
            if self._warm is None:
                self._warm = self._pool.submit(self._first_load, checkpoint)

    def _first_load(self, checkpoint: str) -> None:
        try:
            self.load(checkpoint, "auto")
        except CompeconError:
            _LOG.warning("The checkpoint %s could not be loaded in advance.", checkpoint, exc_info=True)
        gc.collect()
        gc.freeze()  # a collection walks every object alive; torch alone brings 300,000 that never die

    def load(self, checkpoint: str, device: str) -> Checkpoint:
        """The checkpoint on a device; at most two stay in memory.

        Raises:
            CompeconError: If it is refused, with a sentence for a person.
        """
        with self._loading:
            key = (checkpoint, device)
            if key in self._models:
                self._models.move_to_end(key)
                return self._models[key]
            from compecon.checkpoints.load import load_checkpoint  # noqa: PLC0415 - seconds: after the first picture

            _use_threads()
            while len(self._models) >= MAX_MODELS:
                self._models.popitem(last=False)
            self._models[key] = load_checkpoint(checkpoint, device)
            return self._models[key]

    def unload(self) -> int:
        """Drop every model and result from memory; returns how many models there were."""
        with self._loading, self._lock:
            n_models = len(self._models)
            self._models.clear()
            self._results.clear()
        gc.collect()
        return n_models

    def submit(self, job: SweepJob, client: str, send: Callable[[bytes | None], None], gone: threading.Event) -> None:
        """Run a job on the engine's threads.

        Args:
            job: What to compute.
            client: The page that asks; its older jobs are dropped.
            send: Gets each message as bytes, then None; called from another thread.
            gone: Set by the caller once the page has hung up.
        """
        with self._lock:
            self._latest[client] = job
            self._latest.move_to_end(client)
            while len(self._latest) > 1000:
                self._latest.popitem(last=False)
        self._pool.submit(self._run, job, lambda: not gone.is_set() and self._latest.get(client) is job, send)

    def _run(self, job: SweepJob, wanted: Callable[[], bool], send: Callable[[bytes | None], None]) -> None:
        try:
            recalled = self._results.get(replace(job, first=None))  # the order of arrival does not change the result
            if recalled is None:
                self._compute(job, wanted, send)
            for data in recalled or ():
                send(data)
        except CompeconError as error:
            send(_error(str(error)))
        except MemoryError:
            send(_error("The machine ran out of memory. Shorten the text or choose a smaller checkpoint."))
        except Exception as error:  # noqa: BLE001 - the page must hear about it, whatever it was
            _LOG.exception("A sweep failed.")
            send(
                _error(
                    f"Unexpected error ({type(error).__name__}). The terminal where compecon runs shows the details."
                )
            )
        finally:
            send(None)

    def _compute(self, job: SweepJob, wanted: Callable[[], bool], send: Callable[[bytes | None], None]) -> None:
        """Send messages as they come; remember the whole when it came to its end."""
        if not wanted():
            return
        # First load, then import more: two threads that import transformers at once find half of it.
        checkpoint = self.load(job.checkpoint, job.device)
        from compecon.views.attention.attention_stream import AttentionRequest, attention_stream  # noqa: PLC0415

        encoded = checkpoint.encode(job.text, job.pair or None, max_tokens=MAX_TOKENS)
        n_layers, n_heads = checkpoint.preflight.layers, checkpoint.preflight.heads
        _check_memory(encoded, n_layers, n_heads)
        scope = scope_for(
            len(encoded.tokens), n_layers, n_heads, layer=min(job.layer, n_layers - 1), head=min(job.head, n_heads - 1)
        )
        request = AttentionRequest(job.policy, scope, job.budgets, job.first)
        parts: list[bytes] = []
        for message in attention_stream(checkpoint, encoded, request, wanted=wanted):
            parts.append(encode(message))
            send(parts[-1])
        if wanted():
            self._remember(job, parts)

    def _remember(self, job: SweepJob, parts: list[bytes]) -> None:
        with self._lock:
            self._results[replace(job, first=None)] = parts
            while sum(len(p) for result in self._results.values() for p in result) > CACHE_BYTES:
                self._results.popitem(last=False)


def _use_threads() -> None:
    import torch  # noqa: PLC0415

    default = max(1, min(4, (os.cpu_count() or 2) // 2))  # the page's own thread needs a core, too
    torch.set_num_threads(int(os.environ.get("COMPECON_THREADS", default)))


def _check_memory(encoded: Encoded, n_layers: int, n_heads: int) -> None:
    import psutil  # noqa: PLC0415

    n, free = len(encoded.tokens), psutil.virtual_memory().available
    if (need := peak_bytes(n, n_layers, n_heads)) > 0.6 * free:
        raise TextError(
            f"{n} tokens × {n_layers} layers × {n_heads} heads need about {need / 1e9:.1f} GB of memory; "
            f"{free / 1e9:.1f} GB are free. Shorten the text or choose a smaller checkpoint."
        )


def _error(sentence: str) -> bytes:
    return encode(Message("error", {"error": sentence}))


@functools.cache
def engine() -> Engine:
    """The one engine of this server."""
    return Engine()
