"""What a model says, and how far it moved: against the definitions, on every kind of model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.hooks import budgeted_attention
from compecon.checkpoints.encode_text import Encoded
from compecon.checkpoints.load import Checkpoint
from compecon.views.attention.output import CHANGE_UNITS, Reading, output_fields, read_output

TEXT = "the film was great , but the end was bad ."
WITH_MASK = "the film was [MASK] but long ."
Load = Callable[[str], Checkpoint]


def run(checkpoint: Checkpoint, encoded: Encoded, keys: int | None = None) -> Any:
    with torch.inference_mode():
        if keys is None:
            return checkpoint.model(**encoded.batch)
        with budgeted_attention(checkpoint.model, KeyBudget(keys=keys)):
            return checkpoint.model(**encoded.batch)


def kl(full: Tensor, now: Tensor) -> float:
    """Σ p log(p / q) of two rows of logits, in float64, summed one by one."""
    p, q = full.double().softmax(-1), now.double().softmax(-1)
    return sum(float(a * (a / b).log()) for a, b in zip(p, q, strict=True))


def change(checkpoint: Checkpoint, encoded: Encoded, keys: int) -> tuple[float, Any, Any]:
    full, now = run(checkpoint, encoded), run(checkpoint, encoded, keys)
    moved = read_output(checkpoint, encoded, now).change_from(read_output(checkpoint, encoded, full))
    return moved, full, now


def test_nothing_changes_at_full_budget(checkpoint: Checkpoint, encoded: Encoded) -> None:
    moved, full, now = change(checkpoint, encoded, len(encoded.tokens))
    assert moved == pytest.approx(0.0, abs=1e-5)
    assert not read_output(checkpoint, encoded, now).flipped_from(read_output(checkpoint, encoded, full))


def test_every_kind_says_the_unit_of_its_change(checkpoint: Checkpoint) -> None:
    assert CHANGE_UNITS[checkpoint.kind]


def test_a_classifier_moves_by_the_divergence_of_its_labels(load: Load) -> None:
    checkpoint = load("classification")
    moved, full, now = change(checkpoint, checkpoint.encode(TEXT), 1)
    assert moved == pytest.approx(kl(full.logits[0], now.logits[0]), abs=1e-5)
    assert moved > 1e-3


def test_a_causal_model_moves_by_the_divergence_of_the_next_token(load: Load) -> None:
    checkpoint = load("causal-lm")
    moved, full, now = change(checkpoint, checkpoint.encode(TEXT), 1)
    assert moved == pytest.approx(kl(full.logits[0, -1], now.logits[0, -1]), abs=1e-5)


def test_a_causal_model_reports_the_nats_per_token_of_the_text(load: Load) -> None:
    checkpoint = load("causal-lm")
    encoded = checkpoint.encode(TEXT)
    output = run(checkpoint, encoded, 2)
    ids = encoded.batch["input_ids"][0]
    expected = torch.nn.functional.cross_entropy(output.logits[0, :-1], ids[1:])
    assert read_output(checkpoint, encoded, output).loss == pytest.approx(expected.item(), abs=1e-5)


def test_one_token_has_no_loss(load: Load) -> None:
    checkpoint = load("causal-lm")
    encoded = checkpoint.encode("film")
    assert read_output(checkpoint, encoded, run(checkpoint, encoded)).loss is None
    assert "loss" not in output_fields(checkpoint, encoded, read_output(checkpoint, encoded, run(checkpoint, encoded)))


def test_a_masked_model_is_read_at_the_mask(load: Load) -> None:
    checkpoint = load("masked-lm")
    encoded = checkpoint.encode(WITH_MASK)
    at = encoded.tokens.index("[MASK]")
    moved, full, now = change(checkpoint, encoded, 1)
    assert moved == pytest.approx(kl(full.logits[0, at], now.logits[0, at]), abs=1e-5)


def test_a_masked_model_without_a_mask_is_read_everywhere(load: Load) -> None:
    checkpoint = load("masked-lm")
    encoded = checkpoint.encode(TEXT)
    moved, full, now = change(checkpoint, encoded, 1)
    n = len(encoded.tokens)
    expected = sum(kl(full.logits[0, i], now.logits[0, i]) for i in range(n)) / n
    assert moved == pytest.approx(expected, abs=1e-5)
    assert output_fields(checkpoint, encoded, read_output(checkpoint, encoded, now)) == {}


def test_a_regression_moves_by_the_difference_of_its_scores_and_never_flips(load: Load) -> None:
    checkpoint = load("regression")
    encoded = checkpoint.encode(TEXT)
    moved, full, now = change(checkpoint, encoded, 1)
    assert moved == pytest.approx(abs(float(full.logits[0, 0]) - float(now.logits[0, 0])), abs=1e-6)
    assert not read_output(checkpoint, encoded, now).flipped_from(read_output(checkpoint, encoded, full))
    fields = output_fields(checkpoint, encoded, read_output(checkpoint, encoded, now))
    assert fields == {"score": pytest.approx(float(now.logits[0, 0]), abs=1e-6)}


def test_of_several_scores_every_one_is_told(load: Load) -> None:
    checkpoint = load("several scores")
    encoded = checkpoint.encode(TEXT)
    moved, full, now = change(checkpoint, encoded, 1)
    assert moved == pytest.approx(float((full.logits[0] - now.logits[0]).abs().max()), abs=1e-6)
    fields = output_fields(checkpoint, encoded, read_output(checkpoint, encoded, now))
    assert fields["scores"] == pytest.approx(now.logits[0].tolist(), abs=1e-5)


def test_the_first_choice_is_told_where_rounding_would_hide_it(load: Load) -> None:
    checkpoint, close = load("classification"), torch.tensor([0.4, 0.4 + 2e-10, 0.2], dtype=torch.float64)
    hidden = output_fields(checkpoint, checkpoint.encode(TEXT), Reading("classification", close.log()[None]))
    assert hidden["probabilities"][0] == hidden["probabilities"][1]
    assert hidden["first"] == 1
    plain = output_fields(
        checkpoint, checkpoint.encode(TEXT), Reading("classification", torch.tensor([[0.2, 0.5, 0.3]]).log())
    )
    assert "first" not in plain


def test_an_encoder_moves_by_the_angle_of_its_mean_vector(load: Load) -> None:
    checkpoint = load("encoder")
    encoded = checkpoint.encode(TEXT)
    moved, full, now = change(checkpoint, encoded, 1)
    one, other = full.last_hidden_state[0].double().mean(0), now.last_hidden_state[0].double().mean(0)
    assert moved == pytest.approx(1 - float(one @ other / (one.norm() * other.norm())), abs=1e-5)
    assert output_fields(checkpoint, encoded, read_output(checkpoint, encoded, now)) == {}


def test_probabilities_are_the_softmax_of_the_logits(load: Load) -> None:
    checkpoint = load("classification")
    encoded = checkpoint.encode(TEXT)
    output = run(checkpoint, encoded, 3)
    fields = output_fields(checkpoint, encoded, read_output(checkpoint, encoded, output))
    assert fields["probabilities"] == pytest.approx(output.logits[0].softmax(-1).tolist(), abs=1e-5)
    assert len(fields["probabilities"]) == len(checkpoint.labels)


@pytest.mark.parametrize(("kind", "text"), [("causal-lm", TEXT), ("masked-lm", WITH_MASK)])
def test_the_likeliest_tokens_come_first(load: Load, kind: str, text: str) -> None:
    checkpoint = load(kind)
    encoded = checkpoint.encode(text)
    output = run(checkpoint, encoded, 2)
    at = -1 if kind == "causal-lm" else encoded.tokens.index("[MASK]")
    p = output.logits[0, at].softmax(-1)
    order = sorted(range(len(p)), key=lambda i: -float(p[i]))[:5]
    got = output_fields(checkpoint, encoded, read_output(checkpoint, encoded, output))["top"]
    assert got == [[checkpoint.tokenizer.decode([i]), pytest.approx(float(p[i]), abs=1e-5)] for i in order]


def test_every_reading_can_be_written_as_json(checkpoint: Checkpoint, encoded: Encoded) -> None:
    reading = read_output(checkpoint, encoded, run(checkpoint, encoded, 2))
    json.dumps(output_fields(checkpoint, encoded, reading), allow_nan=False)


def test_another_first_choice_is_a_flip() -> None:
    full, now = (Reading("classification", torch.tensor([p]).log()) for p in ([0.6, 0.4], [0.4, 0.6]))
    assert now.flipped_from(full)
    assert not full.flipped_from(full)
