"""Eight ways in which Trainer misleads, each with what is done instead."""

from __future__ import annotations

import math
import os
import signal
import threading
from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from compecon.callbacks import StepCallbacks
from compecon.errors import CheckpointError, TrainingInterruptedError
from compecon.files.complete import MARKER, last_complete_checkpoint
from compecon.incentives.price import DualAscent, FixedPrice
from compecon.tasks.objectives import classification_loss, next_token_loss
from compecon.training import fine_tuning as train
from compecon.training.fine_tuning import fine_tune
from compecon.training.trainer import Charge
from compecon.training.training_settings import FineTuneSettings

ONE_STEP = FineTuneSettings(steps=1, batch_size=16, warmup=0, precision="float32")
SAVING = FineTuneSettings(steps=6, batch_size=4, save_every=1, precision="float32")


def weights(model):
    return {name: value.detach().clone() for name, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


class Gradients:
    """The gradients with which an optimizer step was taken, before they were clipped."""

    def __init__(self, monkeypatch):
        self.seen = {}
        monkeypatch.setattr("compecon.training.trainer.IncentiveTrainer._clip_grad_norm", self)

    def __get__(self, trainer, _kind):
        return lambda model: self._note(model)

    def _note(self, model):
        self.seen = {name: part.grad.clone() for name, part in model.named_parameters() if part.grad is not None}
        return torch.tensor(1.0)


def test_trap_1_accumulated_passes_have_the_loss_and_gradient_of_one_large_pass(
    tokenizer, tiny_bert, rows_of, monkeypatch
):
    found = []
    for settings in (ONE_STEP, replace(ONE_STEP, batch_size=4, accumulate=4)):
        gradients, model = Gradients(monkeypatch), tiny_bert()
        price, cost = (
            FixedPrice(height=0.5, warmup=0),
            lambda _mask, model=model: model.classifier.weight.square().mean(),
        )
        result = fine_tune(model, tokenizer, rows_of(), classification_loss(), settings, charge=Charge(price, cost))
        found.append((result.history[0], gradients.seen))
    (one, whole), (four, parts) = found
    assert four.loss == pytest.approx(one.loss, rel=1e-5)
    assert (four.task, four.cost) == (pytest.approx(one.task, rel=1e-5), pytest.approx(one.cost, rel=1e-5))
    for name, gradient in whole.items():
        torch.testing.assert_close(parts[name], gradient, rtol=1e-4, atol=1e-7)


def test_trap_1_a_last_step_of_fewer_passes_is_their_mean_too(tokenizer, tiny_bert, rows_of, monkeypatch):
    """Five batches in steps of four: the second step is one pass, and its gradient is not divided by four."""
    gradients, model, rows = Gradients(monkeypatch), tiny_bert(), [rows_of(1)[0]] * 10
    settings = FineTuneSettings(
        epochs=1, batch_size=2, accumulate=4, learning_rate=1e-12, warmup=0, precision="float32"
    )
    fine_tune(model, tokenizer, rows, classification_loss(), settings)
    last = gradients.seen
    fine_tune(model, tokenizer, rows, classification_loss(), replace(settings, batch_size=10, accumulate=1))
    for name, gradient in gradients.seen.items():
        torch.testing.assert_close(last[name], gradient, rtol=1e-4, atol=1e-7)


def test_trap_2_a_language_model_is_judged_by_the_tokens_that_are_predicted(tokenizer, tiny_gpt2):
    ids = torch.randint(2, 12, (4, 8), generator=torch.Generator().manual_seed(0))
    rows = [{"input_ids": row, "attention_mask": [1] * 8, "labels": row} for row in ids.tolist()]
    with torch.no_grad():
        logits = tiny_gpt2.eval()(ids).logits
    expected = functional.cross_entropy(logits[:, :-1].reshape(-1, 12), ids[:, 1:].reshape(-1))
    result = fine_tune(tiny_gpt2, tokenizer, rows, next_token_loss, replace(ONE_STEP, batch_size=4))
    assert result.losses[0] == pytest.approx(float(expected), rel=1e-5)


def interrupted_after(n, model, tokenizer, rows, settings, folder, charge=None):
    """Train until so many steps are done, and leave."""
    seen = []
    watch = StepCallbacks(report=seen.append, stop=lambda: len(seen) == n, folder=folder)
    with pytest.raises(TrainingInterruptedError):
        fine_tune(model, tokenizer, rows, classification_loss(), settings, watch=watch, charge=charge)


def without_marker(folder):
    (folder / MARKER).unlink()


def cut_short(folder):
    file = folder / "optimizer.pt"
    file.write_bytes(file.read_bytes()[:-100])


def empty(folder):
    (folder / "model.safetensors").write_bytes(b"")


def missing_a_file(folder):
    (folder / "rng_state.pth").unlink()


def with_a_flipped_byte(folder):
    file = folder / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def with_a_torn_marker(folder):
    file = folder / MARKER
    file.write_text(file.read_text()[:40])


def with_a_marker_of_nonsense(folder):
    (folder / MARKER).write_text('{"files": [1, 2]}')


@pytest.mark.parametrize(
    "damage",
    [
        without_marker,
        cut_short,
        empty,
        missing_a_file,
        with_a_flipped_byte,
        with_a_torn_marker,
        with_a_marker_of_nonsense,
    ],
    ids=lambda damage: damage.__name__,
)
def test_trap_3_a_checkpoint_that_is_not_whole_is_set_aside_and_the_one_before_is_used(
    tokenizer, tiny_bert, rows_of, tmp_path, damage
):
    model = tiny_bert()
    interrupted_after(2, model, tokenizer, rows_of(), SAVING, tmp_path)
    damage(tmp_path / "checkpoint-2")
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-1"
    assert sorted(path.name for path in tmp_path.glob("*checkpoint*")) == ["broken-checkpoint-2", "checkpoint-1"]


def test_trap_3_a_training_goes_on_behind_a_half_written_checkpoint(tokenizer, tiny_bert, rows_of, tmp_path):
    interrupted_after(3, tiny_bert(), tokenizer, rows_of(), SAVING, tmp_path)
    without_marker(tmp_path / "checkpoint-3")
    result = fine_tune(
        tiny_bert(), tokenizer, rows_of(), classification_loss(), SAVING, watch=StepCallbacks(folder=tmp_path)
    )
    assert [record.step for record in result.history] == [3, 4, 5, 6]


def test_trap_3_without_any_whole_checkpoint_a_training_starts_anew(tmp_path):
    (tmp_path / "checkpoint-4").mkdir()
    (tmp_path / "checkpoint-4" / "config.json").write_text("{}")
    assert last_complete_checkpoint(tmp_path) is None
    assert (tmp_path / "broken-checkpoint-4" / "config.json").is_file()


def test_trap_4_old_checkpoints_go_by_their_step_whatever_the_clock_says(tokenizer, tiny_bert, rows_of, tmp_path):
    def set_back(record):
        for path in tmp_path.glob("checkpoint-*"):
            os.utime(path, (2e9 - record.step, 2e9 - record.step))  # the newer, the older

    fine_tune(
        tiny_bert(),
        tokenizer,
        rows_of(),
        classification_loss(),
        replace(SAVING, steps=12),
        watch=StepCallbacks(folder=tmp_path, report=set_back),
    )
    assert sorted(path.name for path in tmp_path.glob("checkpoint-*")) == ["checkpoint-11", "checkpoint-12"]
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-12"


def test_trap_5_a_training_that_was_stopped_does_not_look_like_one_that_ended(tokenizer, tiny_bert, rows_of, tmp_path):
    model = tiny_bert()
    watch = StepCallbacks(stop=lambda: True, folder=tmp_path)
    with pytest.raises(TrainingInterruptedError, match=r"step 1 of 6.*same folder"):
        fine_tune(model, tokenizer, rows_of(), classification_loss(), SAVING, watch=watch)
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-1"
    assert not model.training
    with pytest.raises(TrainingInterruptedError, match="kept"):
        fine_tune(
            tiny_bert(), tokenizer, rows_of(), classification_loss(), SAVING, watch=StepCallbacks(stop=lambda: True)
        )


def test_trap_5_a_stop_that_comes_with_the_last_step_comes_too_late(tokenizer, tiny_bert, rows_of):
    result = fine_tune(
        tiny_bert(), tokenizer, rows_of(), classification_loss(), ONE_STEP, watch=StepCallbacks(stop=lambda: True)
    )
    assert result.steps == 1


def test_trap_6_what_is_logged_is_the_mean_over_the_steps_since_the_last_log(
    tokenizer, tiny_bert, rows_of, monkeypatch
):
    logs = []
    monkeypatch.setattr("transformers.Trainer.log", lambda _self, log, *_: logs.append(dict(log)))
    monkeypatch.setattr("compecon.training.fine_tuning._arguments", logging_each(2))
    charge = Charge(FixedPrice(height=1, warmup=0, schedule="linear"), lambda _mask: torch.rand(()))
    settings = replace(ONE_STEP, steps=6, batch_size=4)
    result = fine_tune(tiny_bert(), tokenizer, rows_of(), classification_loss(), settings, charge=charge)
    steps = result.history
    logs = [log for log in logs if "loss" in log]
    assert len(logs) == 3
    for log, pair in zip(logs, zip(steps[::2], steps[1::2], strict=True), strict=True):
        for said, name in (("loss", "loss"), ("task_loss", "task"), ("cost", "cost"), ("price", "price")):
            assert log[said] == pytest.approx(sum(getattr(step, name) for step in pair) / 2, rel=1e-4), said


def logging_each(steps):
    made = train._arguments

    def arguments(*args):
        found = made(*args)
        found.logging_strategy, found.logging_steps = "steps", steps
        return found

    return arguments


def test_trap_7_a_loss_that_is_nan_stops_the_training_before_it_reaches_the_weights(tokenizer, tiny_bert, rows_of):
    model, before = tiny_bert(), []

    def loss(logits, labels, soft):
        before.append(weights(model))
        return classification_loss()(logits, labels, soft) * (math.nan if len(before) == 3 else 1.0)

    with pytest.raises(FloatingPointError, match="not finite at step 3: the task's loss"):
        fine_tune(model, tokenizer, rows_of(), loss, SAVING)
    assert same(weights(model), before[2])
    assert not same(before[2], before[1])
    assert not model.training
    assert all(part.grad is None for part in model.parameters())


def test_trap_7_a_gradient_that_is_nan_under_a_finite_loss_stops_it_too(tokenizer, tiny_bert, rows_of):
    model = tiny_bert()
    before = weights(model)

    def loss(logits, labels, soft):
        return classification_loss()(logits, labels, soft) + (logits.sum() * 0).abs().sqrt()  # slope 0 · ∞

    with pytest.raises(FloatingPointError, match="gradient is not finite at step 1"):
        fine_tune(model, tokenizer, rows_of(), loss, ONE_STEP)
    assert same(weights(model), before)


@pytest.mark.parametrize("price", [FixedPrice(height=1, warmup=0), DualAscent()])
def test_trap_7_a_cost_that_is_nan_is_named(tokenizer, tiny_bert, rows_of, price):
    charge = Charge(price, lambda _mask: torch.tensor(math.nan))
    with pytest.raises(FloatingPointError, match="at step 1: the cost"):
        fine_tune(tiny_bert(), tokenizer, rows_of(), classification_loss(), ONE_STEP, charge=charge)


def test_trap_7_a_price_that_diverges_leaves_the_last_complete_checkpoint(tokenizer, tiny_bert, rows_of, tmp_path):
    charge = Charge(DualAscent(value=1, budget=0.1, rate=1, ramp=0, ceiling=3), lambda _mask: torch.tensor(1.0))
    with pytest.raises(FloatingPointError, match="price of compute diverged"):
        fine_tune(
            tiny_bert(),
            tokenizer,
            rows_of(),
            classification_loss(),
            SAVING,
            charge=charge,
            watch=StepCallbacks(folder=tmp_path),
        )
    assert last_complete_checkpoint(tmp_path) == tmp_path / "checkpoint-2"


def test_trap_8_a_training_needs_neither_the_main_thread_nor_signals(tokenizer, tiny_bert, rows_of, monkeypatch):
    monkeypatch.setattr(signal, "signal", lambda *_: pytest.fail("a signal handler was installed"))
    model, before, failed = tiny_bert(), [], []
    before.append(weights(model))

    def target():
        try:
            fine_tune(model, tokenizer, rows_of(), classification_loss(), ONE_STEP)
        except BaseException as error:  # noqa: BLE001 - told below, in the thread of the test
            failed.append(error)

    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    assert not failed
    assert not same(weights(model), before[0])


def test_a_folder_with_a_training_of_other_settings_is_refused(tokenizer, tiny_bert, rows_of, tmp_path):
    interrupted_after(1, tiny_bert(), tokenizer, rows_of(), SAVING, tmp_path)
    with pytest.raises(CheckpointError, match="other settings"):
        interrupted_after(1, tiny_bert(), tokenizer, rows_of(), replace(SAVING, seed=1), tmp_path)


def test_a_checkpoint_without_a_price_does_not_serve_a_training_with_one(tokenizer, tiny_bert, rows_of, tmp_path):
    interrupted_after(1, tiny_bert(), tokenizer, rows_of(), SAVING, tmp_path)
    with pytest.raises(CheckpointError, match="without a price"):
        interrupted_after(
            2, tiny_bert(), tokenizer, rows_of(), SAVING, tmp_path, Charge(FixedPrice(), lambda _: torch.tensor(1.0))
        )
