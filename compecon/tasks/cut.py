"""How much of the texts a model could not read, because they are longer than it was given. Loads without torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self, final

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from compecon.tasks.task import Split

_AT_A_TIME = 256  # texts tokenized whole at a time: bounds the memory


@final
@dataclass(frozen=True)
class Cut:
    """How much of some rows was cut off at the end of their texts."""

    rows: int  # rows that were encoded
    n_cut: int  # rows of which only the beginning was read
    max_tokens: int  # tokens that a row may have
    n_tokens: int  # tokens of all rows, whole
    n_read: int  # tokens of all rows that were read

    def __post_init__(self) -> None:
        counts = (self.rows, self.n_cut, self.max_tokens, self.n_tokens, self.n_read)
        if not all(type(count) is int and count >= 0 for count in counts):
            raise ValueError(f"counts of cut rows must be whole numbers, got {counts}.")
        if self.n_cut > self.rows or self.n_read > self.n_tokens:
            raise ValueError(f"more was cut or read than there is: {counts}.")

    @classmethod
    def read(cls, written: object) -> Self | None:
        """Read what :meth:`written` wrote; None where nothing is known, ValueError for anything else."""
        if written is None:
            return None
        try:
            return cls(**dict(written))  # type: ignore[call-overload]
        except TypeError as error:
            raise ValueError(f"it holds no counts of cut rows: {error}.") from error

    def written(self) -> dict[str, int]:
        """JSON values that :meth:`read` reads."""
        return asdict(self)

    def __str__(self) -> str:
        if not self.n_cut:
            return f"All {self.rows:,} texts were read whole, within {self.max_tokens:,} tokens."
        share = self.n_read / self.n_tokens
        return (
            f"{self.n_cut:,} of {self.rows:,} texts were cut to their first {self.max_tokens:,} tokens: the model read "
            f"{share:.0%} of all tokens. Give a larger --max-tokens, up to the model's maximum length."
        )


def cut_rows(
    tokenizer: PreTrainedTokenizerBase, part: Split, rows: Sequence[Mapping[str, Any]], max_tokens: int
) -> Cut:
    """Count what was cut from the rows of a split when they were encoded with at most `max_tokens` each.

    A row below the limit was not cut, so only those that reach it are tokenized again.
    """
    lengths = [len(row["input_ids"]) for row in rows]
    full = [place for place, length in enumerate(lengths) if length >= max_tokens]
    whole = dict(zip(full, _lengths(tokenizer, part, full), strict=True))
    longer = {place: length for place, length in whole.items() if length > lengths[place]}
    n_read = sum(lengths)
    n_tokens = n_read + sum(length - lengths[place] for place, length in longer.items())
    return Cut(len(lengths), len(longer), max_tokens, n_tokens, n_read)


def _lengths(tokenizer: PreTrainedTokenizerBase, part: Split, places: Sequence[int]) -> list[int]:
    """Tokens of some rows, whole."""
    found: list[int] = []
    for begin in range(0, len(places), _AT_A_TIME):
        few = places[begin : begin + _AT_A_TIME]
        pairs = [part.pairs[place] for place in few] if part.pairs else None
        ids = tokenizer([part.texts[place] for place in few], pairs, truncation=False, verbose=False)["input_ids"]
        found.extend(map(len, ids))
    return found
