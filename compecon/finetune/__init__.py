"""Dense fine-tuning: `transformers.Trainer`, one loss function, one learning rate for the body and one for the head."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional
from transformers import (
    DataCollatorWithPadding,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainingArguments,
)

from compecon.tasks.encode import Features
from compecon.tasks.objectives import Objective


@dataclass(frozen=True)
class FineTuneSettings:
    """How to fine-tune.

    Attributes:
        epochs: Passes over the rows; part of one is allowed.
        batch_size: Rows a step; rows of like length are batched together.
        learning_rate: Peak rate of the body: linear warm-up, then linear decay to 0.
        head_multiplier: The head (all outside the base model, and a pooler) learns at this multiple: it starts from
            nothing, the body does not.
        weight_decay: Decoupled decay of matrices; vectors have none.
        warmup: Share of the steps, in [0, 1).
        seed: Seeds the order of rows and dropout.
        bf16: Autocast to bfloat16 (weights stay float32).
    """

    epochs: float = 3
    batch_size: int = 16
    learning_rate: float = 1e-4
    head_multiplier: float = 10
    weight_decay: float = 0.01
    warmup: float = 0.1
    seed: int = 0
    bf16: bool = True

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.learning_rate, self.head_multiplier) <= 0:
            raise ValueError(f"epochs, batch_size, learning_rate and head_multiplier must be above 0, got {self}.")
        if not 0 <= self.warmup < 1:
            raise ValueError(f"warmup must be in [0, 1), got {self.warmup}.")


@dataclass(frozen=True)
class FineTuneResult:
    """What a fine-tuning took.

    Attributes:
        steps: Optimizer steps.
        seconds: Wall time.
        losses: Training loss of each step.
    """

    steps: int
    seconds: float
    losses: tuple[float, ...]


def fine_tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    objective: Objective,
    settings: FineTuneSettings,
) -> FineTuneResult:
    """Train a model in place, and leave it in evaluation mode. Frozen parameters stay as they are.

    Args:
        model: The model; parameters with `requires_grad=False` are not touched.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows, from `compecon.tasks.encode`.
        objective: The loss.
        settings: How.

    Raises:
        FloatingPointError: If the loss is not finite. The weights are then those before the step.
    """
    losses: list[float] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:  # Trainer wants a folder even if it saves nothing
        trainer = _Trainer(
            model=model,
            args=_arguments(settings, folder),
            train_dataset=rows,
            data_collator=DataCollatorWithPadding(tokenizer),
            optimizers=(_optimizer(model, settings), None),
        )
        trainer.remove_callback(PrinterCallback)
        trainer.objective, trainer.losses = objective, losses
        torch.manual_seed(settings.seed)
        trainer.train()
    model.train(False)
    return FineTuneResult(trainer.state.global_step, time.monotonic() - began, tuple(losses))


def predict(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Features], batch_size: int = 64
) -> Tensor:
    """Logits of every row, in the order given, in float32.

    Args:
        model: A model with one vector of logits a row.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows.
        batch_size: Rows at a time.

    Returns:
        Shape (row, label), on the CPU.
    """
    return _in_batches(model, tokenizer, rows, batch_size, lambda output, _: output.logits)


def embed(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Features], batch_size: int = 64
) -> Tensor:
    """Sentence embeddings: last hidden states averaged over the tokens, of length 1, in float32.

    Args:
        model: An encoder.
        tokenizer: Its tokenizer, for padding.
        rows: Encoded rows, in the order wanted.
        batch_size: Rows at a time.

    Returns:
        Shape (row, width), on the CPU.
    """

    def mean(output: Any, batch: Mapping[str, Tensor]) -> Tensor:
        real = batch["attention_mask"].unsqueeze(-1)
        return functional.normalize((output.last_hidden_state * real).sum(1) / real.sum(1), dim=-1)

    return _in_batches(model, tokenizer, rows, batch_size, mean)


@torch.inference_mode()
def _in_batches(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    batch_size: int,
    read: Callable[[Any, Mapping[str, Tensor]], Tensor],
) -> Tensor:
    collate = DataCollatorWithPadding(tokenizer)
    by_length = sorted(range(len(rows)), key=lambda row: len(rows[row]["input_ids"]))
    parts = []
    for start in range(0, len(rows), batch_size):
        chosen = [_inputs(rows[row]) for row in by_length[start : start + batch_size]]
        batch = {name: tensor.to(model.device) for name, tensor in collate(chosen).items()}
        parts.append(read(model(**batch), batch).float().cpu())
    restore = torch.empty(len(rows), dtype=torch.long)
    restore[torch.tensor(by_length)] = torch.arange(len(rows))
    return torch.cat(parts)[restore]


class _Trainer(Trainer):
    objective: Objective
    losses: list[float]

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        labels, soft = inputs["labels"], inputs.get("soft_targets")
        loss = self.objective(model(**_inputs(inputs)).logits.float(), labels, soft)
        self.losses.append(loss.item())
        if not torch.isfinite(loss):
            raise FloatingPointError(f"the loss is {loss.item()} at step {len(self.losses)}. Lower the learning rate.")
        return loss


def _inputs(features: Any) -> Any:
    return {name: value for name, value in features.items() if name not in {"labels", "soft_targets"}}


def _arguments(settings: FineTuneSettings, folder: str) -> TrainingArguments:
    return TrainingArguments(
        output_dir=folder,
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        warmup_steps=settings.warmup,
        lr_scheduler_type="linear",
        train_sampling_strategy="group_by_length",
        seed=settings.seed,
        bf16=settings.bf16,
        use_cpu=not torch.cuda.is_available(),
        use_cache=True,  # Trainer writes this into the model's config, where it would slow generation later
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        save_strategy="no",
        logging_strategy="no",
        disable_tqdm=True,
        report_to="none",
    )


def _optimizer(model: PreTrainedModel, settings: FineTuneSettings) -> torch.optim.Optimizer:
    body = f"{model.base_model_prefix}."
    groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_head = not name.startswith(body) or ".pooler." in name
            groups.setdefault((is_head, parameter.ndim > 1), []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": settings.learning_rate * (settings.head_multiplier if is_head else 1),
                "weight_decay": settings.weight_decay if is_matrix else 0.0,
            }
            for (is_head, is_matrix), parameters in groups.items()
        ],
        betas=(0.9, 0.98),
    )
