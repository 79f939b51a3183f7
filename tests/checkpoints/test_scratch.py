import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from compecon.checkpoints.scratch import document_nats, small_gpt2, train_tokenizer
from compecon.errors import CheckpointError

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog"] * 5
TOKENIZER = train_tokenizer(TEXTS, size=280, max_tokens=8)


@pytest.fixture
def model():
    return small_gpt2(TOKENIZER, width=32, layers=1, head_width=16).eval()


@given(st.text(max_size=100))
def test_any_text_is_spelled_and_comes_back(text):
    assert TOKENIZER.decode(TOKENIZER(text, verbose=False)["input_ids"]) == text


def test_output_and_input_embeddings_are_one_tensor(model):
    assert model.lm_head.weight is model.transformer.wte.weight


@pytest.mark.parametrize("n_tokens", [1, 3, 7, 8, 9, 12, 13, 30])
def test_every_token_of_a_document_is_predicted_exactly_once(model, n_tokens):
    torch.nn.init.zeros_(model.transformer.wte.weight)  # then every token costs log(vocabulary), whatever the context
    nats = document_nats(model, list(range(1, n_tokens + 1)), batch_size=2)
    assert nats == pytest.approx(n_tokens * math.log(len(TOKENIZER)))


def test_a_document_within_the_window_costs_what_the_model_says(model):
    ids = [5, 9, 30, 7]
    logits = model(input_ids=torch.tensor([[TOKENIZER.eos_token_id, *ids]])).logits[0, :-1]
    expected = functional.cross_entropy(logits, torch.tensor(ids), reduction="sum")
    assert document_nats(model, ids) == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_document_of_which_the_model_says_no_number_is_refused(model, value):
    model.transformer.ln_f.bias.data[0] = value
    with pytest.raises(CheckpointError, match="not a finite number"):
        document_nats(model, [5, 9, 30])


def test_a_token_that_the_model_does_not_know_is_refused(model):
    with pytest.raises(CheckpointError, match="token 9999"):
        document_nats(model, [5, 9999])


@pytest.mark.parametrize("end", [None, []])
def test_a_model_without_an_end_token_is_refused(model, end):
    model.config.eos_token_id = end
    with pytest.raises(CheckpointError, match="eos_token_id"):
        document_nats(model, [5, 9, 30])
