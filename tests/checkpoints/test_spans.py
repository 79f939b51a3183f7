"""Where tokens stand in the text, for tokenizers of every family."""

from __future__ import annotations

import pytest
from transformers import BatchEncoding

from compecon.checkpoints.encode_text import spans_of
from compecon.checkpoints.load import load_checkpoint
from compecon.checkpoints.locate import bundled_names

TEXT, PAIR = "Héllo  wörld, unwatchable 😀 film\n", " the  end."


@pytest.mark.parametrize("name", [name for name in ("sentiment", "causal") if name in bundled_names()])
def test_every_letter_that_is_read_belongs_to_a_token(name: str) -> None:
    encoded = load_checkpoint(name, "cpu").encode(TEXT)
    assert encoded.spans is not None
    assert len(encoded.spans) == len(encoded.tokens)
    held = [span for span in encoded.spans if span is not None]
    assert held == sorted(held)
    assert {letter for _, start, end in held for letter in range(start, end)} == {
        i for i, letter in enumerate(TEXT) if not letter.isspace()
    }
    for span, special in zip(encoded.spans, encoded.special, strict=True):
        assert not special or span is None
        if span is not None:
            piece = TEXT[span[1] : span[2]]
            assert piece
            assert piece == piece.strip()


def test_tokens_of_a_pair_say_which_text_they_stand_in() -> None:
    encoded = load_checkpoint("sentiment", "cpu").encode(TEXT, PAIR)
    assert encoded.spans is not None
    words = [(span[0], (TEXT, PAIR)[span[0]][span[1] : span[2]]) for span in encoded.spans if span is not None]
    assert words[-3:] == [(1, "the"), (1, "end"), (1, ".")]
    assert words[0][0] == 0


def test_a_tokenizer_that_keeps_no_account_of_characters_has_no_spans() -> None:
    assert spans_of(BatchEncoding({"input_ids": [1, 2]}), "a b", None) is None
