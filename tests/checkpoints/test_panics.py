from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import Regex, pre_tokenizers

from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.tokenizers.panics import PanicError, panics_as_errors, reason
from compecon.errors import TextError


def test_a_panic_becomes_an_error_that_can_be_caught() -> None:
    class PanicException(BaseException):
        pass

    with pytest.raises(PanicError), panics_as_errors():
        raise PanicException


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, ValueError, GeneratorExit])
def test_everything_else_passes_unchanged(error: type[BaseException]) -> None:
    with pytest.raises(error), panics_as_errors():
        raise error


def test_a_reason_is_one_line_and_never_empty() -> None:
    assert reason(ValueError("first\nsecond")) == "first"
    assert reason(ValueError()) == "ValueError"
    assert len(reason(ValueError("x" * 10_000))) == 200


@pytest.mark.usefixtures("untried")
def test_a_text_that_breaks_the_tokenizer_is_a_sentence(make: Callable[..., Path]) -> None:
    checkpoint = load_checkpoint(make("gpt2"))
    bomb = pre_tokenizers.Split(Regex(r"(a+)+$"), "isolated")  # exponential: the regex engine gives up with a panic
    checkpoint.tokenizer.backend_tokenizer.pre_tokenizer = bomb
    with pytest.raises(TextError, match="cannot read this text"):
        checkpoint.encode("a" * 5000 + "!")
