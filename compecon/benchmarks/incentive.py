"""What a price costs: a training step with gates and a price against the same step of the same trainer without."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from typing import Any

import torch

from compecon.benchmarks.figures import Figure, Goal, Settings, Table
from compecon.benchmarks.made_models import bundled_checkpoint, random_rows
from compecon.benchmarks.timing import one_thread, ratios
from compecon.compression.units import unit_macs
from compecon.incentives.costs.macs import ExpectedMacs
from compecon.incentives.gates import Gates, gated
from compecon.incentives.price import DualAscent
from compecon.tasks.encode_rows import Features
from compecon.tasks.objectives import classification_loss
from compecon.training.estimate import held_for_backward
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive import batch_loss, calibration
from compecon.training.trainer import Charge
from compecon.training.training_settings import FineTuneSettings

_BATCH, _TOKENS = 16, 32
_STEPS = 6  # of one turn; the first one sets things up and does not count
_TIME_GOAL, _MEMORY_GOAL = 1.15, 1.2


def measure(settings: Settings) -> list[Table]:
    """Steps of the bundled sentiment model, in turns."""
    checkpoint = bundled_checkpoint()
    rows = random_rows(checkpoint.model.config.vocab_size, n_rows=_BATCH * _STEPS, n_tokens=_TOKENS)
    return [incentive_table(checkpoint.model, checkpoint.tokenizer, rows, settings.pick(5, 1))]


def incentive_table(model: Any, tokenizer: Any, rows: Sequence[Features], turns: int) -> Table:
    """Time steps of both sides in turns, and count what a step holds in memory; the model is left alone."""
    plain, priced = _side(model, tokenizer, rows, _nothing), _side(model, tokenizer, rows, _price)
    times: dict[str, list[float]] = {"plain": [], "priced": []}
    with one_thread():
        for turn in range(turns):
            both = [("plain", plain), ("priced", priced)]
            for name, side in both if turn % 2 == 0 else reversed(both):
                times[name] += side()
        held = [_step_bytes(model, tokenizer, rows, charged) for charged in (_nothing, _price)]
    figures = (
        Figure("a step without a price", "ms", tuple(times["plain"])),
        Figure("a step with gates and a price", "ms", tuple(times["priced"])),
        Figure("  times the one without", "×", ratios(times["priced"], times["plain"]), Goal("median", _TIME_GOAL)),
        Figure("memory of a step without a price", "MB", (held[0] / 1e6,)),
        Figure("  with gates and a price, times that", "×", (held[1] / held[0],), Goal("max", _MEMORY_GOAL)),
    )
    notes = (
        f"{len(unit_macs(model, 1).heads)} layers, {_BATCH} texts of {_TOKENS} tokens, float32, one thread. A step is "
        "forward, backward, AdamW, and all that Trainer does around it; the sides take turns of a few steps.",
        "Memory: weights, gradients, both moments, and what the forward pass holds for the backward pass.",
    )
    return Table("incentive: a training step that has a price against one that has none", figures, notes)


Charged = Callable[[Any], Any]  # model -> a context whose value is the charge


def _nothing(_model: Any) -> Any:
    return nullcontext()


@contextmanager
def _price(model: Any) -> Iterator[Charge]:
    macs = unit_macs(model, _TOKENS)
    gates = Gates(macs.map(lambda part: torch.full((len(part),), 2.0)))
    with gated(model, gates), ExpectedMacs(_TOKENS).metered(model, gates) as read:
        yield Charge(DualAscent(budget=0.45, ramp=1.0), read, lambda: gates.share(macs))


def _side(model: Any, tokenizer: Any, rows: Sequence[Features], charged: Charged) -> Callable[[], list[float]]:
    """A function that trains a copy of the model for some steps: the milliseconds of each but the first."""
    own = copy.deepcopy(model)
    settings = FineTuneSettings(steps=_STEPS, batch_size=_BATCH, precision="float32", device="cpu")

    def turn() -> list[float]:
        with charged(own) as charge:
            result = fine_tune(own, tokenizer, rows, classification_loss(), settings, charge=charge)
        return [1000 * (after.seconds - before.seconds) for before, after in pairwise(result.history)]

    return turn


def _step_bytes(model: Any, tokenizer: Any, rows: Sequence[Features], charged: Charged) -> int:
    own = copy.deepcopy(model).train()
    batch = next(iter(calibration(tokenizer, rows, batch_size=_BATCH)))
    with charged(own) as charge, held_for_backward(own) as held:
        loss = batch_loss(classification_loss())(own, batch)
        if charge is not None:
            loss = loss + charge.read(batch["attention_mask"])
        trained: int = sum(part.numel() for part in own.parameters() if part.requires_grad)
        weights: int = sum(part.numel() * part.element_size() for part in own.parameters())
    return weights + 12 * trained + sum(held.values())
