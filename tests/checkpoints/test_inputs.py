"""One model gives one answer: on a page, in an evaluation and in a training, alone or in a batch."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from compecon.attention.budget import KeyBudget
from compecon.attention.key_budget_sweep import sweep
from compecon.callbacks import Callbacks
from compecon.checkpoints.inputs import inputs_of, read, stacked
from compecon.checkpoints.load import Checkpoint
from compecon.errors import TaskError
from compecon.evaluation.predict_rows import collator, predict
from compecon.evaluation.row_passes import Sample, level_of
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split
from compecon.training.fine_tuning import fine_tune
from compecon.training.incentive import batch_loss
from compecon.training.training_settings import FineTuneSettings
from tests.support.classifiers import FAMILIES, classifier, word_tokenizer

TEXTS = ("w5 w6 w7 w8 w9 w10", "w11 w12", "w13 w14 w15 w16", "w17 w18 w19", "w20")
PAIRS = ("w21", "w22 w23 w24", "w25 w26", "w27 w28 w29 w30 w31", "w32 w33")
TOKENIZERS = {  # settings that have no say in what a model reads
    "names its inputs, pads right": {"pad_token": "[PAD]", "padding_side": "right", "model_input_names": ["input_ids"]},
    "names none, pads left": {"pad_token": "[PAD]", "padding_side": "left"},
    "has no padding": {},
}
PADLESS = ("gpt2", "llama", "gpt_neox", "opt", "qwen2")
FAST = ("bert", "roberta", "distilbert", "gpt2", "llama", "modernbert")


def page(model: Any, tokenizer: Any) -> Tensor:
    """Logits of each row as a page shows them: one text at a time."""
    preflight: Any = SimpleNamespace(max_positions=None)
    device = torch.device("cpu")
    checkpoint = Checkpoint("", None, model, tokenizer, "classification", (), device, preflight, "")  # type: ignore[arg-type]
    with torch.inference_mode():
        return torch.cat([model(**checkpoint.encode(*both).batch).logits for both in zip(TEXTS, PAIRS, strict=True)])


def rows_of(tokenizer: Any) -> Any:
    return encode(tokenizer, Split(TEXTS, PAIRS, np.arange(len(TEXTS))), 64)


def statistics(model: Any, tokenizer: Any) -> Tensor:
    """Logits of each row beside its statistics."""
    checkpoint: Any = SimpleNamespace(model=model, tokenizer=tokenizer, name="", preflight=SimpleNamespace(heads=4))
    heads = tuple(tuple(range(4)) for _ in range(2))
    return torch.tensor(level_of(Sample(checkpoint, list(rows_of(tokenizer)), heads), None, Callbacks()).logits)


def training(model: Any, tokenizer: Any) -> Tensor:
    """Logits of each row as the loss of a training sees them."""
    seen = torch.zeros(len(TEXTS), 3)

    def objective(logits: Tensor, _: Tensor, numbers: Tensor | None) -> Tensor:
        assert numbers is not None
        seen[numbers[:, 0].long()] = logits.detach()
        return logits.square().mean()

    settings = FineTuneSettings(steps=1, batch_size=len(TEXTS), precision="float32", device="cpu")
    rows = [{**row, "labels": 0, "soft_targets": [float(i)] * 3} for i, row in enumerate(rows_of(tokenizer))]
    fine_tune(model, tokenizer, rows, objective, settings)
    return seen


def close(one: Tensor, other: Tensor) -> bool:
    return (one - other).abs().max().item() <= 1e-6 * max(1.0, other.abs().max().item())


def assert_one_answer(model: Any, name: str) -> None:
    expected = page(model, word_tokenizer(**TOKENIZERS["names its inputs, pads right"]))
    assert expected.std(0).min() > 1e-3, "the texts do not differ, so nothing is tested"
    for told, settings in TOKENIZERS.items():
        tokenizer = word_tokenizer(**settings)
        rows = rows_of(tokenizer)
        with torch.inference_mode():
            batch = read(model, collator(tokenizer)(rows)).logits
        assert close(page(model, tokenizer), expected), (name, told, "page")
        assert close(predict(model, tokenizer, rows), expected), (name, told, "evaluation")
        assert close(predict(model, tokenizer, rows, batch_size=1), expected), (name, told, "row by row")
        assert close(batch, expected), (name, told, "what a training reads")


@pytest.mark.parametrize("family", [pytest.param(f, marks=() if f in FAST else pytest.mark.slow) for f in FAMILIES])
def test_page_evaluation_and_training_agree(family: str) -> None:
    assert_one_answer(classifier(family), family)


@pytest.mark.parametrize("padding", [None, -1])
@pytest.mark.parametrize("family", PADLESS)
def test_a_model_without_a_padding_token_reads_batches_as_single_texts(family: str, padding: int | None) -> None:
    model = classifier(family, pad_token_id=None)
    model.config.pad_token_id = padding  # -1, as Llama's configs say, is no token either
    assert_one_answer(model, family)
    assert model.config.pad_token_id == padding


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
@pytest.mark.parametrize("padding", [0, None])
def test_a_training_and_statistics_see_what_the_page_shows(family: str, padding: int | None) -> None:
    model = classifier(family, **({} if family == "bert" else {"pad_token_id": padding}))
    tokenizer = word_tokenizer(padding_side="left")
    expected = page(model, tokenizer)
    assert close(statistics(model, tokenizer), expected)
    assert close(training(model, tokenizer), expected)
    assert model.config.pad_token_id == (0 if family == "bert" else padding)


@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_one_text_at_several_budgets_needs_no_padding(family: str) -> None:
    model = classifier(family, **({} if family == "bert" else {"pad_token_id": None}))
    tokenizer = word_tokenizer()
    batch = inputs_of(model, stacked(rows_of(tokenizer)[:1]))
    budgets = [None, KeyBudget(keys=2), KeyBudget(keys=4)]
    together = [point.output.logits for point in sweep(model, batch, budgets)]
    alone = [next(sweep(model, batch, [budget])).output.logits for budget in budgets]
    assert close(torch.cat(together), torch.cat(alone))


@pytest.mark.parametrize("end", [0, 3, 39])
def test_the_borrowed_padding_ends_no_text(end: int) -> None:
    model = classifier("gpt2", pad_token_id=None)
    rows = [{"input_ids": [end, 7, end]}, {"input_ids": [8, end]}, {"input_ids": [9]}, {"input_ids": [0, 0, 0, 0]}]
    with torch.inference_mode():
        alone = torch.cat([model(torch.tensor([row["input_ids"]])).logits for row in rows])
        assert close(read(model, stacked(rows)).logits, alone)


def test_a_replaced_forward_is_kept_and_its_config_restored() -> None:
    model = classifier("gpt2", pad_token_id=None)
    rows = rows_of(word_tokenizer())
    with torch.inference_mode():
        expected = read(model, stacked(rows)).logits
        calls = []
        inner = model.forward
        model.forward = lambda *args, **kwargs: calls.append(1) or inner(*args, **kwargs)
        assert torch.equal(read(model, stacked(rows)).logits, expected)
    assert calls == [1]
    assert model.config.pad_token_id is None


def test_a_wrapped_model_reads_what_the_bare_one_reads() -> None:
    rows = rows_of(word_tokenizer())
    for family, settings in (("bert", {}), ("gpt2", {"pad_token_id": None})):
        model = classifier(family, **settings)
        wrapped = torch.nn.DataParallel(model)
        with torch.inference_mode():
            assert torch.equal(read(wrapped, stacked(rows)).logits, read(model, stacked(rows)).logits)


def test_gradients_reach_the_weights_of_a_model_that_borrows_padding() -> None:
    model = classifier("llama", pad_token_id=None)
    loss = batch_loss(lambda logits, *_: logits.square().mean())(model, stacked(rows_of(word_tokenizer())))
    loss.backward()
    assert model.model.embed_tokens.weight.grad.abs().sum() > 0


def test_a_pair_without_a_separator_is_refused_for_a_table_as_on_the_page() -> None:
    tokenizer = word_tokenizer()
    tokenizer.backend_tokenizer.post_processor = None
    with pytest.raises(TaskError, match="separate"):
        rows_of(tokenizer)


def test_targets_stay_in_the_batch_and_are_not_read() -> None:
    row = {"input_ids": [5, 6], "labels": 1, "soft_targets": [0.5, 0.25]}
    batch = stacked([row, {**row, "input_ids": [7]}], padding=9)
    assert {name: column.tolist() for name, column in batch.items()} == {
        "input_ids": [[5, 6], [7, 9]],
        "attention_mask": [[1, 1], [1, 0]],
        "labels": [1, 1],
        "soft_targets": [[0.5, 0.25], [0.5, 0.25]],
    }
    assert set(inputs_of(classifier("bert"), batch)) == {"input_ids", "attention_mask"}
