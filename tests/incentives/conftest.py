"""Tiny models with random weights, one of each way in which transformers names and stores units."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    GPT2Config,
    GPT2LMHeadModel,
    RobertaConfig,
    RobertaForSequenceClassification,
)

SIZE = {"vocab_size": 50, "initializer_range": 0.2}
BERT = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 24}
STILL = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def bert() -> nn.Module:
    return BertForSequenceClassification(BertConfig(**SIZE, **BERT, **STILL))


def roberta() -> nn.Module:
    return RobertaForSequenceClassification(RobertaConfig(**SIZE, **BERT, **STILL, pad_token_id=0))


def distilbert() -> nn.Module:
    sizes = {"dim": 32, "n_layers": 2, "n_heads": 4, "hidden_dim": 24}
    still = {"dropout": 0.0, "attention_dropout": 0.0, "seq_classif_dropout": 0.0}
    return DistilBertForSequenceClassification(DistilBertConfig(**SIZE, **sizes, **still))


def gpt2() -> nn.Module:
    sizes = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 24, "n_positions": 16}
    still = {"embd_pdrop": 0.0, "attn_pdrop": 0.0, "resid_pdrop": 0.0}
    return GPT2LMHeadModel(GPT2Config(**SIZE, **sizes, **still, bos_token_id=0, eos_token_id=0))


MODELS = {build.__name__: build for build in (bert, roberta, distilbert, gpt2)}


@pytest.fixture(params=MODELS)
def model(request: pytest.FixtureRequest) -> nn.Module:
    torch.manual_seed(0)
    return MODELS[request.param]().eval()


@pytest.fixture
def batch() -> dict[str, Tensor]:
    """Three texts of 7 tokens, the second one padded to that length."""
    ids = torch.randint(1, 50, (3, 7), generator=torch.Generator().manual_seed(0))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}
