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
    """How to fine-tune; each field says what it is."""

    epochs: float = Field(default=3.0, gt=0, description="Passes over the rows; part of one is allowed.")
    steps: int | None = Field(default=None, ge=1, description="Optimizer steps; takes the place of `epochs` if given.")
    batch_size: int = Field(
        default=16, gt=0, description="Rows of a forward pass; rows of like length are batched together."
    )
    accumulate: int = Field(default=1, gt=0, description="Forward passes an optimizer step.")
    learning_rate: float = Field(default=1e-4, gt=0, description="Peak rate of the body, after a linear warm-up.")
    decay: bool = Field(
        default=True, description="Whether the rate then falls to 0 at the end, linearly; otherwise it stays."
    )
    head_multiplier: float = Field(
        default=10.0,
        gt=0,
        description="The head (all outside the base model, and a pooler) learns at this multiple: it starts from "
        "nothing, the body does not.",
    )
    gate_rate: float = Field(default=0.15, gt=0, description="Rate of gates, where there are any; it does not decay.")
    weight_decay: float = Field(default=0.01, ge=0, description="Decoupled decay of matrices; vectors have none.")
    warmup: float = Field(default=0.1, ge=0, lt=1, description="Share of the steps, in [0, 1).")
    seed: int = Field(default=0, ge=0, le=_LARGEST_SEED, description="Seeds the order of rows, dropout and gates.")
    precision: Precision = Field(
        default="bfloat16",
        description='What the forward pass is computed in (weights stay float32); "float16" needs CUDA.',
    )
    freeze_embeddings: bool = Field(default=False, description="Whether the embeddings stay as they are.")
    key_budgets: Counts = Field(
        default=(),
        description="Numbers of keys to draw a budget from at each step, so that one checkpoint serves all budgets "
        "(budget dropout); empty for none.",
    )
    full_share: float = Field(default=0.35, ge=0, le=1, description="Share of the steps that have no such budget.")
    hidden_weight: float = Field(
        default=0.0, ge=0, description="Weight of the squared distance to the teacher's hidden states; 0 for none."
    )
    checkpointing: bool = Field(
        default=False,
        description="Whether to recompute activations in the backward pass, which saves memory and costs time.",
    )
    save_every: int | None = Field(
        default=None, ge=1, description="Optimizer steps between checkpoints of the training; None for none."
    )
    device: Device = Field(
        default="auto",
        description='"auto" for the best there is, or "cpu". Which of several GPUs: by CUDA_VISIBLE_DEVICES.',
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
