"""What is learnt in a step: a teacher's hidden states, key budgets, at which precision, and by which parameters."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch

from compecon.compression.units import unit_macs
from compecon.incentives.costs.group_lasso import GroupLasso
from compecon.incentives.costs.macs import ExpectedMacs
from compecon.incentives.gates import Gates, gated
from compecon.incentives.price import FixedPrice
from compecon.tasks.objectives import classification_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.parameter_groups import optimizer_of
from compecon.training.trainer import Charge
from compecon.training.training_settings import FineTuneSettings

pytestmark = pytest.mark.slow

ONE_STEP = FineTuneSettings(steps=1, batch_size=8, warmup=0, precision="float32")


@pytest.fixture
def gradients(monkeypatch):
    """Gradients of the last optimizer step, before they are clipped, by the parameter's name."""
    seen = {}

    def note(_trainer, model):
        seen.update({name: part.grad.clone() for name, part in model.named_parameters() if part.grad is not None})
        return torch.tensor(1.0)

    monkeypatch.setattr("compecon.training.trainer.IncentiveTrainer._clip_grad_norm", note)
    return seen


def hidden_states(model, row):
    ids = torch.tensor([row["input_ids"]])
    with torch.no_grad():
        return model.eval()(input_ids=ids, output_hidden_states=True).hidden_states[1:]


@pytest.mark.parametrize(("depth", "pairs"), [(2, [(0, 0), (1, 1)]), (4, [(0, 1), (1, 3)])])
def test_imitation_is_the_mean_squared_distance_to_the_layer_at_the_same_relative_depth(
    tokenizer, tiny_bert, rows_of, depth, pairs
):
    rows, teacher = rows_of(8), tiny_bert(layers=depth)
    with torch.no_grad():
        for part in teacher.parameters():
            part += 0.1 * torch.randn_like(part)
    student = tiny_bert(layers=2)
    total, values = torch.zeros(2), 0  # over real tokens of all rows
    for row in rows:
        own, taught = hidden_states(student, row), hidden_states(teacher, row)
        total += torch.stack([(own[i] - taught[j]).square().sum() for i, j in pairs])
        values += own[0].numel()
    plain = fine_tune(tiny_bert(layers=2), tokenizer, rows, classification_loss(), ONE_STEP).losses[0]
    settings = replace(ONE_STEP, hidden_weight=0.7)
    taught = fine_tune(student, tokenizer, rows, classification_loss(), settings, teacher=teacher).losses[0]
    assert taught - plain == pytest.approx(0.7 * float((total / values).mean()), rel=1e-4)


def test_the_teacher_stays_as_it_is(tokenizer, tiny_bert, rows_of):
    teacher = tiny_bert(dropout=0.5).train()
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    settings = replace(ONE_STEP, hidden_weight=1.0)
    losses = [
        fine_tune(tiny_bert(), tokenizer, rows_of(8), classification_loss(), settings, teacher=teacher).losses[0]
        for _ in range(2)
    ]
    assert losses[0] == losses[1]  # it draws nothing
    assert all(torch.equal(before[name], value) for name, value in teacher.state_dict().items())
    assert all(part.requires_grad and part.grad is None for part in teacher.parameters())


@pytest.mark.parametrize(("sizes", "why"), [({"width": 32}, "of width 32"), ({"layers": 3}, "has 3 layers")])
def test_a_teacher_that_cannot_be_compared_is_refused(tokenizer, tiny_bert, rows_of, sizes, why):
    settings = replace(ONE_STEP, hidden_weight=1.0)
    with pytest.raises(ValueError, match=why):
        fine_tune(
            tiny_bert(layers=2), tokenizer, rows_of(8), classification_loss(), settings, teacher=tiny_bert(**sizes)
        )
    with pytest.raises(ValueError, match="hidden_weight"):
        fine_tune(tiny_bert(), tokenizer, rows_of(8), classification_loss(), settings)


