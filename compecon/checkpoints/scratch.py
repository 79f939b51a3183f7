"""A small causal model that starts from nothing: its own byte-level vocabulary and a GPT-2 shape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor
from torch.nn import functional
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from compecon.checkpoints.inputs import check_inputs, require_finite
from compecon.errors import CheckpointError

END = "<|endoftext|>"


def train_tokenizer(texts: Iterable[str], size: int, max_tokens: int) -> PreTrainedTokenizerFast:
    """Byte-level BPE of `size` pieces, at least 257: any text can be spelled, nothing is unknown.

    It has one special token, for begin, end and padding; `max_tokens` is the longest input of its model.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token=END,
        eos_token=END,
        pad_token=END,
        model_max_length=max_tokens,
        model_input_names=["input_ids", "attention_mask"],
    )


def small_gpt2(tokenizer: PreTrainedTokenizerBase, *, width: int, layers: int, head_width: int = 32) -> GPT2LMHeadModel:
    """A GPT-2 with random weights from torch's global generator, its output tied to the input embeddings.

    The tokenizer gives vocabulary, end token and longest input; the width is a multiple of `head_width`.
    """
    end = tokenizer.eos_token_id
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=tokenizer.model_max_length,
        n_embd=width,
        n_layer=layers,
        n_head=width // head_width,
        embd_pdrop=0.0,  # a pass or three over a small corpus: too few to overfit
        attn_pdrop=0.0,
        resid_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
        pad_token_id=end,
    )
    model = GPT2LMHeadModel(config)
    model.train(False)
    return model


@torch.inference_mode()
def document_nats(
    model: PreTrainedModel, ids: Sequence[int], *, length: int | None = None, batch_size: int = 16
) -> float:
    """Negative log-likelihood of a document after the end token, in nats.

    Windows advance by half: every token but those of the first half-window is predicted from at least half a window of
    context.

    Args:
        model: The model.
        ids: The document's tokens, shape (token,), without the end token.
        length: Tokens of a window, at least 2; None for as many as the model has positions.
        batch_size: Windows at a time.

    Raises:
        CheckpointError: If the model's config names no end token, or its output is not finite.
    """
    length = length or model.config.max_position_embeddings
    end = model.config.eos_token_id
    if end is None or end == []:
        raise CheckpointError("config.json names no end token (eos_token_id), after which a text begins. Add it.")
    stream = torch.tensor([end[0] if isinstance(end, list) else end, *ids])
    begins = range(0, max(1, len(stream) - length // 2), length // 2)
    cut = [(begin, stream[begin : begin + length]) for begin in begins]
    whole = [row for row in cut if len(row[1]) == length]
    nats = 0.0
    for batch in [whole[i : i + batch_size] for i in range(0, len(whole), batch_size)] + [
        [r] for r in cut[len(whole) :]
    ]:
        surprise = _surprise(model, torch.stack([tokens for _, tokens in batch]))
        for (begin, _), row in zip(batch, surprise, strict=True):
            nats += row[(length // 2 - 1 if begin else 0) :].sum().item()
    return nats


def _surprise(model: PreTrainedModel, tokens: Tensor) -> Tensor:
    tokens = tokens.to(model.device)
    inputs = {"input_ids": tokens, "attention_mask": torch.ones_like(tokens)}
    check_inputs(model, inputs)
    logits = model(**inputs).logits[:, :-1].float()
    require_finite(logits, "The output of the model for a document is")
    return functional.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none").double().cpu()
