"""`transformers.Trainer` with a price on compute, a teacher, and key budgets drawn anew at each step."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import LambdaLR
from transformers import Trainer

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention
from compecon.callbacks import StepRecord
from compecon.checkpoints.inputs import read
from compecon.incentives.costs.cost import Read
from compecon.incentives.price import Price
from compecon.tasks.objectives import Objective
from compecon.training.elastic_steps import ElasticSteps
from compecon.training.training_rows import LikeLengths
from compecon.training.training_settings import FineTuneSettings


@dataclass
class Charge:
    """What compute costs in a training; the price moves with it."""

    price: Price  # of the next step
    read: Read  # reads the cost of the last forward pass
    left: Callable[[], float] = lambda: 1.0  # share of the dense cost (MACs or time) if the model were compacted now


@dataclass(frozen=True)
class Lesson:
    """What is to be learnt: an objective, and a teacher's hidden states."""

    objective: Objective  # the task's loss
    settings: FineTuneSettings
    teacher: nn.Module | None = None  # frozen; its hidden states are imitated
    before: int = 0  # steps before this part of a training; messages count on from there


class IncentiveTrainer(Trainer):
    """Minimises task loss + price × cost.

    The loss is divided by the number of accumulated passes here, so that the gradient is that of their mean (Trainer
    divides only losses that it does not take for scaled already). The model's own loss is never used: GPT-2's divides
    by one token too many.

    Args:
        lesson: What to learn.
        charge: What compute costs; None for nothing.
        sizes: Sizes of the model that are trained together; None to train the whole of it.
        report: Called with each optimizer step.
        **kwargs: As for `Trainer`.
    """

    loss_is_scaled_for_ga = True

    def __init__(
        self,
        *,
        lesson: Lesson,
        charge: Charge | None,
        sizes: ElasticSteps | None,
        report: Callable[[StepRecord], None],
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.lesson, self.charge, self.sizes, self.report = lesson, charge, sizes, report
        self._passes: list[tuple[float, float]] = []  # task loss and cost of each pass of the running step
        self._logged: list[tuple[float, float, float]] = []  # task loss, cost and price of each step since the last log
        if lesson.teacher is not None:
            lesson.teacher.to(self.args.device)
        self._began = time.monotonic()

    def training_step(self, model: nn.Module, inputs: dict[str, Tensor], *rest: Any, **named: Any) -> Tensor:
        """One forward and backward pass, both under the step's key budget: a checkpointed one computes twice."""
        model.train()
        self._runs = self.accelerator.unwrap_model(model) if self.sizes is None else self.sizes.bound()
        with self._budget(model):
            return super().training_step(model, inputs, *rest, **named)

    def compute_loss(self, model: Any, inputs: dict[str, Tensor], *_: Any, **__: Any) -> Tensor:
        """Loss of one forward pass, divided by the passes of a step.

        Raises:
            FloatingPointError: If it is not finite. The weights are then those before the step.
        """
        charge = self.charge
        more = {"output_hidden_states": True} if self.lesson.teacher is not None else {}
        if self.sizes is None:
            output = read(model, inputs, **more)
        else:
            with self.accelerator.autocast():  # which accelerate puts around the forward pass of the whole only
                output = read(self._runs, inputs, **more)
        task = self.lesson.objective(output.logits.float(), inputs["labels"], inputs.get("soft_targets"))
        if self.lesson.teacher is not None:
            task = task + self.lesson.settings.hidden_weight * self._distance(output, inputs)
        cost = charge.read(inputs.get("attention_mask")) if charge else None
        paid = self._share if cost is None else cost.item()
        loss = task if charge is None or cost is None else task + charge.price.value * cost
        self._passes.append((task.item(), paid))
        if not math.isfinite(float(loss.detach())):
            raise FloatingPointError(self._why(task, cost))
        return loss / self.current_gradient_accumulation_steps

    def finish_step(self) -> StepRecord:
        """Close an optimizer step: move the price and report. Called once per step, on every process."""
        task, cost = self._mean(self._passes)
        self._passes.clear()
        charge = self.charge
        paid = charge.price.value if charge else 0.0
        self._logged.append((task, cost, paid))
        step = self.state.global_step
        if charge:
            charge.price = charge.price.updated(cost=cost, progress=step / max(self.state.max_steps, 1))
        share = charge.left() if charge else self._share
        seconds = time.monotonic() - self._began
        record = StepRecord(step, task + paid * cost, task, cost, paid, share, seconds)
        self.report(record)
        return record

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Add task loss, cost and price, averaged since the last log, to what Trainer logs."""
        if "loss" in logs and self._logged:
            task, cost, price = np.mean(self._logged, axis=0).tolist()
            self._logged.clear()
            logs = {**logs, "task_loss": task, "cost": cost, "price": price}
        super().log(logs, start_time)

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        """Linear warm-up for all; then the weights' rate decays, if asked, and the gates' stays."""
        if self.lr_scheduler is None:
            chosen: Any = optimizer or self.optimizer
            settings = self.lesson.settings
            warm = max(1, round(settings.warmup * num_training_steps))

            def rate(step: int, decays: bool) -> float:
                climb = min(1.0, (step + 1) / warm) if settings.warmup else 1.0
                fall = (num_training_steps - step) / max(1, num_training_steps - warm)
                return min(climb, max(0.0, fall)) if decays else climb

            decays = [settings.decay and not group.get("gates", False) for group in chosen.param_groups]
            self.lr_scheduler = LambdaLR(chosen, [partial(rate, decays=one) for one in decays])
        return self.lr_scheduler

    def _get_train_sampler(self, train_dataset: Any = None) -> LikeLengths:
        """Rows in an order that is the same on every process and after a resumption."""
        rows: Any = self.train_dataset if train_dataset is None else train_dataset
        together = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LikeLengths(rows, together, self.args.seed, lambda: int(self.state.epoch or 0))

    def _clip_grad_norm(self, model: nn.Module) -> Any:
        """Clip, unless the gradient is not finite: that ends the training before it reaches the weights.

        With float16 that is expected: the scaler skips such a step and scales down.
        """
        norm = super()._clip_grad_norm(model)  # type: ignore[no-untyped-call]
        if not (math.isfinite(float(norm)) or self.args.fp16):
            raise FloatingPointError(
                f"the gradient is not finite at step {self._step}, although the loss is. Lower the learning rate."
            )
        return norm

    def _budget(self, model: nn.Module) -> AbstractContextManager[None]:
        """A key budget of this step's own, the same on every process and after a resumption."""
        settings = self.lesson.settings
        if not (settings.key_budgets and model.training):
            return nullcontext()
        dice = np.random.default_rng((settings.seed, self.state.global_step, len(self._passes)))
        if dice.random() < settings.full_share:
            return nullcontext()
        return budgeted_attention(self._runs, KeyBudget(int(dice.choice(settings.key_budgets))))

    def _distance(self, output: Any, batch: Mapping[str, Tensor]) -> Tensor:
        assert self.lesson.teacher is not None  # noqa: S101 - for the type checker
        with torch.no_grad():
            taught = read(self.lesson.teacher, batch, output_hidden_states=True).hidden_states[1:]
        learnt = output.hidden_states[1:]
        mask = batch.get("attention_mask")
        real = slice(None) if mask is None else mask.bool()
        every = len(taught) // len(learnt)  # a deeper teacher: its layers at the same relative depth
        pairs = zip(learnt, taught[every - 1 :: every], strict=True)
        return torch.stack([functional.mse_loss(own[real].float(), other[real].float()) for own, other in pairs]).mean()

    def _mean(self, passes: list[tuple[float, float]]) -> tuple[float, float]:
        """Mean over the passes of a step and over processes."""
        mean = torch.tensor(passes, dtype=torch.float64).mean(0)
        if self.accelerator.num_processes > 1:
            mean = self.accelerator.reduce(mean.float().to(self.accelerator.device), "mean").double()
        return float(mean[0]), float(mean[1])

    @property
    def _share(self) -> float:
        """Share of the MACs of heads and neurons that run in this step, without a charge."""
        return 1.0 if self.sizes is None else self.sizes.share

    @property
    def _step(self) -> int:
        """The step that is being made, counted over all parts of the training."""
        return self.lesson.before + self.state.global_step + 1

    def _why(self, task: Tensor, cost: Tensor | None) -> str:
        broken = "the task's loss" if not torch.isfinite(task) else f"the cost ({cost})"
        return (
            f"the loss is not finite at step {self._step}: {broken} is "
            f"{float(task.detach()):g}. Lower the learning rate, or look for rows without a label."
        )
