"""What a training will take from end to end, measured on two steps of it before it starts."""

from __future__ import annotations

import copy
import itertools
import math
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import psutil
import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from compecon.compression.last_layer import at_one_position
from compecon.compression.units import unit_macs
from compecon.errors import CompeconError
from compecon.incentives.costs import COSTS
from compecon.tasks.encode_rows import Features, mean_length
from compecon.tasks.objectives import Objective
from compecon.training.incentive import CALIBRATION_ROWS, batch_loss, calibration
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

_ADAM_BYTES = 12  # of a parameter that learns: its gradient and two moments, in float32
_KEPT = 2  # checkpoints of a training that are kept, and one being written
_FIXED_SHARE = 0.2  # of a step that does not shrink with the units: embeddings, norms, the optimizer, Python
_HIDDEN = 1.35  # time of a step that imitates hidden states too, against a plain one
_GATES = 1.1  # time of a priced step against a plain one
_BACKWARD = 3  # a forward and a backward pass take three forward passes
_STORED_S = 1e8  # bytes a second that are written, flushed and digested
_PHASE_S = 0.5  # what transformers takes to set up a training
_SPARE_BYTES = 500_000_000
_AUTOCAST = {"bfloat16": torch.bfloat16, "float16": torch.float16}


@dataclass(frozen=True)
class TrainingEstimate:
    """What a training is expected to take.

    Attributes:
        steps: Optimizer steps.
        seconds: Wall time from the first step to the saved checkpoint, if nothing else runs: steps, importance, what a
            teacher says, evaluations and checkpoints; give or take a third.
        memory_bytes: Parameters, gradients, optimizer and activations of a step.
        disk_bytes: The model, and checkpoints of the training if there are any.
    """

    steps: int
    seconds: float
    memory_bytes: int
    disk_bytes: int

    def __str__(self) -> str:
        minutes, seconds = divmod(round(self.seconds), 60)
        return (
            f"about {minutes} min {seconds:02d} s for {self.steps:,} steps, "
            f"{self.memory_bytes / 1e9:.1f} GB of memory, {self.disk_bytes / 1e6:,.0f} MB on disk"
        )


@dataclass(frozen=True)
class Pace:
    """How fast a model is."""

    step: float  # seconds of an optimizer step
    row: float  # seconds of a forward pass over one row, without a graph
    held: int  # bytes that a forward pass holds for its backward pass


