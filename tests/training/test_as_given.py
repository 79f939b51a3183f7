"""A training changes weights and nothing else of a model; at a rate of nothing it changes nothing at all."""

import copy
from dataclasses import replace

import pytest
import torch

from compecon.callbacks import StepCallbacks
from compecon.compression.importance import IMPORTANCES
from compecon.errors import TrainingInterruptedError
from compecon.evaluation.as_given import require_measurable
from compecon.evaluation.predict_rows import predict
from compecon.studies.any_budget import train_any_budget
from compecon.tasks.objectives import classification_loss
from compecon.training.arms import Start, pruned, recovered
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive import train_incentive
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

NOTHING = 1e-300  # rates are above 0; this one rounds every step to none
ONE_STEP = FineTuneSettings(
    steps=1, batch_size=8, warmup=0, learning_rate=NOTHING, gate_rate=NOTHING, weight_decay=0, precision="bfloat16"
)
DENSE = {"start": "open", "target": None, "price": 1e-9, "n_tokens": 5}


def state(model):
    """Whatever of a model and its parts is neither weight nor child."""
    kept = {"_parameters", "_buffers", "_modules", "_non_persistent_buffers_set"}
    parts = {name: {k: v for k, v in vars(part).items() if k not in kept} for name, part in model.named_modules()}
    hooks = {name: {k: dict(v) if isinstance(v, dict) else v for k, v in own.items()} for name, own in parts.items()}
    learns = {name: part.requires_grad for name, part in model.named_parameters()}
    kinds = {name: part.dtype for name, part in model.named_parameters()}
    grads = [name for name, part in model.named_parameters() if part.grad is not None]
    return hooks, learns, kinds, grads, model.config.to_dict(), model.config._attn_implementation


def logits(model, tokenizer, rows):
    return predict(copy.deepcopy(model).eval(), tokenizer, rows)


TRAININGS = {
    "fine_tune": lambda model, tokenizer, rows, more: fine_tune(
        model, tokenizer, rows, classification_loss(), replace(ONE_STEP, **more)
    ),
    "under key budgets": lambda model, tokenizer, rows, more: fine_tune(
        model, tokenizer, rows, classification_loss(), replace(ONE_STEP, key_budgets=(1,), full_share=0.0, **more)
    ),
    "recomputing": lambda model, tokenizer, rows, more: fine_tune(
        model, tokenizer, rows, classification_loss(), replace(ONE_STEP, checkpointing=True, **more)
    ),
    "frozen embeddings": lambda model, tokenizer, rows, more: fine_tune(
        model, tokenizer, rows, classification_loss(), replace(ONE_STEP, freeze_embeddings=True, **more)
    ),
    "imitating": lambda model, tokenizer, rows, more: fine_tune(
        model,
        tokenizer,
        rows,
        classification_loss(),
        replace(ONE_STEP, hidden_weight=1.0, **more),
        teacher=copy.deepcopy(model),
    ),
    **{
        f"incentive on {cost}": lambda model, tokenizer, rows, more, cost=cost: train_incentive(
            model,
            tokenizer,
            rows,
            classification_loss(),
            IncentiveSettings(cost=cost, **DENSE),
            replace(ONE_STEP, **more),
        )
        for cost in ("effective-keys", "score-l1", "ffn-l1", "macs")
    },
}


@pytest.mark.parametrize("training", TRAININGS)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_step_of_nothing_leaves_a_model_bit_for_bit_as_it_was(tokenizer, tiny_bert, rows_of, training, precision):
    model, rows = tiny_bert(dropout=0.1, layers=2), rows_of()
    model.config.use_cache = False
    before, parts, told = logits(model, tokenizer, rows), state(model)[0], copy.deepcopy(state(model)[1:])
    TRAININGS[training](model, tokenizer, rows, {"precision": precision})
    assert "forward" not in vars(model)
    assert state(model)[0] == parts
    assert state(model)[1:] == told
    assert torch.equal(logits(model, tokenizer, rows), before)


@pytest.mark.parametrize("mode", [True, False])
@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_mode_and_attention_come_back_as_they_were(tokenizer, tiny_bert, rows_of, mode, attention):
    model = tiny_bert().train(mode)
    model.bert.pooler.train(not mode)
    model.set_attn_implementation(attention)
    fine_tune(model, tokenizer, rows_of(), classification_loss(), replace(ONE_STEP, key_budgets=(1,), full_share=0.0))
    assert (model.training, model.bert.pooler.training) == (mode, not mode)
    assert model.config._attn_implementation == model.bert.config._attn_implementation == attention


