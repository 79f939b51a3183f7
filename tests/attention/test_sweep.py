import pytest
import torch
from transformers import PreTrainedModel

from compecon.attention.budget import KeyBudget, PerLayer
from compecon.attention.hooks import budgeted_attention, recorded_attention
from compecon.attention.key_budget_sweep import sweep
from compecon.attention.policies.random_k import RandomK
from compecon.attention.policies.top_k import TopK
from compecon.errors import UnsupportedModelError

BUDGETS = [None, KeyBudget(share=0.5), *(KeyBudget(keys) for keys in range(1, 21))]  # more than one batch of rows


def one_by_one(model: PreTrainedModel, batch, policy):
    for budget in BUDGETS:
        with torch.inference_mode(), recorded_attention(model) as records:
            if budget is None:
                output = model(**batch)
            else:
                with budgeted_attention(model, budget, policy):
                    output = model(**batch)
        yield output, records


@pytest.mark.parametrize("policy", [TopK(), RandomK()], ids=repr)
def test_a_sweep_gives_what_separate_passes_give(family, policy):
    model = family.model()
    batch = {name: value[:1] for name, value in family.batch().items()}
    points = list(sweep(model, batch, BUDGETS, policy))
    assert [point.budget for point in points] == BUDGETS
    for point, (output, records) in zip(points, one_by_one(model, batch, policy), strict=True):
        assert torch.allclose(point.output[0], output[0], atol=1e-5)
        assert len(point.attention) == len(records)
        for given, expected in zip(point.attention, records, strict=True):
            assert (given.stack, given.layer) == (expected.stack, expected.layer)
            assert given.weights.shape == expected.weights.shape
            assert torch.allclose(given.weights, expected.weights, atol=1e-5)
            assert torch.equal(given.visible.expand_as(given.weights), expected.visible.expand_as(expected.weights))


@pytest.mark.parametrize("rows", [1, 2])
def test_long_texts_run_fewer_at_a_time_and_give_the_same(bert, text, rows, monkeypatch):
    together = list(sweep(bert, text, BUDGETS))
    monkeypatch.setattr("compecon.attention.key_budget_sweep.rows_at_once", lambda _: rows)
    for a, b in zip(together, sweep(bert, text, BUDGETS), strict=True):
        assert torch.allclose(a.output.last_hidden_state, b.output.last_hidden_state, atol=1e-5)


def test_points_come_as_they_are_known(bert, text):
    passes = []
    bert.register_forward_hook(lambda *_: passes.append(1))
    points = sweep(bert, text, BUDGETS)
    assert len(passes) == 0
    next(points)
    assert len(passes) == 1


def test_nothing_leaks_into_the_caller_between_two_points(bert, text):
    expected = bert(**text).last_hidden_state
    for _ in sweep(bert, text, BUDGETS):
        assert not torch.is_inference_mode_enabled()
        assert torch.allclose(bert(**text).last_hidden_state, expected, atol=1e-6)


def test_only_the_wanted_layers_are_recorded(bert, text):
    (point,) = sweep(bert, text, [KeyBudget(2)], layers={1})
    assert [record.layer for record in point.attention] == [1]
    (point,) = sweep(bert, text, [KeyBudget(2)], record=False)
    assert point.attention == ()


def test_outputs_hold_one_row_and_no_key_cache(families):
    model = families["Llama"].model("ForCausalLM")
    batch = {name: value[:1] for name, value in families["Llama"].batch().items()}
    for point in sweep(model, batch, BUDGETS, record=False):
        assert point.output.logits.shape == (1, 12, 50)
        assert "past_key_values" not in point.output


def test_a_loss_is_that_of_its_own_budget(families):
    model = families["Llama"].model("ForCausalLM")
    batch = {name: value[:1] for name, value in families["Llama"].batch().items()}
    batch["labels"] = batch["input_ids"]
    losses = [point.output.loss.item() for point in sweep(model, batch, [None, KeyBudget(1)])]
    assert losses[0] == pytest.approx(model(**batch).loss.item(), rel=1e-5)
    assert losses[0] != pytest.approx(losses[1], rel=1e-5)


def test_a_batch_of_several_texts_is_refused(bert, families):
    with pytest.raises(ValueError, match=r"one text, got input_ids of shape \(2, 12\)"):
        sweep(bert, families["Bert"].batch(), BUDGETS)


def test_a_model_in_training_mode_is_refused(bert, text):
    with pytest.raises(ValueError, match=r"call model.eval\(\)"):
        sweep(bert.train(), text, BUDGETS)


def test_an_unsupported_model_is_refused_at_the_call(text):
    from transformers import MPNetConfig, MPNetModel  # noqa: PLC0415 - needed in this test alone

    model = MPNetModel(
        MPNetConfig(hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64)
    ).eval()
    with pytest.raises(UnsupportedModelError, match="mpnet"):
        sweep(model, text, BUDGETS)


@pytest.mark.parametrize("batch", ["a text", {"input_ids": [[2, 3]]}, None])
def test_a_batch_without_tensors_is_refused_at_the_call(bert, batch):
    with pytest.raises(ValueError, match="expected tensors"):
        sweep(bert, batch, BUDGETS)


@pytest.mark.parametrize("budget", [3, TopK(), PerLayer([None])])
def test_what_is_no_key_budget_is_refused_at_the_call(bert, text, budget):
    with pytest.raises(ValueError, match="takes key budgets"):
        sweep(bert, text, [None, budget])


def test_a_model_that_answers_with_tuples_is_refused(bert, text):
    bert.config.return_dict = False
    with pytest.raises(ValueError, match="return_dict"):
        list(sweep(bert, text, BUDGETS))