def drawn_budgets(monkeypatch, tokenizer, model, rows, settings):
    """Keys of the budget under which each forward pass ran; None for none."""
    drawn, run = [], []

    @contextmanager
    def noted(_model, budget):
        drawn.append(budget.keys)
        yield
        drawn.pop()

    handle = model.register_forward_pre_hook(lambda *_: run.append(drawn[-1] if drawn else None))
    monkeypatch.setattr("compecon.training.trainer.budgeted_attention", noted)
    fine_tune(model, tokenizer, rows, classification_loss(), settings)
    handle.remove()
    return run


def test_budgets_hang_on_seed_and_step_alone(tokenizer, tiny_bert, rows_of, monkeypatch):
    settings = replace(ONE_STEP, steps=12, key_budgets=(1, 2, 3))
    runs = [
        drawn_budgets(monkeypatch, tokenizer, tiny_bert(dropout=dropout), rows_of(n), replace(settings, seed=seed))
        for dropout, n, seed in ((0.0, 8, 1), (0.5, 16, 1), (0.0, 8, 2))
    ]
    assert runs[0] == runs[1] != runs[2]
    assert set(runs[0]) <= {None, 1, 2, 3}


def test_a_share_of_the_steps_has_no_budget(tokenizer, tiny_bert, rows_of, monkeypatch):
    few = rows_of(2)
    for share, steps, low, high in ((0.0, 6, 0, 0), (1.0, 6, 6, 6), (0.5, 60, 20, 40)):  # ± 2.6 standard deviations
        settings = replace(ONE_STEP, steps=steps, batch_size=2, key_budgets=(1, 2), full_share=share)
        run = drawn_budgets(monkeypatch, tokenizer, tiny_bert(), few, settings)
        assert low <= run.count(None) <= high


def test_a_budget_changes_what_is_learnt(tokenizer, tiny_bert, rows_of):
    settings = replace(ONE_STEP, key_budgets=(1,), full_share=0.0)
    free, held = (
        fine_tune(tiny_bert(), tokenizer, rows_of(8), classification_loss(), one) for one in (ONE_STEP, settings)
    )
    assert free.losses != held.losses


def test_float16_without_cuda_is_refused_before_anything_happens(tokenizer, tiny_bert, rows_of):
    settings = replace(ONE_STEP, precision="float16", device="cpu")
    with pytest.raises(ValueError, match="float16"):
        fine_tune(tiny_bert(), tokenizer, rows_of(8), classification_loss(), settings)


def test_bfloat16_computes_in_it_and_keeps_the_weights_in_float32(tokenizer, tiny_bert, rows_of):
    model, seen = tiny_bert(), []
    handle = model.bert.encoder.layer[0].output.dense.register_forward_hook(lambda *args: seen.append(args[2].dtype))
    fine_tune(model, tokenizer, rows_of(8), classification_loss(), replace(ONE_STEP, precision="bfloat16"))
    handle.remove()
    assert seen == [torch.bfloat16]
    assert {part.dtype for part in model.parameters()} == {torch.float32}


@pytest.mark.parametrize("fails", [False, True])
def test_frozen_embeddings_stay_equal_and_learn_again_later(tokenizer, tiny_bert, rows_of, fails):
    model = tiny_bert()
    model.bert.embeddings.LayerNorm.bias.requires_grad_(False)  # frozen before, and so it stays
    before = {name: part.detach().clone() for name, part in model.named_parameters()}

    def loss(logits, labels, soft):
        if fails:
            raise KeyError
        return classification_loss()(logits, labels, soft)

    try:
        fine_tune(model, tokenizer, rows_of(8), loss, replace(ONE_STEP, steps=3, freeze_embeddings=True))
    except KeyError:
        assert fails
    for name, part in model.named_parameters():
        assert part.requires_grad == (name != "bert.embeddings.LayerNorm.bias")
        if fails or ".embeddings." in name:
            assert torch.equal(before[name], part), name
    assert fails or not torch.equal(before["classifier.weight"], model.classifier.weight)