def test_recomputing_and_hooks_come_back_as_they_were(tokenizer, tiny_bert, rows_of):
    model, calls = tiny_bert(), []
    getattr(model, "activation_checkpointing_enable", model.gradient_checkpointing_enable)()
    hook = model.bert.register_forward_hook(lambda *_: calls.append(1))
    before = state(model)[0]
    for recomputes in (True, False, True):
        settings = replace(ONE_STEP, checkpointing=recomputes)
        fine_tune(model, tokenizer, rows_of(), classification_loss(), settings)
        assert state(model)[0] == before
    hook.remove()
    n_calls = len(calls)
    logits(model, tokenizer, rows_of())
    assert 0 < n_calls == len(calls)


@pytest.mark.parametrize("error", [FloatingPointError, TrainingInterruptedError])
def test_a_training_that_ends_early_gives_the_model_back_too(tokenizer, tiny_bert, rows_of, error):
    model, before = tiny_bert(), state(tiny_bert())[1:]

    def loss(found, labels, soft):
        return classification_loss()(found, labels, soft) * (float("nan") if error is FloatingPointError else 1.0)

    with pytest.raises(error):
        fine_tune(model, tokenizer, rows_of(), loss, replace(ONE_STEP, steps=3), watch=StepCallbacks(stop=lambda: True))
    assert "forward" not in vars(model)
    assert state(model)[1:] == before
    require_measurable(model)


def test_the_precision_of_one_training_is_not_that_of_the_next(tokenizer, tiny_bert, rows_of):
    """What is marked as prepared is not prepared again: a second training had the first one's precision."""

    def losses(model, precision):
        settings = replace(ONE_STEP, precision=precision, steps=2)
        return fine_tune(model, tokenizer, rows_of(), classification_loss(), settings).losses

    model = tiny_bert()
    rounded, exact, again = (losses(model, each) for each in ("bfloat16", "float32", "bfloat16"))
    assert exact == losses(tiny_bert(), "float32") != rounded
    assert again == rounded


def test_a_teacher_comes_back_as_it_was(tokenizer, tiny_bert, rows_of):
    teacher = tiny_bert(layers=2).train()
    before = state(teacher)[1:]
    fine_tune(
        tiny_bert(layers=2),
        tokenizer,
        rows_of(),
        classification_loss(),
        replace(ONE_STEP, hidden_weight=1.0),
        teacher=teacher,
    )
    assert teacher.training
    assert state(teacher)[1:] == before


@pytest.mark.parametrize("arm", ["any budget", "recovered", *IMPORTANCES])
def test_what_starts_from_a_dense_model_leaves_it_alone(tokenizer, tiny_bert, rows_of, arm):
    model = tiny_bert(layers=2)
    rows = [{**row, "soft_targets": [0.0, 0.0]} for row in rows_of()]
    start = Start(model, tokenizer, rows, classification_loss(), ONE_STEP)
    told, before = copy.deepcopy(state(model)[1:5]), logits(model, tokenizer, rows)
    made = {
        "any budget": lambda: train_any_budget(start),
        "recovered": lambda: recovered(start, pruned(start, "magnitude", 0.6)).model,
    }.get(arm, lambda: pruned(start, arm, 0.6).model)()
    assert state(model)[1:5] == told
    assert torch.equal(logits(model, tokenizer, rows), before)
    require_measurable(made)
    assert all(part.requires_grad for part in made.parameters())
    if arm == "any budget":
        assert torch.equal(logits(made, tokenizer, rows), before)


def test_recovery_at_a_rate_of_nothing_is_no_change(tokenizer, tiny_bert, rows_of):
    start = Start(tiny_bert(layers=2), tokenizer, rows_of(), classification_loss(), ONE_STEP)
    bare = pruned(start, "magnitude", 0.6)
    later = recovered(start, bare)
    assert torch.equal(logits(bare.model, tokenizer, rows_of()), logits(later.model, tokenizer, rows_of()))


# ---- what is not measured


def wrapped(model):
    plain = model.forward
    model.forward = lambda *args, **kwargs: plain(*args, **kwargs)


@pytest.mark.parametrize(
    "spoil",
    [
        wrapped,
        lambda model: model.train(),
        lambda model: model.bert.encoder.layer[0].attention.train(),
        lambda model: model.to(torch.bfloat16),
        lambda model: model.classifier.half(),
    ],
)
def test_a_model_that_computes_otherwise_than_its_weights_say_is_not_measured(tokenizer, tiny_bert, rows_of, spoil):
    model = tiny_bert()
    spoil(model)
    with pytest.raises(ValueError, match=r"measured in float32|training mode|forward is wrapped"):
        predict(model, tokenizer, rows_of())


def test_nothing_is_measured_under_autocast(tokenizer, tiny_bert, rows_of):
    with torch.autocast("cpu", torch.bfloat16), pytest.raises(ValueError, match="autocast is on"):
        predict(tiny_bert(), tokenizer, rows_of())
