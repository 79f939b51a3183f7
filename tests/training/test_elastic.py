"""One training for every size: which step trains what, what it leaves alone, and that it can be left at any moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from compecon.callbacks import StepCallbacks
from compecon.compression.compact_model import kept_heads
from compecon.compression.units import unit_macs
from compecon.errors import CheckpointError, SettingError, TrainingInterruptedError
from compecon.tasks.objectives import classification_loss
from compecon.training.elastic import train_elastic
from compecon.training.elastic_schedule import elastic_schedule
from compecon.training.elastic_settings import ElasticSettings
from compecon.training.training_settings import FineTuneSettings

SIZES = ElasticSettings(budgets=(1.0, 0.7, 0.5, 0.4), last_start=0.5)
SETTINGS = FineTuneSettings(
    steps=12, batch_size=4, learning_rate=5e-3, seed=5, precision="float32", save_every=2, device="cpu"
)


def trained(tokenizer, model, rows, settings=SETTINGS, sizes=SIZES, watch=StepCallbacks(), **more):  # noqa: B008
    return train_elastic(model, tokenizer, rows, classification_loss(), sizes, settings, watch=watch, **more)


def weights(result):
    return {**result.elastic.model.state_dict(), "values": result.elastic.prices.values}


def same(one, other):
    return [name for name in one if not torch.equal(one[name], other[name])] == []


# ---- the schedule


def test_every_budget_is_trained_in_proportion_and_smaller_ones_begin_later():
    sizes = ElasticSettings()
    schedule = elastic_schedule(sizes, 1000, seed=0)
    number = Counter(schedule)
    assert len(schedule) == 1000
    assert set(number) == set(sizes.budgets)
    for larger, smaller in pairwise(sizes.budgets):
        assert number[smaller] / number[larger] == pytest.approx((larger / smaller) ** 0.5, rel=0.1)
    middles = [np.mean([place for place, each in enumerate(schedule) if each == size]) for size in sizes.budgets[-4:]]
    assert middles == sorted(middles)
    assert schedule.index(0.05) > 50
    mixed = elastic_schedule(replace(sizes, last_start=0.0), 1000, seed=0)
    middles = [np.mean([place for place, each in enumerate(mixed) if each == size]) for size in (0.2, 0.1, 0.05)]
    assert middles == pytest.approx([500] * 3, rel=0.15)


@pytest.mark.parametrize("steps", [4, 5, 17])
def test_no_size_goes_without_a_step_and_too_few_steps_are_refused(steps):
    assert set(elastic_schedule(SIZES, steps, seed=3)) == set(SIZES.budgets)
    with pytest.raises(SettingError, match="at least 4, one for each"):
        elastic_schedule(SIZES, 3, seed=3)


@pytest.mark.parametrize(
    "budgets",
    [(), (0.5,), (0.5, 0.5), (0.3, 0.5), (1.0, 0.0), (1.5, 0.5), (float("nan"), 0.5), (True, 0.5), ("1", 0.5)],
    ids=str,
)
def test_sizes_that_do_not_fall_within_zero_and_one_are_refused(budgets):
    with pytest.raises(SettingError, match="budgets"):
        ElasticSettings(budgets=budgets)


# ---- the training


@pytest.mark.slow
def test_every_size_learns_and_the_given_model_stays_as_it_was(tokenizer, tiny_bert, rows_of):
    model, rows = tiny_bert(layers=2), rows_of(64)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    result = trained(tokenizer, model, rows, replace(SETTINGS, steps=160, save_every=None))
    assert same(before, model.state_dict())
    assert not model.training
    batch = {name: torch.zeros(64, 6, dtype=torch.long) for name in ("input_ids", "attention_mask")}
    for index, row in enumerate(rows):
        for name, column in batch.items():
            column[index, : len(row[name])] = torch.tensor(row[name])
    labels = torch.tensor([row["labels"] for row in rows])
    for budget in (1.0, 0.85, 0.7, 0.6, 0.5, 0.4):
        right = result.elastic.at(budget)(**batch).logits.argmax(-1) == labels
        assert right.float().mean() > 0.9, budget


def test_each_step_runs_the_size_that_was_drawn_and_says_so(tokenizer, tiny_bert, rows_of):
    result = trained(tokenizer, tiny_bert(layers=2), rows_of(), replace(SETTINGS, save_every=None))
    schedule = elastic_schedule(SIZES, 12, SETTINGS.seed)
    macs = unit_macs(result.elastic.model, 5)
    largest_unit, whole = max(macs.joined()) / macs.dense, macs.total() / macs.dense
    for record, budget in zip(result.trained.history, schedule, strict=True):
        assert min(budget, float(whole)) - float(largest_unit) <= record.share == record.cost <= budget
    assert sorted(kept_heads(result.elastic.model)[0]) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize("extra", [{}, {"key_budgets": (1, 2)}, {"accumulate": 2}, {"checkpointing": True}], ids=str)
def test_a_training_that_was_left_at_any_step_ends_with_the_same_bits(tokenizer, tiny_bert, rows_of, tmp_path, extra):
    settings, rows = replace(SETTINGS, **extra), rows_of(16)
    model = tiny_bert(dropout=0.2, layers=2)
    whole = weights(trained(tokenizer, model, rows, settings, watch=StepCallbacks(folder=tmp_path / "whole")))
    for stop in range(1, 12) if not extra else (3, 8):
        seen = []
        watch = StepCallbacks(folder=tmp_path / f"left-{stop}", report=seen.append, stop=lambda: len(seen) == stop)  # noqa: B023
        with pytest.raises(TrainingInterruptedError):
            trained(tokenizer, model, rows, settings, watch=watch)
        again = trained(tokenizer, model, rows, settings, watch=StepCallbacks(folder=watch.folder))
        assert same(whole, weights(again)), stop


def test_a_folder_of_other_sizes_is_refused(tokenizer, tiny_bert, rows_of, tmp_path):
    seen = []
    watch = StepCallbacks(folder=tmp_path, report=seen.append, stop=lambda: len(seen) == 2)
    with pytest.raises(TrainingInterruptedError):
        trained(tokenizer, tiny_bert(layers=2), rows_of(), watch=watch)
    other = ElasticSettings(budgets=(1.0, 0.5))
    with pytest.raises(CheckpointError, match=r"sizes 1, 0\.7, 0\.5, 0\.4"):
        trained(tokenizer, tiny_bert(layers=2), rows_of(), sizes=other, watch=StepCallbacks(folder=tmp_path))


def test_a_budget_too_small_for_any_model_is_refused_before_a_step(tokenizer, tiny_bert, rows_of):
    with pytest.raises(ValueError, match="the least there is"):
        trained(tokenizer, tiny_bert(), rows_of(), sizes=ElasticSettings(budgets=(1.0, 0.01)))
