"""Rows of a split as model inputs."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedTokenizerBase

from compecon.tasks.task import Split

Features = dict[str, Any]  # input_ids and friends, lists of int without padding; labels; soft_targets where there are


def encode(tokenizer: PreTrainedTokenizerBase, split: Split, max_tokens: int) -> list[Features]:
    """Tokenize a split, one feature dict a row in the order of the rows, not padded.

    Args:
        tokenizer: The model's tokenizer.
        split: The rows.
        max_tokens: Longer texts are cut at their end, the longer of a pair first.
    """
    columns = tokenizer(list(split.texts), list(split.pairs) or None, truncation=True, max_length=max_tokens)
    names = list(columns)
    return [
        {**{name: columns[name][row] for name in names}, "labels": target}
        for row, target in enumerate(split.targets.tolist())
    ]
