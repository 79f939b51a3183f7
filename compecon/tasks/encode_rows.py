"""Rows of a split as model inputs."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any, final, overload

import numpy as np
from transformers import PreTrainedTokenizerBase

from compecon.checkpoints.inputs import separates_pairs, tokenized
from compecon.errors import TaskError
from compecon.tasks.language_task import Documents
from compecon.tasks.task import Split

Features = dict[str, Any]  # input_ids and friends, lists of int without padding; labels; soft_targets where there are
_DOCUMENTS = 256  # tokenized at a time: bounds the memory


@final
class Windows(Sequence[Features]):
    """One stream of tokens, cut into rows of one length when they are needed; the rest of the stream is left out.

    The labels of a row are its tokens. Tokens are held as 32-bit integers: a hundred million take 400 MB.
    """

    def __init__(self, stream: np.ndarray, length: int) -> None:
        """Take a stream, shape (token,), and how many tokens a row has."""
        self._rows = stream[: len(stream) // length * length].reshape(-1, length)

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def length(self) -> int:
        """Tokens of each row."""
        return int(self._rows.shape[1])

    @overload
    def __getitem__(self, index: int) -> Features: ...
    @overload
    def __getitem__(self, index: slice) -> list[Features]: ...
    def __getitem__(self, index: int | slice) -> Features | list[Features]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        tokens = self._rows[index].tolist()
        return {"input_ids": tokens, "attention_mask": [1] * len(tokens), "labels": tokens}


def encode(tokenizer: PreTrainedTokenizerBase, part: Split | Documents, max_tokens: int) -> Sequence[Features]:
    """Tokenize a part of a task, not padded.

    Rows of texts become one feature dict each, in their order. Documents become one stream, each begun with the
    tokenizer's end token, cut into rows of `max_tokens` tokens.

    Args:
        tokenizer: The model's tokenizer.
        part: Rows of a `Task`, or documents of a `LanguageTask`.
        max_tokens: Most tokens of a row, at least 1: longer texts are cut at their end, the longer of a pair first.

    Returns:
        A dict per row with "input_ids" and the tokenizer's other columns, lists of ints, and "labels": the target of a
        text, or the tokens of a row of documents.

    Raises:
        TaskError: If documents are too short for a row, or the tokenizer has no end token to begin them with, or
            nothing to separate the texts of a pair with.

    Example:
        >>> from compecon import load_checkpoint
        >>> part = Split(("A fine film.",), (), np.array([1]))
        >>> rows = encode(load_checkpoint("sentiment", device="cpu").tokenizer, part, max_tokens=4)
        >>> len(rows[0]["input_ids"]), rows[0]["labels"]
        (4, 1)
    """
    return _texts(tokenizer, part, max_tokens) if isinstance(part, Split) else _stream(tokenizer, part, max_tokens)


def _texts(tokenizer: PreTrainedTokenizerBase, split: Split, max_tokens: int) -> list[Features]:
    if split.pairs and not separates_pairs(tokenizer):
        raise TaskError("the tokenizer cannot separate two texts. Use a model that was made for pairs.")
    columns = tokenized(tokenizer, split.texts, split.pairs or None, max_tokens)
    names = [name for name in columns if name != "special_tokens_mask"]
    return [
        {**{name: columns[name][row] for name in names}, "labels": target}
        for row, target in enumerate(split.targets.tolist())
    ]


def _stream(tokenizer: PreTrainedTokenizerBase, documents: Documents, length: int) -> Windows:
    end = tokenizer.eos_token_id
    if end is None:
        raise TaskError("the tokenizer has no end token to separate documents. Use that of a causal model.")
    parts = []
    for begin in range(0, len(documents), _DOCUMENTS):
        texts = [document.text for document in documents[begin : begin + _DOCUMENTS]]
        ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        parts.append(np.fromiter((token for row in ids for token in (end, *row)), dtype=np.int32))
    stream = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
    if len(stream) < length:
        raise TaskError(f"{len(stream)} tokens of documents are too few for a row of {length}. Use shorter rows.")
    return Windows(stream, length)


def mean_length(rows: Sequence[Features]) -> int:
    """Mean number of tokens of the rows, rounded."""
    if isinstance(rows, Windows):  # all alike, and perhaps a million of them
        return rows.length
    return round(statistics.fmean(len(row["input_ids"]) for row in rows))
