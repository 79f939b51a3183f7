"""Make a pretrained BERT-shaped encoder small: fewer layers, fewer word pieces, the same numbers in what is kept.

Dropped pieces are not mapped to [UNK] (that would make 8% of English unknown): the WordPiece is rebuilt on the kept
pieces, so that a rare word falls into more, smaller ones.
"""

from __future__ import annotations

import copy
import json
import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import torch
from tokenizers import Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertModel

_PREFIX = "##"
_LONGEST_WORD = 1000  # characters; the usual 100 turns a longer "word" (a pasted key, a line of dashes) into [UNK]


def shrink_tokenizer(
    tokenizer: Tokenizer, corpora: Sequence[Sequence[str]], size: int
) -> tuple[Tokenizer, tuple[int, ...]]:
    """Rebuild a WordPiece tokenizer on its special tokens, its characters and its most frequent pieces.

    Kept in any case: every single character of Latin, Greek and Cyrillic script, punctuation and symbols, alone and as
    a continuation, so that no English text has an unknown piece. Truncation and padding are switched off.

    Args:
        tokenizer: A WordPiece tokenizer with BERT's special tokens.
        corpora: Texts whose pieces are counted, a collection a task; a piece's frequencies in the collections are
            added up, so that a large one does not outvote a small one. Use training texts only. Ties: the older id.
        size: Number of pieces to keep.

    Returns:
        The tokenizer, and the old ids in the order of the new ones.

    Raises:
        ValueError: If `size` does not even hold the special tokens and characters, or exceeds the vocabulary.
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

    Word vectors are rounded to float16, the precision they are stored in once for all checkpoints: what is trained on
    top of them is trained on the very numbers that will be loaded.

    Args:
        encoder: The encoder to cut.
        layers: How many layers to keep, from the input on.
        ids: Old ids in the order of the new ones, as from `shrink_tokenizer`.

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
