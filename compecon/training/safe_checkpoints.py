"""Checkpoints of a training that survive anything: complete or not there, kept by step, and resumable bit by bit.

Trainer writes the files of a checkpoint one after the other, takes a half-written folder for the newest one, and
deletes old ones by their clock. So each gets a marker when it is whole (`compecon.files.complete`).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from compecon.callbacks import StepCallbacks
from compecon.checkpoints.elastic_file import read_prices, written_prices
from compecon.checkpoints.gate.small_files import ELASTIC
from compecon.errors import CheckpointError
from compecon.files.complete import checkpoint_folder, mark_complete, step_of
from compecon.files.safe_reader import MEGABYTE, read_bytes, read_json
from compecon.training.elastic_steps import ElasticSteps
from compecon.training.trainer import IncentiveTrainer

_MOST_BYTES = 64 * MEGABYTE  # of an order of units, 16 bytes each
_PRICE, _CONFIG = "price.json", "config.json"


class Keeper(TrainerCallback):
    """Moves the price, marks finished checkpoints, drops old ones, and stops when the callbacks ask for it."""

    def __init__(self, trainer: IncentiveTrainer, watch: StepCallbacks) -> None:
        self.trainer, self.stop, self.done, self.saved = trainer, watch.stop, watch.done, watch.saved
        self.interrupted = False
        self.saves = trainer.args.save_strategy != "no"

    def on_step_begin(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the signature is transformers'
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002 - the signature is transformers'
        **kwargs: Any,  # noqa: ARG002 - the signature is transformers'
    ) -> None:
        """Choose the size that the step trains."""
        if self.trainer.sizes is not None:
            self.trainer.sizes.begin(state.global_step, self.trainer.optimizer)

    def on_step_end(
        self,
        args: TrainingArguments,  # noqa: ARG002 - the signature is transformers'
        state: TrainerState,
        control: TrainerControl,
        **kwargs: Any,  # noqa: ARG002 - the signature is transformers'
    ) -> TrainerControl:
        """Close the step; save and stop if the callbacks ask for it."""
        record = self.trainer.finish_step()
        if self.done(record):
            control.should_training_stop = True
        elif self._anyone(self.stop()) and state.global_step < state.max_steps:
            self.interrupted = True
            control.should_save = self.saves
            control.should_training_stop = True
        return control

    def on_save(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,  # noqa: ARG002 - the signature is transformers'
        **kwargs: Any,  # noqa: ARG002 - the signature is transformers'
    ) -> None:
        """Mark the checkpoint that was just written, then drop the older ones."""
        self.trainer.accelerator.wait_for_everyone()  # each process writes a file of its own
        if not state.is_world_process_zero:
            return
        folder = checkpoint_folder(Path(str(args.output_dir)), state.global_step)
        charge = self.trainer.charge
        if charge is not None:
            (folder / _PRICE).write_text(json.dumps({"value": charge.price.value}), encoding="utf-8")
        if self.trainer.sizes is not None:
            (folder / ELASTIC).write_bytes(written_prices(self.trainer.sizes.prices))
        mark_complete(folder, state.global_step)
        self.saved(state.global_step)

    def _anyone(self, said: bool) -> bool:
        """Whether any process said so: all have to leave at the same step."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return said
        return bool(accelerator.reduce(torch.tensor(float(said), device=accelerator.device), "sum") > 0)


def restore(trainer: IncentiveTrainer, checkpoint: Path) -> None:
    """Give a trainer the price, and the order of the units, at which a checkpoint was written.

    Raises:
        CheckpointError: If it was written by a training of another kind.
    """
    if trainer.sizes is not None:
        _restore_sizes(trainer.sizes, checkpoint)
    if trainer.charge is None:
        return
    try:
        value = read_json(checkpoint / _PRICE, MEGABYTE)["value"]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(f"{checkpoint} was written by a training without a price. Start a new one.") from error
    trainer.charge.price = replace(trainer.charge.price, value=value)


def _restore_sizes(sizes: ElasticSteps, checkpoint: Path) -> None:
    try:
        prices = read_prices(read_bytes(checkpoint / ELASTIC, _MOST_BYTES))
        kept = read_json(checkpoint / _CONFIG, MEGABYTE)["compact"]
        heads = tuple(tuple(map(int, layer)) for layer in kept["heads"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{checkpoint} was written by a training of one size. Start a new one.") from error
    if tuple(prices.bought) != sizes.budgets:
        raise CheckpointError(
            f"{checkpoint} is of a training with the sizes {', '.join(f'{each:g}' for each in prices.bought)}. "
            "Choose the same ones, or another folder."
        )
    sizes.restore(prices, heads, step_of(checkpoint))
