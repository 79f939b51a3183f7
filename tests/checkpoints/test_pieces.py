from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from compecon.checkpoints.tokenizers.pieces import Spelling, spelling_of

GPT2, BERT, LLAMA, GPT1 = (
    Spelling(space="", byte_level=True),
    Spelling(prefix="##", space=""),
    Spelling(),
    Spelling(suffix="</w>", space=""),
)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_byte_level_pieces_are_read_back_as_the_text_they_were_made_of(text: str) -> None:
    pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    pieces = [piece for piece, _ in pre_tokenizer.pre_tokenize_str(text)]
    assert "".join(str(GPT2.spoken(piece)) for piece in pieces) == text


@given(st.text(), st.sampled_from([GPT2, BERT, LLAMA, GPT1]))
def test_whatever_the_piece_something_printable_is_shown(piece: str, spelling: Spelling) -> None:
    shown = spelling.shown(piece)
    assert shown
    assert shown.isprintable()


@pytest.mark.parametrize(
    ("spelling", "piece", "shown"),
    [
        (BERT, "##ing", "ing"),
        (BERT, "##", "##"),
        (BERT, "Ġ", "Ġ"),
        (GPT2, "Ġhello", "hello"),
        (GPT2, "ĠĠ", "␠␠"),
        (GPT2, "Ċ", "⏎"),
        (GPT2, "##", "##"),
        (GPT2, "<|endoftext|>", "<|endoftext|>"),
        (GPT2, "ðŁ", "⟨F0 9F⟩"),
        (LLAMA, "▁hello", "hello"),
        (LLAMA, "▁", "␠"),
        (LLAMA, "<0x0A>", "⏎"),
        (LLAMA, "<0xE2>", "⟨E2⟩"),
        (GPT1, "hello</w>", "hello"),
    ],
)
def test_marks_come_off_and_white_space_shows(spelling: Spelling, piece: str, shown: str) -> None:
    assert spelling.shown(piece) == shown


def test_sentencepiece_without_word_boundaries_is_joined_by_its_marks() -> None:
    pieces = ["<s>", "▁Hel", "lo", "▁world", "<0x0A>", "next"]
    assert LLAMA.joined(pieces, [None, 0, 0, 0, 0, 0]) == (False, False, True, False, False, False)


def test_a_word_ends_where_its_last_piece_says_so() -> None:
    assert GPT1.joined(["un", "til</w>", "now</w>"], [0, 0, 0]) == (False, True, False)


@pytest.mark.parametrize(
    ("decoder", "spelling"),
    [
        (None, LLAMA),
        (decoders.ByteLevel(), GPT2),
        (decoders.WordPiece(prefix="@@"), Spelling(prefix="@@", space="")),
        (decoders.BPEDecoder(suffix="</w>"), GPT1),
        (decoders.Metaspace(), LLAMA),
        (decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]), LLAMA),
        (decoders.Sequence([decoders.Fuse(), decoders.ByteLevel()]), GPT2),
    ],
)
def test_the_spelling_is_read_off_the_decoder(decoder: decoders.Decoder | None, spelling: Spelling) -> None:
    core = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    if decoder is not None:
        core.decoder = decoder
    assert spelling_of(PreTrainedTokenizerFast(tokenizer_object=core)) == spelling
