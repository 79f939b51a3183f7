"""A checkpoint measured on a task: what `compecon evaluate` prints and a background evaluation returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from compecon.attention.budget import KeyBudget
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.errors import UnsupportedModelError
from compecon.recipes.arms import forward_macs
from compecon.recipes.evaluate import Evaluation, evaluate_checkpoint
from compecon.recipes.plain import plain
from compecon.recipes.policies import make_policy
from compecon.tasks.registry import AnyTask, read_task


@dataclass(frozen=True, eq=False)
class Measurement:
    """How good a checkpoint is at a task.

    Attributes:
        checkpoint: The checkpoint.
        task: The task.
        split: What it was measured on.
        found: The metrics.
        macs: MACs of a forward pass over one text of the mean length; None where they are not known.
        params: How it was measured.
    """

    checkpoint: Checkpoint
    task: AnyTask
    split: str
    found: Evaluation
    macs: int | None
    params: Mapping[str, Any]

    def results(self) -> dict[str, Any]:
        """The same as JSON values."""
        keys, share = self.params["keys"], self.params["share"]
        return {
            "checkpoint": self.checkpoint.name,
            "digest": self.checkpoint.digest,
            "task": self.task.name,
            "split": self.split,
            "metrics": plain({name: asdict(value) for name, value in self.found.metrics.items()}),
            "macs": self.macs,
            "n_tokens": self.found.n_tokens,
            "keys": keys,
            "share": share,
            "policy": self.params["policy"] if keys is not None or share is not None else None,
        }


def measure_checkpoint(params: Mapping[str, Any]) -> Measurement:
    """Measure a checkpoint, under a key budget or without.

    Args:
        params: Checked values of `compecon.recipes.options.EVALUATE`.

    Raises:
        TaskError: If the checkpoint is not made for the task, or there is no such split.
        CheckpointError: If it cannot be loaded.
    """
    task = read_task(params["task"], None if params["data"] is None else Path(params["data"]))
    task.part(params["split"])  # before a model is loaded
    loaded = load_checkpoint(params["checkpoint"], params["device"])
    read = (params["keys"], params["share"])
    found = evaluate_checkpoint(
        loaded,
        task,
        params["split"],
        max_tokens=params["max_tokens"],
        budget=None if read == (None, None) else KeyBudget(*read),
        policy=make_policy(params["policy"]),
    )
    return Measurement(loaded, task, params["split"], found, _macs(loaded, found.n_tokens), params)


def _macs(checkpoint: Checkpoint, n_tokens: int) -> int | None:
    try:
        return forward_macs(checkpoint.model, n_tokens)
    except UnsupportedModelError:
        return None