@pytest.mark.parametrize("priced", ["nothing", "gates", "activity"])
def test_recomputing_activations_gives_the_same_gradients(tokenizer, tiny_bert, rows_of, gradients, priced):
    """Under a key budget, dropout and gates: what is recomputed is what was computed."""
    found = []
    for checkpointing in (False, True):
        model = tiny_bert(dropout=0.3, layers=2)
        settings = replace(ONE_STEP, checkpointing=checkpointing, key_budgets=(2,), full_share=0.0)
        price = FixedPrice(height=1, warmup=0)
        if priced == "gates":
            gates = Gates(unit_macs(model, 5).map(lambda part: torch.zeros(len(part))))
            with gated(model, gates), ExpectedMacs(5).metered(model, gates) as read:
                fine_tune(model, tokenizer, rows_of(8), classification_loss(), settings, charge=Charge(price, read))
        elif priced == "activity":
            with GroupLasso().metered(model, None) as read:
                fine_tune(model, tokenizer, rows_of(8), classification_loss(), settings, charge=Charge(price, read))
        else:
            fine_tune(model, tokenizer, rows_of(8), classification_loss(), settings)
        assert not any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
        found.append(dict(gradients))
        gradients.clear()
    assert found[0].keys() == found[1].keys()
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, msg=lambda text, name=name: f"{name}: {text}")


def test_gates_are_a_group_of_their_own_that_does_not_decay(tiny_bert):
    model = tiny_bert()
    gates = Gates(unit_macs(model, 5).map(lambda part: torch.zeros(len(part))), learn_heads=False)
    settings = FineTuneSettings(gate_rate=0.2, weight_decay=0.1, learning_rate=1e-3, head_multiplier=7)
    with gated(model, gates):
        groups = optimizer_of(model, settings).param_groups
    [priced] = [group for group in groups if group.get("gates")]
    assert [id(part) for part in priced["params"]] == [id(part) for part in gates.neurons]
    assert (priced["lr"], priced["weight_decay"]) == (0.2, 0)
    rates = {id(part): (group["lr"], group["weight_decay"]) for group in groups for part in group["params"]}
    assert rates[id(model.classifier.weight)] == (pytest.approx(7e-3), 0.1)
    assert rates[id(model.bert.encoder.layer[0].output.dense.weight)] == (1e-3, 0.1)
    assert rates[id(model.bert.encoder.layer[0].output.LayerNorm.weight)] == (1e-3, 0)
    assert sum(len(group["params"]) for group in groups) == len(list(model.parameters())) + len(gates.neurons)


def test_the_rate_of_weights_comes_down_and_that_of_gates_stays(tokenizer, tiny_bert, rows_of, monkeypatch):
    rates = []

    def note(trainer, _model):
        rates.append([(group.get("gates", False), group["lr"]) for group in trainer.optimizer.param_groups])
        return torch.tensor(1.0)

    monkeypatch.setattr("compecon.training.trainer.IncentiveTrainer._clip_grad_norm", note)
    model = tiny_bert()
    gates = Gates(unit_macs(model, 5).map(lambda part: torch.zeros(len(part))))
    settings = replace(ONE_STEP, steps=10, warmup=0.2, learning_rate=1.0, head_multiplier=1, gate_rate=1.0)
    with gated(model, gates), ExpectedMacs(5).metered(model, gates) as read:
        fine_tune(
            model, tokenizer, rows_of(8), classification_loss(), settings, charge=Charge(FixedPrice(height=0), read)
        )
    weights = [next(rate for priced, rate in step if not priced) for step in rates]
    priced = [next(rate for priced, rate in step if priced) for step in rates]
    assert priced == pytest.approx([0.5] + 9 * [1.0])
    assert weights == pytest.approx([0.5, 1.0, 1.0, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
