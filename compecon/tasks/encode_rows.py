"""Rows of a split as model inputs."""

from __future__ import annotations

import statistics
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, final, overload

import numpy as np
from transformers import PreTrainedTokenizerBase
from typing_extensions import override

from compecon.checkpoints.inputs import separates_pairs, tokenized
from compecon.errors import TaskError, TextOfRowError
from compecon.tasks.language_task import Documents
from compecon.tasks.task import Split

Features = dict[str, Any]  # input_ids and friends, lists of int without padding; labels; soft_targets where there are
_AT_A_TIME = 256  # texts tokenized at a time: bounds the memory


class Rows(Sequence[Features]):
    """Rows that are held as arrays, and become lists when they are needed: a list of ints takes twenty times more."""

    @abstractmethod
    def row(self, place: int) -> Features:
        """One row, by its place from 0."""

    @overload
    def __getitem__(self, index: int) -> Features: ...
    @overload
    def __getitem__(self, index: slice) -> list[Features]: ...
    def __getitem__(self, index: int | slice) -> Features | list[Features]:
        places = range(len(self))[index]
        return self.row(places) if isinstance(places, int) else [self.row(place) for place in places]


@final
class EncodedTexts(Rows):
    """Texts as a tokenizer gave them, 12 bytes a token."""

    def __init__(self, columns: Mapping[str, np.ndarray], ends: np.ndarray, targets: np.ndarray) -> None:
        """Take the columns of all rows end to end, each of shape (token,), where each row ends, and its target."""
        self._columns, self._ends, self._targets = columns, ends, targets

    def __len__(self) -> int:
        return len(self._ends)

    @override
    def row(self, place: int) -> Features:
        tokens = slice(self._ends[place - 1] if place else 0, self._ends[place])
        columns = {name: column[tokens].tolist() for name, column in self._columns.items()}
        return {**columns, "labels": self._targets[place].item()}


@final
class Windows(Rows):
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

    @override
    def row(self, place: int) -> Features:
        tokens = self._rows[place].tolist()
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


def _texts(tokenizer: PreTrainedTokenizerBase, split: Split, max_tokens: int) -> EncodedTexts:
    if split.pairs and not separates_pairs(tokenizer):
        raise TaskError("the tokenizer cannot separate two texts. Use a model that was made for pairs.")
    parts: dict[str, list[np.ndarray]] = {}
    lengths: list[int] = []
    for few in _parts(len(split)):
        with _numbered_over_all(few):
            columns = tokenized(tokenizer, split.texts[few], split.pairs[few] or None, max_tokens)
        lengths += map(len, columns["input_ids"])
        for name in columns.keys() - {"special_tokens_mask"}:
            joined = chain.from_iterable(columns[name])
            parts.setdefault(name, []).append(np.fromiter(joined, dtype=np.uint32))  # as tokenizers hold them
    return EncodedTexts({name: np.concatenate(part) for name, part in parts.items()}, np.cumsum(lengths), split.targets)


def _stream(tokenizer: PreTrainedTokenizerBase, documents: Documents, length: int) -> Windows:
    end = tokenizer.eos_token_id
    if end is None:
        raise TaskError("the tokenizer has no end token to separate documents. Use that of a causal model.")
    parts = []
    for few in _parts(len(documents)):
        texts = [document.text for document in documents[few]]
        with _numbered_over_all(few):
            ids = tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        parts.append(np.fromiter((token for row in ids for token in (end, *row)), dtype=np.int32))
    stream = np.concatenate(parts) if parts else np.empty(0, dtype=np.int32)
    if len(stream) < length:
        raise TaskError(f"{len(stream)} tokens of documents are too few for a row of {length}. Use shorter rows.")
    return Windows(stream, length)


def _parts(n_rows: int) -> Iterator[slice]:
    """Rows that are tokenized together. The last one never stands alone: it would be a text without a number."""
    for begin in range(0, max(n_rows - 1, 1), _AT_A_TIME):
        end = begin + _AT_A_TIME
        yield slice(begin, end + (end == n_rows - 1))


@contextmanager
def _numbered_over_all(rows: slice) -> Iterator[None]:
    """Count the row that an error names from the first of all."""
    try:
        yield
    except TextOfRowError as error:
        raise error.after(rows.start) from error


def mean_length(rows: Sequence[Features]) -> int:
    """Mean number of tokens of the rows, rounded."""
    if isinstance(rows, Windows):  # all alike, and perhaps a million of them
        return rows.length
    return round(statistics.fmean(len(row["input_ids"]) for row in rows))
