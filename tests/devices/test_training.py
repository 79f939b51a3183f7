"""Training, measuring and loading on another device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers
from torch import Tensor
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compecon.attention import KeyBudget
from compecon.callbacks import StepCallbacks
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import TrainingInterruptedError
from compecon.evaluation.predict_rows import predict
from compecon.tasks.encode_rows import Features
from compecon.tasks.objectives import classification_loss
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive import train_incentive
from compecon.training.incentive_settings import IncentiveSettings
from compecon.training.training_settings import FineTuneSettings

_SETTINGS = FineTuneSettings(steps=6, batch_size=8, learning_rate=1e-2, head_multiplier=1, precision="float32")


@pytest.fixture
def tokenizer() -> PreTrainedTokenizerBase:
    vocabulary = {"[PAD]": 0, "[UNK]": 1, **{f"w{i}": i for i in range(2, 12)}}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    core.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=core, pad_token="[PAD]", unk_token="[UNK]")


@pytest.fixture
def rows() -> list[Features]:
    dice = torch.Generator().manual_seed(0)
    found = []
    for i in range(16):
        ids = torch.randint(3, 12, (3 + i % 4,), generator=dice).tolist()
        found.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": i % 2})
    return found


def _bert() -> BertForSequenceClassification:
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return BertForSequenceClassification(BertConfig(vocab_size=12, max_position_embeddings=16, **sizes, **still)).eval()


@pytest.mark.parametrize("budgets", [(), (1, 2)], ids=["plain", "budget dropout"])
def test_a_training_takes_the_same_steps(budgets, tokenizer, rows, device) -> None:
    settings, losses = replace(_SETTINGS, key_budgets=budgets), []
    for where in ("cpu", "auto"):
        model = _bert().to("cpu" if where == "cpu" else device)
        result = fine_tune(model, tokenizer, rows, classification_loss(), replace(settings, device=where))
        losses.append(result.losses)
        assert next(model.parameters()).device.type == ("cpu" if where == "cpu" else device.type)
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)


def test_a_priced_training_compacts_there(tokenizer, rows, device) -> None:
    shares = []
    for where in ("cpu", "auto"):
        settings = replace(_SETTINGS, steps=12, device=where)
        incentive = IncentiveSettings(target=0.5, n_tokens=5)
        model = _bert().to("cpu" if where == "cpu" else device)
        result = train_incentive(model, tokenizer, rows, classification_loss(), incentive, settings)
        assert predict(result.model, tokenizer, rows).isfinite().all()
        shares.append(result.share)
    assert all(share <= 0.5 for share in shares)


def test_what_a_model_says_of_rows_is_the_same(tokenizer, rows, device) -> None:
    for budget in (None, KeyBudget(keys=2)):
        here = predict(_bert(), tokenizer, rows, budget=budget)
        there = predict(_bert().to(device), tokenizer, rows, budget=budget)
        assert there.device.type == "cpu"
        torch.testing.assert_close(there, here, rtol=1e-4, atol=1e-5)


@pytest.fixture
def same_bits(anywhere: torch.device) -> Iterator[torch.device]:
    """A device whose sums are always taken in the same order; `conftest` says so to cuBLAS."""
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(anywhere.type == "cuda")
    yield anywhere
    torch.use_deterministic_algorithms(before)


def test_a_training_that_was_left_goes_on_with_the_same_bits(tokenizer, rows, tmp_path, same_bits) -> None:
    settings = replace(_SETTINGS, save_every=2, device=str(same_bits))

    def train(watch: StepCallbacks) -> tuple[dict[str, Tensor], list[float]]:
        model, losses = _bert().to(same_bits), list[float]()
        watch = replace(watch, report=lambda record: losses.append(record.loss), stop=lambda: len(losses) == left[0])
        fine_tune(model, tokenizer, rows, classification_loss(), settings, watch=watch)
        return {name: part.cpu() for name, part in model.state_dict().items()}, losses

    left = [0]
    whole, history = train(StepCallbacks(folder=tmp_path / "whole"))
    left = [3]
    with pytest.raises(TrainingInterruptedError):
        train(StepCallbacks(folder=tmp_path / "parts"))
    left = [0]
    parts, rest = train(StepCallbacks(folder=tmp_path / "parts"))
    assert rest == history[-len(rest) :]
    assert [name for name in whole if not torch.equal(whole[name], parts[name])] == []


@pytest.mark.parametrize("name", ["sentiment", "sentiment-45-taylor"])
def test_a_checkpoint_answers_as_on_the_cpu(name, device) -> None:
    text = "Not even a wonderful cast can save this tired, joyless sequel"
    answers = []
    for where in ("cpu", str(device)):
        checkpoint = load_checkpoint(name, device=where)
        with torch.no_grad():
            answers.append(checkpoint.model(**checkpoint.encode(text).batch).logits.float().cpu())
    torch.testing.assert_close(answers[1], answers[0], rtol=1e-3, atol=1e-3)
