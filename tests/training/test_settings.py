"""Settings that make no sense are refused, and steps are counted as Trainer counts them."""

from __future__ import annotations

import itertools
import math

import pytest
from transformers import Trainer, TrainingArguments

from compecon.compression.units import unit_macs
from compecon.incentives.costs import COSTS
from compecon.incentives.gates import Gates
from compecon.latency import Workload
from compecon.tasks.objectives import classification_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.training_settings import FineTuneSettings


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": math.inf},
        {"steps": 0},
        {"batch_size": 0},
        {"accumulate": 0},
        {"learning_rate": -1.0},
        {"learning_rate": math.nan},
        {"head_multiplier": 0},
        {"gate_rate": 0},
        {"weight_decay": -0.1},
        {"warmup": 1.0},
        {"warmup": -0.1},
        {"full_share": 1.1},
        {"key_budgets": (8, 0)},
        {"hidden_weight": -1.0},
        {"hidden_weight": math.nan},
        {"save_every": 0},
        {"precision": "float64"},
        {"device": "tpu"},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="must be"):
        FineTuneSettings(**wrong)


def test_an_epoch_is_all_batches_the_last_one_and_the_last_part_of_a_step_included():
    assert FineTuneSettings(epochs=1, batch_size=4, accumulate=2).total_steps(13) == 2  # 4 batches in 2 steps
    assert FineTuneSettings(epochs=1, batch_size=4, accumulate=3).total_steps(13) == 2  # 3 batches, then 1
    assert FineTuneSettings(epochs=0.1, batch_size=4).total_steps(13) == 1
    assert FineTuneSettings(steps=7, epochs=9).total_steps(13) == 7


def test_steps_are_those_that_trainer_counts(tmp_path):
    """By the function of Trainer that decides it, over rows × batch × accumulation × epochs."""
    for n, size, accumulate, epochs in itertools.product((1, 7, 16, 33), (1, 4, 16), (1, 3, 4), (0.3, 1, 1.5, 3)):
        arguments = TrainingArguments(
            output_dir=str(tmp_path),
            per_device_train_batch_size=size,
            gradient_accumulation_steps=accumulate,
            num_train_epochs=epochs,
            use_cpu=True,
        )
        trainer = Trainer.__new__(Trainer)
        trainer.args = arguments
        trainer.get_sp_size = lambda: 1
        trainer.get_total_train_batch_size = lambda args: args.train_batch_size
        trainer.num_examples = lambda _loader: 1
        loader = range(-(-n // size))
        *_, counted = trainer.set_initial_training_values(arguments, loader)
        settings = FineTuneSettings(epochs=epochs, batch_size=size, accumulate=accumulate)
        assert settings.total_steps(n) == counted, (n, size, accumulate, epochs)


@pytest.mark.parametrize(("epochs", "accumulate"), [(1.5, 2), (0.3, 1), (1, 3)])
def test_as_many_steps_are_taken_as_were_counted(tokenizer, tiny_bert, rows_of, epochs, accumulate):
    settings = FineTuneSettings(epochs=epochs, batch_size=3, accumulate=accumulate, precision="float32")
    result = fine_tune(tiny_bert(), tokenizer, rows_of(14), classification_loss(), settings)
    assert result.steps == len(result.history) == settings.total_steps(14)
    assert [record.step for record in result.history] == list(range(1, result.steps + 1))


@pytest.mark.parametrize("cost", COSTS)
def test_each_name_of_a_cost_can_be_computed(tiny_bert, cost):
    made = COSTS.load(cost).for_training(tiny_bert(), Workload(n_tokens=4, batch=1))
    gates = Gates(unit_macs(tiny_bert(), 4)) if COSTS[cost].removes_work else None
    with made.metered(tiny_bert(), gates):
        pass
