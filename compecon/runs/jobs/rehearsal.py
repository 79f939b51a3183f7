"""A training without a model: steps, checkpoints that can be resumed bit by bit, and failures on demand.

It tests a machine's disks, locks, signals and restarts in seconds and without torch. Its "weights" are a chain of
hashes, one link per step: an attempt that skips or repeats a step, or resumes from another state, ends in another one.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, final

from compecon.callbacks import Callbacks, StepRecord
from compecon.errors import CheckpointError, TrainingInterruptedError
from compecon.files.complete import checkpoint_folder, last_complete_checkpoint, mark_complete
from compecon.files.safe_reader import MEGABYTE, read_json
from compecon.runs.jobs.run_paths import RunPaths

_WEIGHTS, _STATE = "weights.bin", "state.json"
_KB, _MB = 1024, 1024**2


@final
@dataclass(frozen=True)
class Chain:
    """State of a rehearsal: the seed, the number of steps, and the last link, 64 hexadecimal digits."""

    seed: int
    step: int
    link: str

    @classmethod
    def begun(cls, seed: int) -> Self:
        """A chain without steps."""
        return cls(seed, 0, hashlib.sha256(f"seed {seed}".encode()).hexdigest())

    def longer(self) -> Chain:
        """The chain after one more step."""
        return Chain(self.seed, self.step + 1, hashlib.sha256(f"{self.link} {self.step + 1}".encode()).hexdigest())

    def weights(self, size_kb: int) -> bytes:
        """Bytes that only this link gives."""
        return hashlib.shake_256(bytes.fromhex(self.link)).digest(size_kb * _KB)

    @property
    def loss(self) -> float:
        """A loss that falls with noise, as losses do."""
        return math.exp(-self.step / 50) + int(self.link[:4], 16) / 2**20


def rehearse(params: Mapping[str, Any], place: RunPaths, callbacks: Callbacks) -> dict[str, Any]:
    """Run the steps of a rehearsal, or continue an earlier attempt.

    Args:
        params: Checked values of `compecon.runs.jobs.options.REHEARSAL`.
        place: Where files go; an existing result was finished by an earlier attempt.
        callbacks: Progress, and whether to stop: that raises `TrainingInterruptedError` after a checkpoint was written.
    """
    if not place.checkpoint.exists():
        _place(_through(params, place.work, callbacks), params["size_kb"], place.checkpoint)
    chain = _read(place.checkpoint, params)
    shutil.rmtree(place.work, ignore_errors=True)
    sentence = f"Rehearsed {chain.step} steps; the chain ends in {chain.link[:12]}."
    return {"task": "rehearsal", "steps": chain.step, "chain": chain.link, "sentence": sentence}


def undisturbed(params: Mapping[str, Any]) -> str:
    """The last link of a rehearsal without interruptions."""
    chain = Chain.begun(params["seed"])
    while chain.step < params["steps"]:
        chain = chain.longer()
    return chain.link


def _through(params: Mapping[str, Any], work: Path, callbacks: Callbacks) -> Chain:
    work.mkdir(parents=True, exist_ok=True)
    left = last_complete_checkpoint(work)
    chain = Chain.begun(params["seed"]) if left is None else _read(left, params)
    callbacks.begin("rehearsal", params["steps"])
    began, held = time.monotonic(), bytearray()
    while chain.step < params["steps"]:
        time.sleep(params["step_ms"] / 1000)
        _misfortune(chain.step + 1, params)
        held.extend(b"\x01" * (params["grow_mb"] * _MB))
        chain = chain.longer()
        callbacks.watch.report(_record(chain, time.monotonic() - began))
        leaves = callbacks.watch.stop() and chain.step < params["steps"]
        if leaves or chain.step % params["save_every"] == 0:
            _save(chain, params["size_kb"], work)
            callbacks.watch.saved(chain.step)
        if leaves:
            raise TrainingInterruptedError(f"Stopped after step {chain.step} of {params['steps']}.")
    return chain


def _misfortune(step: int, params: Mapping[str, Any]) -> None:
    """Fail where the parameters say so."""
    if step == params["nan_at"]:
        raise FloatingPointError(f"the loss is not finite at step {step}, as requested.")
    if step == params["fail_at"]:
        raise RuntimeError(f"The rehearsal fails at step {step}, as requested.")


def _record(chain: Chain, seconds: float) -> StepRecord:
    return StepRecord(chain.step, chain.loss, chain.loss, 1.0, 0.0, 1.0, seconds)


def _save(chain: Chain, size_kb: int, work: Path) -> None:
    folder = checkpoint_folder(work, chain.step)
    folder.mkdir(exist_ok=True)
    _write(chain, size_kb, folder)
    mark_complete(folder, chain.step)


def _write(chain: Chain, size_kb: int, folder: Path) -> None:
    (folder / _WEIGHTS).write_bytes(chain.weights(size_kb))
    state = {"seed": chain.seed, "step": chain.step, "link": chain.link, "size_kb": size_kb}
    (folder / _STATE).write_text(json.dumps(state), encoding="utf-8")


def _place(chain: Chain, size_kb: int, out: Path) -> None:
    """Write the result as a whole or not at all."""
    part = out.with_name(f".{out.name}-{os.getpid()}")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    _write(chain, size_kb, part)
    part.rename(out)


def _read(folder: Path, params: Mapping[str, Any]) -> Chain:
    """Read a chain; refuse that of another rehearsal, and weights that do not match the link."""
    state = read_json(folder / _STATE, MEGABYTE)
    chain = Chain(state["seed"], state["step"], state["link"])
    if (chain.seed, state["size_kb"]) != (params["seed"], params["size_kb"]) or chain.step > params["steps"]:
        raise CheckpointError(f"{folder.parent} holds a rehearsal with other settings. Give another folder.")
    if (folder / _WEIGHTS).read_bytes() != chain.weights(params["size_kb"]):
        raise CheckpointError(f"{folder} is damaged: its weights are not those of step {chain.step}.")
    return chain
