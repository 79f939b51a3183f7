"""What earlier versions wrote still means the same: names of runs, and trainings that were left half-way."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from compecon.runs.jobs.job_registry import RECIPES
from compecon.runs.jobs.options import prune_plan, train_plan
from compecon.runs.run_record import RunSpec
from compecon.settings.model import fields_of
from compecon.training.training_settings import FineTuneSettings

SPECS = [  # recipe, settings, digest of the spec when settings were plain dataclasses
    (
        "train",
        {"task": "sst2", "base": "sentiment"},
        "6bd0ba8694ae6ae3f5326eb56c2b6b3f10ed6b966c1287ce05db4f5283a27370",
    ),
    (
        "train",
        {"task": "reviews", "base": "sentiment", "target": 0.45, "cost": "latency", "units": "heads", "epochs": 2},
        "355cfbf2451637a8a06e45bc185597f1c62e87adba49dd244570feb362c74a95",
    ),
    (
        "train",
        {
            "task": "sst2",
            "base": "owner/model",
            "price": 2,
            "schedule": "cosine",
            "key_budgets": [1, 2],
            "steps": 80,
            "save_every": 20,
        },
        "0e143af59e7ecb4c002b6be1dff2e01a287fb70f700d2ff43067b37e1f009f94",
    ),
    (
        "prune",
        {"task": "sst2", "checkpoint": "sentiment", "recover_epochs": 3, "method": "taylor"},
        "c9d43317d508fdeaf00ce590c28c8dd63e597788665ed534b47bc2e3e06f1c9a",
    ),
    (
        "prune",
        {"task": "sst2", "checkpoint": "sentiment", "recover_steps": 9, "seed": 4},
        "df7aeedef805f23d0edaa1031ab4a7addcf46a659c09935de087804b31886cba",
    ),
    (
        "evaluate",
        {"task": "sst2", "checkpoint": "sentiment", "keys": 3, "policy": "sink-recent"},
        "17cc53c7fff4b9278b41537cc8ac61c1877fd5dee6639b0e6ed5bda227c73dc1",
    ),
    (
        "evaluate",
        {"task": "sst2", "checkpoint": "sentiment", "budgets": [8, 4, 1]},
        "8cabc17881bc3dc3ed766c4d204bfa88ba42b7db17e9609b0ccab90c58f3b8bd",
    ),
    (
        "statistics",
        {"task": "sst2", "checkpoint": "sentiment"},
        "8807f55eb1a90cbadace7029c4a95619147322303a833b4a6d7e82e73ee07cd2",
    ),
    ("rehearsal", {"steps": 7, "fail_at": 3}, "ba1f6fbc0f22223779d985c6edf2d5da6f533ad48f7b51870cc85400d3495ac5"),
]
PLAN = """
{"settings": {"epochs": 3.0, "steps": 12, "batch_size": 8, "accumulate": 1, "learning_rate": 0.0001, "decay": true,
  "head_multiplier": 10.0, "gate_rate": 0.15, "weight_decay": 0.01, "warmup": 0.1, "seed": 0, "precision": "bfloat16",
  "freeze_embeddings": false, "key_budgets": [2, 4], "full_share": 0.35, "hidden_weight": 0.0, "checkpointing": false,
  "save_every": 2, "device": "cpu"},
 "incentive": {"target": 0.6, "price": 1.0, "schedule": "constant", "cost": "macs", "units": "both", "start": "fisher",
  "start_at": 0.3, "spread": 3.0, "price_share": 0.6, "first_price": 2.0, "price_rate": 0.1, "ramp": 0.8,
  "n_tokens": null},
 "teacher_share": 0.5, "max_tokens": 24}
"""  # of a `training.json`, as it was written then


@pytest.mark.parametrize(("recipe", "params", "digest"), SPECS)
def test_a_run_is_still_the_same_run(recipe, params, digest):
    assert RunSpec(recipe, RECIPES[recipe].checked(params)).digest == digest


def test_a_training_that_was_left_half_way_is_still_the_same_training():
    """Its folder is claimed by what this says; another plan is refused."""
    given = {
        "task": "reviews", "base": "sentiment", "target": 0.6, "steps": 12, "batch_size": 8, "max_tokens": 24,
        "save_every": 2, "device": "cpu", "key_budgets": [2, 4],
    }  # fmt: skip
    assert json.loads(json.dumps(train_plan(RECIPES["train"].read(given)).written())) == json.loads(PLAN)


def test_settings_can_be_compared_hashed_replaced_and_written():
    settings = FineTuneSettings(epochs=2, key_budgets=[1, 2])
    assert settings == FineTuneSettings(2.0, key_budgets=(1, 2))
    assert len({settings, replace(settings), FineTuneSettings()}) == 2
    assert FineTuneSettings(**asdict(settings)) == settings
    assert tuple(asdict(settings)) == tuple(fields_of(FineTuneSettings))
    with pytest.raises(ValueError, match="batch_size"):
        replace(settings, batch_size=0)
    with pytest.raises(AttributeError):
        settings.batch_size = 3


def test_a_pruning_recovers_under_the_name_of_its_own_setting():
    plan = prune_plan(RECIPES["prune"].read({"task": "reviews", "checkpoint": "sentiment", "recover_steps": 6}))
    assert plan.recovery == FineTuneSettings(steps=6)
