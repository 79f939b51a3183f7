"""How to train, what a step was, and what a training took."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from compecon.callbacks import StepRecord

Device = Literal["auto", "cpu"]
Precision = Literal["float32", "bfloat16", "float16"]
_SEEDS = 2**32  # numpy takes no larger ones


@dataclass(frozen=True)
class FineTuneSettings:
    """How to fine-tune.

    Attributes:
        epochs: Passes over the rows; part of one is allowed.
        steps: Optimizer steps; takes the place of `epochs` if given.
        batch_size: Rows of a forward pass; rows of like length are batched together.
        accumulate: Forward passes an optimizer step.
        learning_rate: Peak rate of the body, after a linear warm-up.
        decay: Whether the rate then falls to 0 at the end, linearly; otherwise it stays.
        head_multiplier: The head (all outside the base model, and a pooler) learns at this multiple: it starts from
            nothing, the body does not.
        gate_rate: Rate of gates, where there are any; it does not decay.
        weight_decay: Decoupled decay of matrices; vectors have none.
        warmup: Share of the steps, in [0, 1).
        seed: Seeds the order of rows, dropout and gates.
        precision: What the forward pass is computed in (weights stay float32); "float16" needs CUDA.
        freeze_embeddings: Whether the embeddings stay as they are.
        key_budgets: Numbers of keys to draw a budget from at each step, so that one checkpoint serves all budgets
            (budget dropout); empty for none.
        full_share: Share of the steps that have no such budget.
        hidden_weight: Weight of the squared distance to the teacher's hidden states; 0 for none.
        checkpointing: Whether to recompute activations in the backward pass, which saves memory and costs time.
        save_every: Optimizer steps between checkpoints of the training; None for none.
        device: "auto" for the best there is, or "cpu". Which of several GPUs: by CUDA_VISIBLE_DEVICES.
    """

    epochs: float = 3
    steps: int | None = None
    batch_size: int = 16
    accumulate: int = 1
    learning_rate: float = 1e-4
    decay: bool = True
    head_multiplier: float = 10
    gate_rate: float = 0.15
    weight_decay: float = 0.01
    warmup: float = 0.1
    seed: int = 0
    precision: Precision = "bfloat16"
    freeze_embeddings: bool = False
    key_budgets: tuple[int, ...] = ()
    full_share: float = 0.35
    hidden_weight: float = 0.0
    checkpointing: bool = False
    save_every: int | None = None
    device: Device = "auto"

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulate", "learning_rate", "head_multiplier", "gate_rate"):
            self._require(name, 0 < getattr(self, name) < math.inf, "above 0 and finite")
        for name in ("hidden_weight", "weight_decay"):
            self._require(name, 0 <= getattr(self, name) < math.inf, "at least 0 and finite")
        for name in ("steps", "save_every"):
            self._require(name, getattr(self, name) is None or getattr(self, name) >= 1, "at least 1")
        self._require("warmup", 0 <= self.warmup < 1, "in [0, 1)")
        self._require("full_share", 0 <= self.full_share <= 1, "in [0, 1]")
        self._require("key_budgets", all(keys >= 1 for keys in self.key_budgets), "at least 1 each")
        self._require("seed", 0 <= self.seed < _SEEDS, "in [0, 2**32)")
        if self.precision not in ("float32", "bfloat16", "float16"):
            raise ValueError(f"precision must be float32, bfloat16 or float16, got {self.precision!r}.")
        if self.device not in ("auto", "cpu"):
            raise ValueError(f"device must be auto or cpu, got {self.device!r}.")

    def _require(self, name: str, fits: bool, wanted: str) -> None:
        """Make sure that a field is in its range.

        Raises:
            ValueError: If it is not.
        """
        if not fits:
            raise ValueError(f"{name} must be {wanted}, got {getattr(self, name)}.")

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
