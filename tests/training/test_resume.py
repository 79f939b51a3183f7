"""A training that was left and taken up again is the training that was never left: equal to the last bit, on a CPU."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

import pytest
import torch

from compecon.callbacks import StepCallbacks
from compecon.compression.units import unit_macs
from compecon.errors import TrainingInterruptedError
from compecon.incentives.costs.effective_keys import EffectiveKeys
from compecon.incentives.costs.group_lasso import GroupLasso
from compecon.incentives.costs.macs import ExpectedMacs
from compecon.incentives.gates import Gates, gated
from compecon.incentives.price import DualAscent, FixedPrice
from compecon.tasks.objectives import classification_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.trainer import Charge
from compecon.training.training_settings import FineTuneSettings

pytestmark = pytest.mark.slow

SETTINGS = FineTuneSettings(
    epochs=3,
    batch_size=2,
    accumulate=2,
    key_budgets=(1, 2, 3),
    full_share=0.3,
    learning_rate=1e-3,
    seed=5,
    precision="float32",
    save_every=3,
)  # 15 rows in 8 batches: 4 steps an epoch, the last one of 2 passes, 12 in all
Train = Callable[[StepCallbacks], tuple[dict, tuple]]


def trainer(tokenizer, build, rows, settings, priced) -> Train:
    """A function that trains from the start, or from where its folder was left; weights, and records without times."""

    def train(watch):
        torch.manual_seed(11)
        model = build(dropout=0.2, layers=2)
        with ExitStack() as stack:
            charge = priced(model, stack)
            result = fine_tune(model, tokenizer, rows, classification_loss(), settings, charge=charge, watch=watch)
            weights = {name: value.clone() for name, value in model.state_dict().items()}
            if charge:
                weights["price"] = torch.tensor(charge.price.value, dtype=torch.float64)
        return weights, tuple(replace(record, seconds=0.0) for record in result.history)

    return train


def free(_model, _stack):
    return None


def by_gates(model, stack):
    gates = Gates(unit_macs(model, 5).map(lambda part: torch.zeros(len(part))))
    stack.enter_context(gated(model, gates))
    read = stack.enter_context(ExpectedMacs(5).metered(model, gates))
    return Charge(DualAscent(value=1.0, budget=0.3), read, lambda: gates.share(unit_macs(model, 5)))


def by_activity(model, stack):
    return Charge(FixedPrice(height=0.5), stack.enter_context(GroupLasso().metered(model, None)))


def by_keys(model, stack):
    return Charge(FixedPrice(height=0.5), stack.enter_context(EffectiveKeys().metered(model, None)))


def left_after(train: Train, folder, steps):
    """Train, leaving after each of some steps; records of all parts, and the weights at the end."""
    records = []
    for stop in (*steps, None):
        watch = StepCallbacks(
            folder=folder,
            report=lambda record: records.append(replace(record, seconds=0.0)),
            stop=lambda stop=stop: bool(records) and records[-1].step == stop,
        )
        if stop is not None:
            with pytest.raises(TrainingInterruptedError):
                train(watch)
    return train(watch)[0], tuple(records)


@pytest.mark.parametrize("priced", [free, by_gates, by_activity, by_keys], ids=lambda priced: priced.__name__)
def test_a_training_that_was_left_in_the_second_epoch_ends_with_the_same_bits(
    tokenizer, tiny_bert, rows_of, tmp_path, priced
):
    train = trainer(tokenizer, tiny_bert, rows_of(15), SETTINGS, priced)
    whole, history = train(StepCallbacks(folder=tmp_path / "whole"))
    parts, records = left_after(train, tmp_path / "parts", [6])
    assert records == history
    assert whole.keys() == parts.keys()
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


@pytest.mark.parametrize(
    "steps",
    [pytest.param([1], marks=pytest.mark.slow), [4], [3, 5], pytest.param([11], marks=pytest.mark.slow)],
    ids=str,
)
def test_it_does_not_matter_when_and_how_often_a_training_was_left(tokenizer, tiny_bert, rows_of, tmp_path, steps):
    train = trainer(tokenizer, tiny_bert, rows_of(15), SETTINGS, by_gates)
    whole, history = train(StepCallbacks())
    parts, records = left_after(train, tmp_path, steps)
    assert records == history
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, steps=6)], ids=["by epochs", "within an epoch"])
def test_a_training_that_had_ended_takes_no_further_step(tokenizer, tiny_bert, rows_of, tmp_path, settings):
    train = trainer(tokenizer, tiny_bert, rows_of(15), settings, by_gates)
    whole, _ = train(StepCallbacks(folder=tmp_path))
    again, history = train(StepCallbacks(folder=tmp_path))
    assert history == ()
    assert [name for name in whole if not torch.equal(whole[name], again[name])] == []


def test_each_epoch_reads_every_row_once_in_an_order_of_its_own(tokenizer, tiny_bert, rows_of):
    read = []

    def loss(logits, labels, soft):
        read.extend(soft[:, 0].int().tolist())  # which row it is
        return classification_loss()(logits, labels, None)

    rows = [{**row, "soft_targets": [float(i)] * 2} for i, row in enumerate(rows_of(15))]
    settings = replace(SETTINGS, key_budgets=())
    fine_tune(tiny_bert(), tokenizer, rows, loss, settings)
    epochs = [read[start : start + 15] for start in (0, 15, 30)]
    assert all(sorted(epoch) == list(range(15)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    other = list(read)
    read.clear()
    fine_tune(tiny_bert(dropout=0.3), tokenizer, rows, loss, replace(settings, learning_rate=1e-5))
    assert read == other  # what else is random does not change the order
