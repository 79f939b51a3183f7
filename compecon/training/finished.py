"""The result of making one checkpoint from another: its quality, its file, and its cost beside the estimate."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import torch

from compecon.callbacks import Callbacks
from compecon.checkpoints.save import save_checkpoint
from compecon.errors import CheckpointError
from compecon.evaluation.evaluate_model import Evaluation, evaluate
from compecon.evaluation.reloaded import reloaded
from compecon.files.durable import PART
from compecon.flops import forward_macs
from compecon.tasks.task import Task
from compecon.training.estimate import TrainingEstimate
from compecon.training.phases import claim
from compecon.training.processes import is_first
from compecon.training.quality import splits_measured
from compecon.training.size_quality import SizeQuality, measured_sizes
from compecon.training.training_setup import TrainingSetup

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from compecon.compression.elastic.price_list import PriceList

_STATED = "training.json"


@dataclass(frozen=True)
class ResourceUsage:
    """What a training took."""

    seconds: float  # of this call, from the estimate to the saved checkpoint
    peak_bytes: int  # most that the process ever held; of the GPU, if it trained on one
    base_bytes: int  # held before the training, libraries and the model included
    disk_bytes: int  # the new checkpoint, and checkpoints of the training at its end


@dataclass(frozen=True)
class Shrunk:
    """How small a model became."""

    share: float = 1.0  # of the MACs of heads and neurons that is left
    target: float | None = None  # None without one
    price: float | None = None  # at which the gates were frozen; None without
    met: bool | None = None  # whether the gates met the target by themselves; None without gates


@dataclass(frozen=True, eq=False)
class Trained:
    """A checkpoint that was made from another one."""

    folder: Path  # the new checkpoint
    evaluations: Mapping[str, Evaluation]  # by split
    macs: int  # of one forward pass over one text of `n_tokens`, output head included
    dense_macs: int  # those of the given model
    n_tokens: int  # mean length of the training rows
    shrunk: Shrunk
    estimate: TrainingEstimate  # what the training was expected to take
    took: ResourceUsage
    sizes: tuple[SizeQuality, ...] = ()  # of an elastic checkpoint, from the largest


@dataclass(frozen=True)
class TrainingSession:
    """One call of a training, from when it began."""

    out: Path  # folder of the new checkpoint
    kept: Path | None  # folder of the training's checkpoints; None for none
    base_bytes: int  # memory that was held when it began
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.monotonic() - self.began


@contextmanager
def training_session(
    out: Path, callbacks: Callbacks, saves: bool, stated: Mapping[str, Any]
) -> Iterator[tuple[TrainingSession, Callbacks]]:
    """Begin a training, or go on with one; its checkpoints are removed if the block ends well.

    The watch loses its folder if nothing is to be saved. What sets this training apart is `stated`, JSON values.

    Raises:
        CheckpointError: If the folder holds another training.
    """
    kept = callbacks.watch.folder if saves else None
    if kept is not None and is_first():
        _claim(kept, stated)
    yield (
        TrainingSession(out, kept, psutil.Process().memory_info().rss),
        replace(callbacks, watch=replace(callbacks.watch, folder=kept)),
    )
    if kept is not None and is_first():
        shutil.rmtree(kept)


def _claim(folder: Path, stated: Mapping[str, Any]) -> None:
    path = folder / _STATED
    is_empty = not folder.exists() or (folder.is_dir() and all(each.suffix == PART for each in folder.iterdir()))
    if not path.is_file() and not is_empty:
        raise CheckpointError(f"{folder} holds something other than a training. Choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    claim(path, stated)


def saved(  # noqa: PLR0913 - a checkpoint is made of this much
    model: PreTrainedModel,
    ready: TrainingSetup,
    shrunk: Shrunk,
    training: Mapping[str, Any],
    estimate: TrainingEstimate,
    session: TrainingSession,
    prices: PriceList | None = None,
) -> Trained:
    """Measure a model and save it, the record saying how it came about ("method" and "settings" at least).

    Of several processes only the first one does; the others return without results.
    """
    parent, task = ready.checkpoint, ready.task
    if not is_first():
        took = ResourceUsage(session.seconds, 0, session.base_bytes, 0)
        return Trained(session.out, {}, 0, 0, ready.n_tokens, shrunk, estimate, took)

    def measure(which: PreTrainedModel) -> Mapping[str, Evaluation]:
        return {
            split: evaluate(which, parent.tokenizer, task, split, max_tokens=ready.max_tokens, match=ready.match)
            for split in splits_measured(task)
        }

    with reloaded(model, parent.tokenizer, session.out, prices) as made:
        found = measure(made.model)
        sizes = measured_sizes(made, ready.n_tokens, measure)
    now, before = (forward_macs(each, ready.n_tokens) for each in (model, parent.model))
    metrics = [
        {"name": name, "split": split, **asdict(value)}
        for split, evaluation in found.items()
        for name, value in evaluation.metrics.items()
        if math.isfinite(value.value)  # a correlation with a constant is none, and no record holds it
    ]
    cut = {split: each.cut.written() for split, each in found.items() if each.cut is not None}
    counts = {
        "pairs": isinstance(task, Task) and any(part.pairs for part in task.splits.values()),
        "cut": cut,
        "macs": now,
        "dense_macs": before,
        "n_tokens": ready.n_tokens,
        **asdict(shrunk),
    }
    served = {"sizes": [size.written() for size in sizes]} if sizes else {}
    origin = {"parent": parent.name, "parent_digest": parent.digest, "seconds": round(session.seconds, 1)}
    record = {
        "title": f"{task.name} from {parent.name}, {training['method']}",
        "task": task.name,
        "metrics": metrics,
        "training": {**training, **origin, **counts, **served},
    }
    folder = save_checkpoint(model, parent.tokenizer, session.out, record=record, prices=prices)
    disk_bytes = _size(folder) + _size(session.kept)
    took = ResourceUsage(session.seconds, _peak_bytes(model.device), session.base_bytes, disk_bytes)
    return Trained(folder, found, now, before, ready.n_tokens, shrunk, estimate, took, sizes)


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
