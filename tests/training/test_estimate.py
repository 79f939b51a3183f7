"""An estimate leaves the model alone, grows with the work, and is refused where there is no room."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from compecon.errors import CompeconError
from compecon.tasks.objectives import classification_loss
from compecon.training.estimate import Pace, TrainingEstimate, estimate_training, require_room
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

SETTINGS = FineTuneSettings(steps=10, batch_size=4, precision="float32")


def estimated(tokenizer, model, rows, settings=SETTINGS, incentive=None) -> TrainingEstimate:
    return estimate_training(model, tokenizer, rows, classification_loss(), settings, incentive)


def test_an_estimate_leaves_the_model_as_it_was(tokenizer, tiny_bert, rows_of):
    model = tiny_bert(dropout=0.2)
    model.train(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    random = torch.get_rng_state()
    estimated(tokenizer, model, rows_of())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not model.training
    assert all(part.grad is None for part in model.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_an_estimate_counts_the_steps_that_will_be_taken(tokenizer, tiny_bert, rows_of):
    settings = replace(SETTINGS, steps=None, epochs=1.5, accumulate=3)
    result = fine_tune(tiny_bert(), tokenizer, rows_of(), classification_loss(), settings)
    assert estimated(tokenizer, tiny_bert(), rows_of(), settings).steps == result.steps


def test_parameters_take_what_adam_needs_and_frozen_ones_their_own_bytes(tokenizer, tiny_bert, rows_of):
    model = tiny_bert()
    n, frozen = (sum(part.numel() for part in one.parameters()) for one in (model, model.bert.embeddings))
    whole = estimated(tokenizer, model, rows_of()).memory_bytes
    model.bert.embeddings.requires_grad_(False)
    least = estimated(tokenizer, model, rows_of()).memory_bytes
    assert whole >= 16 * n
    assert whole - least >= 12 * frozen


def test_activations_are_those_of_a_forward_pass_each_counted_once(tokenizer, tiny_bert, rows_of):
    """Twice the rows hold twice the activations; the parameters do not count again."""
    rows = [rows_of(1)[0]] * 64
    bytes_of = [
        estimated(tokenizer, tiny_bert(), rows, replace(SETTINGS, batch_size=size)).memory_bytes for size in (8, 16, 32)
    ]
    assert bytes_of[2] - bytes_of[1] == pytest.approx(2 * (bytes_of[1] - bytes_of[0]), rel=0.01)
    n = sum(part.numel() for part in tiny_bert().parameters())
    none = 2 * bytes_of[0] - bytes_of[1]  # the line through them, at no rows
    assert none == pytest.approx(16 * n, rel=0.05)


def test_checkpoints_take_room_on_disk(tokenizer, tiny_bert, rows_of):
    n = 4 * sum(part.numel() for part in tiny_bert().parameters())
    assert estimated(tokenizer, tiny_bert(), rows_of()).disk_bytes == n
    saved = estimated(tokenizer, tiny_bert(), rows_of(), replace(SETTINGS, save_every=5))
    assert saved.disk_bytes == n + 3 * (n + 2 * n)


def test_a_smaller_model_is_quicker_after_its_priced_part(tokenizer, tiny_bert, rows_of, monkeypatch):
    monkeypatch.setattr("compecon.training.estimate.measured_pace", lambda *_: Pace(100.0, 0.0, 0))
    dense = estimated(tokenizer, tiny_bert(), rows_of())
    priced = estimated(tokenizer, tiny_bert(), rows_of(), incentive=IncentiveSettings(target=0.2))
    assert dense.seconds == pytest.approx(100 * SETTINGS.steps, rel=0.01)
    assert 0.5 * dense.seconds < priced.seconds < dense.seconds


def test_what_is_done_beside_the_steps_takes_its_time(tokenizer, tiny_bert, rows_of, monkeypatch):
    """Rows that are read cost a forward pass each; those that importance is measured on, a backward pass too."""
    monkeypatch.setattr("compecon.training.estimate.measured_pace", lambda *_: Pace(0.0, 1.0, 0))
    rows, model = rows_of(), tiny_bert()

    def seconds(incentive=None, **beside):
        estimate = estimate_training(model, tokenizer, rows, classification_loss(), SETTINGS, incentive, **beside)
        return estimate.seconds

    bare = seconds()
    assert seconds(read_rows=7) - bare == pytest.approx(7)
    assert seconds(graded_rows=7) - bare == pytest.approx(21)
    by_importance, by_itself = (seconds(IncentiveSettings(target=0.5, start=start)) for start in ("taylor", "open"))
    assert by_importance - by_itself == pytest.approx(3 * min(512, len(rows)))


def test_checkpoints_take_time_to_write(tokenizer, tiny_bert, rows_of, monkeypatch):
    monkeypatch.setattr("compecon.training.estimate.measured_pace", lambda *_: Pace(0.0, 0.0, 0))
    often, seldom = (
        estimated(tokenizer, tiny_bert(), rows_of(), replace(SETTINGS, save_every=every)).seconds for every in (1, 5)
    )
    n = sum(part.numel() for part in tiny_bert().parameters())
    assert often - seldom == pytest.approx(8 * 12 * n / 1e8)


def test_a_training_that_does_not_fit_is_refused_with_a_way_out(tmp_path, monkeypatch):
    fits = TrainingEstimate(1, 1.0, 10**6, 10**6)
    require_room(fits, tmp_path / "not" / "there")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(CompeconError, match="smaller batch size"):
        require_room(replace(fits, memory_bytes=10**15), tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10**8))
    with pytest.raises(CompeconError, match="1 MB, but 100 MB are free"):
        require_room(fits, tmp_path)


def test_an_estimate_reads_as_a_sentence():
    text = str(TrainingEstimate(1200, 125.0, 1_500_000_000, 46_000_000))
    assert text == "about 2 min 05 s for 1,200 steps, 1.5 GB of memory, 46 MB on disk"
