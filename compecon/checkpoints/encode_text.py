"""From a text to what the model reads, and to tokens that a person can read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from torch import Tensor
from transformers import BatchEncoding, PreTrainedTokenizerBase

from compecon.checkpoints.inputs import separates_pairs, tokenized
from compecon.checkpoints.tokenizers.panics import panics_as_errors, reason
from compecon.errors import CheckpointError, CompeconError, TextError, TextTooLongError

LONGEST_TEXT = 100_000  # characters; beyond this even counting the tokens is too slow to wait for
Span: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Encoded:
    """A text as tokens, from `Checkpoint.encode`.

    Attributes:
        batch: Inputs of the model's forward, each of shape (1, token), on the model's device.
        tokens: What to show for each token: no word-piece marks, white space made visible.
        joined: Whether each token continues the word of the token before it.
        special: Whether each token was added by the tokenizer rather than written in the text.
        spans: Where each token stands: which of the texts (0 or 1), first character, one past the last, without white
            space around it; None for a token that stands nowhere. None as a whole if the tokenizer does not say.
        unknown: Whether each token stands for something written that the tokenizer does not know, such as [UNK].

    Example:
        >>> from compecon import load_checkpoint
        >>> encoded = load_checkpoint("sentiment", device="cpu").encode("A fine film.")
        >>> encoded.special[0], encoded.spans[2], encoded.batch["input_ids"].shape
        (True, (0, 2, 6), torch.Size([1, 6]))
    """

    batch: dict[str, Tensor]
    tokens: tuple[str, ...]
    joined: tuple[bool, ...]
    special: tuple[bool, ...]
    spans: tuple[Span | None, ...] | None = None
    unknown: tuple[bool, ...] = ()


def check_text(text: str, what: str) -> None:
    """Refuse, before a tokenizer sees it, a text that is empty, only white space, too long or not Unicode."""
    if not isinstance(text, str):
        raise TextError(f"{what} is not a text: {text!r:.60}. Pass a string.")
    if not text.strip():
        raise TextError(f"{what} is {'only white space' if text else 'empty'}. Write at least one word.")
    if len(text) > LONGEST_TEXT:
        raise TextError(f"{what} has {len(text):,} characters, more than the {LONGEST_TEXT:,} accepted. Shorten it.")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise TextError(f"{what} has half a character (a surrogate) at {error.start}. Paste it again.") from error


def tokenize(tokenizer: PreTrainedTokenizerBase, text: str, pair: str | None) -> BatchEncoding:
    """Run the tokenizer on one text or pair, whole, with its special tokens: a batch of one.

    Raises:
        TextError: If there is a pair and the tokenizer cannot separate two texts, or if it fails.
    """
    check_text(text, "The text")
    if pair is not None:
        check_text(pair, "The second text")
        if not separates_pairs(tokenizer):
            raise TextError("This checkpoint's tokenizer has no separator for a pair of texts. Give one text.")
    try:
        with panics_as_errors():
            return tokenized(tokenizer, [text], None if pair is None else [pair], max_tokens=None)
    except CompeconError:
        raise
    except Exception as error:
        raise TextError(f"The tokenizer cannot read this text: {reason(error)}. Try another text.") from error


def check_ids(ids: Sequence[int], special: Sequence[bool], *, limit: int, vocabulary: int) -> None:
    """Refuse more than `limit` tokens, none but special ones, and ids beyond the rows of the embedding table.

    Raises:
        TextError: If nothing of the text is left; its kind `TextTooLongError` if it is too long.
        CheckpointError: If the tokenizer makes a token that the model does not know.
    """
    if all(special):
        raise TextError("The tokenizer leaves nothing of this text. Write at least one word.")
    if len(ids) > limit:
        raise TextTooLongError(f"The text has {len(ids):,} tokens, more than the limit of {limit:,}. Shorten it.")
    if max(ids) >= vocabulary:
        raise CheckpointError(
            f"The tokenizer produced token {max(ids)}, but the model knows only {vocabulary}: they do not belong "
            "together. Save the checkpoint again with its own tokenizer."
        )


def unknown_of(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], special: Sequence[bool]) -> tuple[bool, ...]:
    """Which tokens stand for what the tokenizer does not know, as in `Encoded`.

    GPT-2's sign for the unknown is that for the end of a text: it spells every text, so none of it is unknown.
    """
    unknown = tokenizer.unk_token_id
    is_none = unknown is None or unknown in (tokenizer.bos_token_id, tokenizer.eos_token_id)
    return tuple(not is_none and one == unknown and not added for one, added in zip(ids, special, strict=True))


def check_known(encoded: Encoded) -> None:
    """Refuse a text most of whose own tokens are unknown: what a model says of it is not about the text.

    Raises:
        TextError: If more than half of the tokens, special ones aside, are.
    """
    n_unknown, n_own = sum(encoded.unknown), len(encoded.special) - sum(encoded.special)
    if 2 * n_unknown > n_own:
        sign = encoded.tokens[encoded.unknown.index(True)]
        raise TextError(
            f"This model does not know {n_unknown} of the text's {n_own} tokens and would read each as {sign}, so it "
            "has no answer. Write in the language and script that it was trained on."
        )


def spans_of(encoding: BatchEncoding, text: str, pair: str | None) -> tuple[Span | None, ...] | None:
    """Where each token of an encoding from `tokenize` stands in the texts, as in `Encoded`."""
    if not encoding.encodings:  # written in Python, it keeps no account of characters
        return None
    one = encoding.encodings[0]
    texts = (text, pair or "")
    pairs = zip(one.sequence_ids, one.offsets, strict=True)
    return tuple(None if which is None else _trimmed(texts, which, start, end) for which, (start, end) in pairs)


def _trimmed(texts: tuple[str, str], which: int, start: int, end: int) -> Span | None:
    piece = texts[which][start:end]
    inner = piece.strip()
    if not inner:
        return None
    first = start + piece.index(inner)
    return which, first, first + len(inner)
