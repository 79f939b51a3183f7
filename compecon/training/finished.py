"""What comes of making a checkpoint from another one: measured, saved, and what it took beside what was expected."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

from compecon.callbacks import Callbacks
from compecon.checkpoints.save import save_checkpoint
from compecon.errors import CheckpointError
from compecon.evaluation.evaluate_model import Evaluation, evaluate
from compecon.evaluation.reloaded import reloaded
from compecon.files.complete import read_stated, write_stated
from compecon.files.durable import PART
from compecon.flops import forward_macs
from compecon.training.estimate import TrainingEstimate
from compecon.training.processes import is_first
from compecon.training.quality import splits_measured
from compecon.training.training_setup import TrainingSetup

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_STATED = "training.json"


@dataclass(frozen=True)
class ResourceUsage:
    """What a training took in truth.

    Attributes:
        seconds: Wall time from when it was estimated to when the checkpoint was saved, of this part if it was resumed.
        peak_bytes: Most memory the process ever held; of the GPU, if it trained on one.
        base_bytes: What it held before the training, libraries and the model included.
        disk_bytes: The new checkpoint, and checkpoints of the training at its end.
    """

    seconds: float
    peak_bytes: int
    base_bytes: int
    disk_bytes: int


@dataclass(frozen=True)
class Shrunk:
    """How small a model became.

    Attributes:
        share: Share of the MACs of heads and neurons that is left.
        target: What was asked for; None if nothing was.
        price: Price at which the gates were frozen; None without.
        met: Whether the gates met the target by themselves; None without gates.
    """

    share: float = 1.0
    target: float | None = None
    price: float | None = None
    met: bool | None = None


@dataclass(frozen=True, eq=False)
class Trained:
    """A checkpoint that was made from another one.

    Attributes:
        folder: The new checkpoint.
        evaluations: By split.
        macs: MACs of one forward pass over one text of `n_tokens`, output head included.
        dense_macs: Those of the given model.
        n_tokens: Mean length of the training rows.
        shrunk: How much smaller its layers became.
        estimate: What the training was expected to take.
        took: What it took.
    """

    folder: Path
    evaluations: Mapping[str, Evaluation]
    macs: int
    dense_macs: int
    n_tokens: int
    shrunk: Shrunk
    estimate: TrainingEstimate
    took: ResourceUsage


@dataclass(frozen=True)
class TrainingSession:
    """One call of a training, from when it began.

    Attributes:
        out: Folder of the new checkpoint.
        kept: Folder of the training's checkpoints; None for none.
        base_bytes: Memory that was held when it began.
    """

    out: Path
    kept: Path | None
    base_bytes: int


@contextmanager
def sitting(
    out: Path, callbacks: Callbacks, saves: bool, stated: Mapping[str, Any]
) -> Iterator[tuple[TrainingSession, Callbacks]]:
    """Begin a training, or go on with one; its checkpoints are removed if the block ends well.

    Args:
        out: Folder of the new checkpoint.
        callbacks: Who looks on; loses its folder if nothing is to be saved.
        saves: Whether the training saves checkpoints.
        stated: What sets this training apart from others; JSON values.

    Raises:
        CheckpointError: If the folder holds another training.
    """
    kept = callbacks.watch.folder if saves else None
    if kept is not None and is_first():
        _claim(kept, json.loads(json.dumps(stated, default=str)))
    yield (
        TrainingSession(out, kept, psutil.Process().memory_info().rss),
        replace(callbacks, watch=replace(callbacks.watch, folder=kept)),
    )
    if kept is not None and is_first():
        shutil.rmtree(kept)


def _claim(folder: Path, stated: Any) -> None:
    path = folder / _STATED
    if path.is_file():
        if read_stated(path) != stated:
            raise CheckpointError(
                f"{folder} holds a training with other settings. Remove it to begin anew, or give another folder."
            )
        return
    if folder.exists() and not (folder.is_dir() and all(each.suffix == PART for each in folder.iterdir())):
        raise CheckpointError(f"{folder} has content that is no training. Give another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    write_stated(path, stated)


def saved(
    model: PreTrainedModel,
    ready: TrainingSetup,
    shrunk: Shrunk,
    training: Mapping[str, Any],
    spent: tuple[TrainingEstimate, Callable[[], float]],
    place: TrainingSession,
) -> Trained:
    """Measure a model and save it. Of several processes only the first one does; the others go away with nothing.

    Args:
        model: What was made.
        ready: What it was made from.
        shrunk: How small it became.
        training: How it came about, for its record: "method" and "settings" at least.
        spent: What was expected, and a clock that ran from when it was.
        place: Where it goes.
    """
    parent, task = ready.checkpoint, ready.task
    if not is_first():
        return Trained(
            place.out, {}, 0, 0, ready.n_tokens, shrunk, spent[0], ResourceUsage(spent[1](), 0, place.base_bytes, 0)
        )
    with reloaded(model, parent.tokenizer, place.out) as made:
        found = {
            split: evaluate(made.model, made.tokenizer, task, split, max_tokens=ready.max_tokens, match=ready.match)
            for split in splits_measured(task)
        }
    now, before = (forward_macs(each, ready.n_tokens) for each in (model, parent.model))
    metrics = [
        {"name": name, "split": split, **asdict(value)}
        for split, evaluation in found.items()
        for name, value in evaluation.metrics.items()
        if math.isfinite(value.value)  # a correlation with a constant is none, and no record holds it
    ]
    cut = {split: each.cut.written() for split, each in found.items() if each.cut is not None}
    counts = {"cut": cut, "macs": now, "dense_macs": before, "n_tokens": ready.n_tokens, **asdict(shrunk)}
    origin = {"parent": parent.name, "parent_digest": parent.digest, "seconds": round(spent[1](), 1)}
    record = {
        "title": f"{task.name} from {parent.name}, {training['method']}",
        "task": task.name,
        "metrics": metrics,
        "training": {**training, **origin, **counts},
    }
    folder = save_checkpoint(model, parent.tokenizer, place.out, record=record)
    took = ResourceUsage(spent[1](), _peak_bytes(model.device), place.base_bytes, _size(folder) + _size(place.kept))
    return Trained(folder, found, now, before, ready.n_tokens, shrunk, spent[0], took)


def clock() -> Callable[[], float]:
    """Seconds since now."""
    began = time.monotonic()
    return lambda: time.monotonic() - began


def _size(folder: Path | None) -> int:
    return 0 if folder is None else sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _peak_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource  # noqa: PLC0415 - Windows has none

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
