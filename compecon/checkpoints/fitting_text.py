"""How much of a long text can be read at once."""

from __future__ import annotations

import bisect
import re

from compecon.checkpoints.load import Checkpoint
from compecon.errors import TextError, TextTooLongError


def beginning_that_fits(checkpoint: Checkpoint, text: str, max_tokens: int) -> str:
    """The longest beginning, cut after a word, that has at most so many tokens; "" if the first word is too long.

    It asks the tokenizer about log2(words) times, and takes for granted that more words never are fewer tokens.
    """
    ends = [word.end() for word in re.finditer(r"\S+", text)]

    def is_too_long(end: int) -> bool:
        try:
            checkpoint.encode(text[:end], max_tokens=max_tokens)
        except TextTooLongError:
            return True
        except TextError:  # so little of it that the tokenizer leaves nothing
            return False
        return False

    n_words = bisect.bisect_left(ends, True, key=is_too_long)
    return text[: ends[n_words - 1]] if n_words else ""
