import numpy as np
import pytest
import torch

from compecon.attention.budget import KeyBudget
from compecon.compression.families import layers_of
from compecon.evaluation.evaluate_model import evaluate
from compecon.studies.any_budget import MEASURED, budget_rows, measured, run_budgets, train_any_budget
from compecon.tasks.encode_rows import encode
from compecon.tasks.objectives import classification_loss
from compecon.training.arms import Start
from compecon.training.training_settings import FineTuneSettings

BRIEF = FineTuneSettings(steps=6, batch_size=8, learning_rate=1e-2, precision="float32", freeze_embeddings=True)


@pytest.fixture(scope="module")
def start(opinions, words, fresh):
    rows = encode(words, opinions.splits["train"], 16)
    return Start(fresh(0), words, rows, classification_loss(), BRIEF)


def test_the_ffn_stays_and_attention_learns(start):
    model = train_any_budget(start)
    for old, new in zip(layers_of(start.model), layers_of(model), strict=True):
        assert torch.equal(old.neurons_in.weight, new.neurons_in.weight)
        assert torch.equal(old.neurons_out.weight, new.neurons_out.weight)
        assert not torch.equal(old.heads_out.weight, new.heads_out.weight)


def test_budgets_change_what_is_learnt(start):
    with_budgets, without = train_any_budget(start), train_any_budget(start, keys=())
    one, two = (layers_of(model)[0].heads_out.weight for model in (with_budgets, without))
    assert not torch.equal(one, two)


def test_each_budget_is_measured_under_itself(start, opinions):
    run = measured("dense", 0, start.model, start.tokenizer, opinions, max_tokens=16)
    for keys, predictions in zip(MEASURED, run.predictions, strict=True):
        budget = KeyBudget(keys) if keys else None
        again = evaluate(start.model, start.tokenizer, opinions, "test", max_tokens=16, budget=budget)
        assert np.array_equal(again.predictions, predictions)


def test_dense_does_not_differ_from_itself(start, opinions, tmp_path):
    said = []
    rows = run_budgets(lambda _seed: start, [0], opinions, tmp_path, max_tokens=16, say=said.append)
    assert [(row.arm, row.keys) for row in rows if row.arm == "dense"] == [("dense", keys) for keys in MEASURED]
    assert all(row.change.value == row.change.low == row.change.high == 0 for row in rows if row.arm == "dense")
    assert len(said) == 3


def test_a_change_is_against_dense_under_the_same_budget(start, opinions):
    runs = [
        measured("dense", 0, start.model, start.tokenizer, opinions, max_tokens=16),
        measured("any budget", 0, train_any_budget(start), start.tokenizer, opinions, max_tokens=16),
    ]
    for row in budget_rows(runs, opinions):
        index = MEASURED.index(row.keys)
        run = runs[row.arm == "any budget"]
        assert row.change.value == pytest.approx(run.test[index].value - runs[0].test[index].value)
