"""How much of a long text fits: compared with trying every word."""

import pytest

from compecon.checkpoints.fitting_text import beginning_that_fits
from compecon.checkpoints.load import load_checkpoint
from compecon.errors import TextTooLongError


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("sentiment", "cpu")


def by_hand(checkpoint, text, most):
    """The longest of all beginnings that end with a word and fit."""
    ends = [i for i in range(1, len(text) + 1) if not text[i - 1].isspace() and (i == len(text) or text[i].isspace())]
    fitting = [text[:end] for end in ends if len(checkpoint.tokenizer(text[:end])["input_ids"]) <= most]
    return max(fitting, key=len, default="")


@pytest.mark.parametrize("most", [2, 3, 4, 7, 12, 50])
@pytest.mark.parametrize(
    "text",
    [
        "The film is never dull, and its music is unforgettable; so one forgives it a lot.",
        "  two\n\nlines\tand   more  ",
        "antidisestablishmentarianism " * 3,
        "x" * 90,
        "word",
    ],
)
def test_the_longest_beginning_that_fits_is_found(checkpoint, text, most):
    assert beginning_that_fits(checkpoint, text, most) == by_hand(checkpoint, text, most)


def test_a_text_that_fits_is_left_as_it_is(checkpoint):
    assert beginning_that_fits(checkpoint, "a good film", 512) == "a good film"


def test_what_is_too_long_can_be_told_from_other_refusals(checkpoint):
    with pytest.raises(TextTooLongError):
        checkpoint.encode("a good film", max_tokens=3)
