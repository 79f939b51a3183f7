"""What a training does to a model, and what a model says of rows."""

import math
from functools import cached_property

import pytest
import torch
from torch.nn import functional
from transformers import TrainingArguments

from compecon.evaluation.predict_rows import embed, predict
from compecon.tasks.objectives import classification_loss, regression_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.training_settings import FineTuneSettings

SETTINGS = FineTuneSettings(epochs=40, batch_size=8, learning_rate=1e-2, head_multiplier=1, precision="float32")


def test_it_learns_a_rule_by_heart(tokenizer, tiny_bert, rows_of):
    model, rows = tiny_bert(), rows_of()
    result = fine_tune(model, tokenizer, rows, classification_loss(), SETTINGS)
    assert predict(model, tokenizer, rows).argmax(-1).tolist() == [row["labels"] for row in rows]
    assert result.steps == len(result.losses) == 40 * 2
    assert not model.training


def test_it_learns_scores_by_heart(tokenizer, tiny_bert, rows_of):
    model, rows = tiny_bert(labels=1), rows_of(label=lambda i: 4.0 * i)
    fine_tune(model, tokenizer, rows, regression_loss(), SETTINGS)
    scores = predict(model, tokenizer, rows)[:, 0]
    assert (scores - torch.tensor([row["labels"] for row in rows])).abs().max() < 1


def test_frozen_parameters_stay_and_others_move(tokenizer, tiny_bert, rows_of):
    model = tiny_bert()
    model.bert.embeddings.requires_grad_(False)
    before = {name: value.clone() for name, value in model.named_parameters()}
    fine_tune(
        model,
        tokenizer,
        rows_of(),
        classification_loss(),
        FineTuneSettings(epochs=1, batch_size=8, precision="float32"),
    )
    moved = {name: not torch.equal(before[name], value) for name, value in model.named_parameters()}
    assert not any(moved[name] for name in moved if ".embeddings." in name)
    assert moved["classifier.weight"]
    assert moved["bert.encoder.layer.0.attention.self.value.weight"]


def test_the_head_moves_faster_than_the_body_by_the_multiplier(tokenizer, tiny_bert, rows_of):
    def first_step(multiplier):
        torch.manual_seed(0)
        model = tiny_bert()
        before = model.classifier.bias.detach().clone(), model.bert.encoder.layer[0].output.dense.bias.detach().clone()
        settings = FineTuneSettings(epochs=1, batch_size=16, head_multiplier=multiplier, warmup=0, precision="float32")
        fine_tune(model, tokenizer, rows_of(), classification_loss(), settings)
        after = model.classifier.bias, model.bert.encoder.layer[0].output.dense.bias
        return [(a - b).abs().max().item() for a, b in zip(after, before, strict=True)]

    (head_1, body_1), (head_10, body_10) = first_step(1), first_step(10)
    assert head_10 / head_1 == pytest.approx(10, rel=1e-3)
    assert body_10 == pytest.approx(body_1, rel=1e-3)


def test_the_same_seed_gives_the_same_weights(tokenizer, tiny_bert, rows_of):
    def trained():
        torch.manual_seed(0)
        model = tiny_bert()
        fine_tune(model, tokenizer, rows_of(), classification_loss(), FineTuneSettings(epochs=2, batch_size=4, seed=3))
        return model.classifier.weight

    assert torch.equal(trained(), trained())


def test_a_loss_that_is_not_finite_stops_the_training_at_once(tokenizer, tiny_bert, rows_of):
    model = tiny_bert()
    torch.nn.init.constant_(model.classifier.weight, math.inf)
    with pytest.raises(FloatingPointError, match="step 1"):
        fine_tune(model, tokenizer, rows_of(), classification_loss(), SETTINGS)


def test_predictions_are_those_of_each_row_alone_in_the_order_given(tokenizer, tiny_bert, rows_of):
    model, rows = tiny_bert().eval(), rows_of(7)
    alone = [model(input_ids=torch.tensor([row["input_ids"]])).logits[0] for row in rows]
    torch.testing.assert_close(predict(model, tokenizer, rows, batch_size=3), torch.stack(alone), atol=1e-5, rtol=1e-5)


def test_embeddings_are_means_over_the_tokens_of_each_row_alone(tokenizer, tiny_bert, rows_of):
    encoder, rows = tiny_bert().bert.eval(), rows_of(5)
    alone = [encoder(input_ids=torch.tensor([row["input_ids"]])).last_hidden_state[0].mean(0) for row in rows]
    expected = functional.normalize(torch.stack(alone), dim=-1)
    torch.testing.assert_close(embed(encoder, tokenizer, rows, batch_size=2), expected, atol=1e-5, rtol=1e-5)


class TwoGpus(TrainingArguments):
    """As on a machine with two."""

    @cached_property
    def _setup_devices(self) -> torch.device:
        device = super()._setup_devices
        self._n_gpu = 2
        return device


def test_a_process_trains_on_one_device_even_where_there_are_several(tokenizer, tiny_bert, rows_of, monkeypatch):
    """Trainer would spread it over all GPUs, in replicas that neither budgets nor gates reach."""
    settings = FineTuneSettings(steps=2, batch_size=8, precision="float32", device="cpu", key_budgets=(1, 2))
    alone, faked = tiny_bert(), tiny_bert()
    fine_tune(alone, tokenizer, rows_of(), classification_loss(), settings)
    assert TwoGpus(use_cpu=True, output_dir="unused").n_gpu == 2
    monkeypatch.setattr("compecon.training.fine_tuning.TrainingArguments", TwoGpus)
    monkeypatch.setattr(torch.nn.DataParallel, "__init__", None)
    fine_tune(faked, tokenizer, rows_of(), classification_loss(), settings)
    for one, other in zip(alone.parameters(), faked.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("labels", "label", "words"),
    [
        (2, 2, "from 0 to 1"),
        (2, -1, "from 0 to 1"),
        (2, 1.0, "a whole number"),
        (2, float("nan"), "a whole number"),
        (1, float("nan"), "a finite number"),
        (1, float("inf"), "a finite number"),
    ],
)
def test_a_label_without_an_output_is_refused_before_the_first_step(
    tokenizer, tiny_bert, rows_of, labels, label, words
):
    model, rows = tiny_bert(labels=labels), rows_of()
    loss = classification_loss() if labels > 1 else regression_loss()
    with pytest.raises(ValueError, match=rf"row 3 has the label .*{words}"):
        fine_tune(model, tokenizer, [*rows[:3], {**rows[3], "labels": label}, *rows[4:]], loss, SETTINGS)


def test_nothing_to_learn_from_and_weights_that_lose_steps_are_refused(tokenizer, tiny_bert, rows_of):
    with pytest.raises(ValueError, match="no rows"):
        fine_tune(tiny_bert(), tokenizer, [], classification_loss(), SETTINGS)
    bare = [{name: part for name, part in row.items() if name != "labels"} for row in rows_of()]
    with pytest.raises(ValueError, match="row 0 has no labels"):
        fine_tune(tiny_bert(), tokenizer, bare, classification_loss(), SETTINGS)
    with pytest.raises(ValueError, match="float16"):
        fine_tune(tiny_bert().half(), tokenizer, rows_of(), classification_loss(), SETTINGS)