def estimate_training(  # noqa: PLR0913 - a training has this many parts
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    settings: FineTuneSettings,
    incentive: IncentiveSettings | None = None,
    *,
    read_rows: int = 0,
    graded_rows: int = 0,
    run_share: float = 1.0,
) -> TrainingEstimate:
    """Time two steps and a forward pass on a copy of the model, and multiply.

    Args:
        model: The model; left alone.
        tokenizer: Its tokenizer.
        rows: Encoded rows.
        objective: The loss.
        settings: How to train.
        incentive: What is priced; None for nothing.
        read_rows: Rows that are read once besides, by a teacher or to measure the model.
        graded_rows: Rows that are read with a backward pass besides, to measure the importance of units; those that the
            start of an incentive needs are counted anyway.
        run_share: Mean share of the MACs of heads and neurons that a step runs.

    Returns:
        Steps, seconds, and bytes of memory and disk. Nothing is written.
    """
    pace = measured_pace(copy.deepcopy(model), tokenizer, rows, objective, settings)
    steps, phases = settings.total_steps(len(rows)), 1
    step = pace.step * (_HIDDEN if settings.hidden_weight else 1.0) * (_FIXED_SHARE + (1 - _FIXED_SHARE) * run_share)
    if incentive is not None and COSTS[incentive.cost].removes_work:
        macs = unit_macs(model, mean_length(rows))
        step *= _share_of_step(incentive, float(macs.total()) / macs.dense)
        graded_rows += min(CALIBRATION_ROWS, len(rows)) if incentive.grades_rows else 0
        phases = 2
    trained = sum(part.numel() for part in model.parameters() if part.requires_grad)
    stored = sum(part.numel() * part.element_size() for part in model.parameters())
    checkpoint = stored + 8 * trained
    written = stored + (steps // settings.save_every * checkpoint if settings.save_every else 0)
    checkpoints = (_KEPT + 1) * checkpoint if settings.save_every else 0
    teacher = stored if settings.hidden_weight else 0
    return TrainingEstimate(
        steps,
        steps * step
        + pace.row * (read_rows + _BACKWARD * graded_rows)
        + written / _STORED_S
        + phases * _PHASE_S * bool(steps),
        stored + teacher + _ADAM_BYTES * trained + pace.held,
        stored + checkpoints,
    )


def _share_of_step(incentive: IncentiveSettings, whole: float) -> float:
    """Time of a step against one with all units, whose share of the MACs is `whole`, over both phases of a training."""
    left = 0.5 if incentive.target is None else min(1.0, incentive.target / whole)
    later = 1 - incentive.price_share
    return incentive.price_share * _GATES + later * (_FIXED_SHARE + (1 - _FIXED_SHARE) * left)


def require_room(estimate: TrainingEstimate, folder: Path) -> None:
    """Make sure that a training fits before it starts; CompeconError if memory or disk are too small."""
    free = psutil.virtual_memory().available
    if not torch.cuda.is_available() and estimate.memory_bytes > free:
        raise CompeconError(
            f"The training needs about {_size(estimate.memory_bytes)} of memory, but {_size(free)} are free. "
            "Use a smaller batch size, more accumulated passes, or checkpointing."
        )
    place = next(path for path in (folder, *folder.resolve().parents) if path.exists())
    room = shutil.disk_usage(place).free
    if estimate.disk_bytes + _SPARE_BYTES > room:
        raise CompeconError(
            f"The training writes about {_size(estimate.disk_bytes)}, but {_size(room)} are free in {place}. "
            "Free some, choose another folder, or save less often."
        )


def _size(n_bytes: float) -> str:
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{math.ceil(n_bytes / 1e6)} MB"


def measured_pace(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    settings: FineTuneSettings,
) -> Pace:
    """Time a few batches. The model is changed by it: its gradients, and that it trains."""
    loss, kind = batch_loss(objective), _AUTOCAST.get(settings.precision)
    taken = []
    batches = list(
        itertools.islice(calibration(tokenizer, rows, batch_size=settings.batch_size, device=model.device), 3)
    )
    model.train()
    served = nullcontext if settings.hidden_weight else at_one_position  # imitated states are those of all positions
    with torch.random.fork_rng(), served(model):
        for batch in batches:
            began = time.perf_counter()
            with held_for_backward(model) as held:
                with torch.autocast(model.device.type, dtype=kind, enabled=kind is not None):
                    value = loss(model, batch)
                value.backward()  # type: ignore[no-untyped-call]
            taken.append(time.perf_counter() - began)
    later = taken[1:] or taken  # the first pays for what is set up once
    model.train(False)
    with torch.inference_mode(), at_one_position(model):
        began = time.perf_counter()
        for batch in batches:
            loss(model, batch)
        row = (time.perf_counter() - began) / sum(len(batch["input_ids"]) for batch in batches)
    return Pace(settings.accumulate * sum(later) / len(later), row, sum(held.values()))


@contextmanager
def held_for_backward(model: nn.Module) -> Iterator[dict[int, int]]:
    """Collect what forward passes within the context hold for their backward pass, parameters left out.

    Yields:
        Bytes of each block of memory by its address, complete as soon as the forward pass is.
    """
    own = {part.untyped_storage().data_ptr() for part in model.parameters()}
    held: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        block = tensor.untyped_storage()
        if block.data_ptr() not in own:
            held[block.data_ptr()] = block.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        yield held
