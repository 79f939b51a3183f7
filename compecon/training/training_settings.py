"""How to train, what a step was, and what a training took."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from compecon.callbacks import StepRecord
from compecon.settings.model import Counts, settings_model

Device = Literal["auto", "cpu"]
Precision = Literal["float32", "bfloat16", "float16"]
_LARGEST_SEED = 2**32 - 1  # numpy takes no larger ones


@settings_model
class FineTuneSettings:
    """How to fine-tune; each field has a description."""

    epochs: float = Field(default=3.0, gt=0, description="Passes over the training rows; may be a fraction.")
    steps: int | None = Field(default=None, ge=1, description="Optimizer steps, instead of epochs.")
    batch_size: int = Field(
        default=16, gt=0, description="Rows per forward pass; rows of similar length are batched together."
    )
    accumulate: int = Field(default=1, gt=0, description="Forward passes per optimizer step.")
    learning_rate: float = Field(
        default=1e-4, gt=0, description="Peak learning rate of the body, after a linear warm-up."
    )
    decay: bool = Field(
        default=True, description="Decrease the learning rate linearly to 0 after that, instead of keeping it."
    )
    head_multiplier: float = Field(
        default=10.0,
        gt=0,
        description="Multiple of the learning rate for the head (everything outside the base model, and a pooler), "
        "which is not pretrained.",
    )
    gate_rate: float = Field(default=0.15, gt=0, description="Learning rate of gates, if any; it does not decay.")
    weight_decay: float = Field(
        default=0.01, ge=0, description="Decoupled weight decay of matrices; vectors have none."
    )
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps that warm up, in [0, 1).")
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="Seed of row order, dropout and gates.")
    precision: Precision = Field(
        default="bfloat16",
        description='Precision of the forward pass; weights stay float32, and "float16" needs CUDA.',
    )
    freeze_embeddings: bool = Field(default=False, description="Do not train the embeddings.")
    key_budgets: Counts = Field(
        default=(),
        description="Key budgets, one drawn per step, so that one checkpoint works at all of them (budget dropout); "
        "empty for none.",
    )
    full_share: float = Field(default=0.35, ge=0, le=1, description="Share of the steps without such a budget.")
    hidden_weight: float = Field(
        default=0.0, ge=0, description="Weight of the squared distance to the teacher's hidden states; 0 for none."
    )
    checkpointing: bool = Field(
        default=False,
        description="Recompute activations in the backward pass, to save memory at the cost of time.",
    )
    save_every: int | None = Field(
        default=None, ge=1, description="Optimizer steps between checkpoints, from which the training can continue."
    )
    device: Device = Field(
        default="auto",
        description='"auto" for the best available, or "cpu". CUDA_VISIBLE_DEVICES selects one of several GPUs.',
    )

    def total_steps(self, n_rows: int) -> int:
        """Optimizer steps over so many rows on one device."""
        if self.steps is not None:
            return self.steps
        batches = -(-n_rows // self.batch_size)
        return math.ceil(self.epochs * -(-batches // self.accumulate))


@dataclass(frozen=True)
class FineTuneResult:
    """What a fine-tuning took.

    Attributes:
        steps: Optimizer steps, those of an interrupted training that it continued included.
        seconds: Wall time of this part.
        history: Each step of this part.
    """

    steps: int
    seconds: float
    history: tuple[StepRecord, ...]

    @property
    def losses(self) -> tuple[float, ...]:
        """Loss of each step."""
        return tuple(record.loss for record in self.history)
