from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tokenizers import processors

from compecon.checkpoints.encode_text import check_known
from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.errors import CheckpointError, TextError

pytestmark = pytest.mark.usefixtures("untried")
Make = Callable[..., Path]


@pytest.fixture
def bert(make: Make) -> Checkpoint:
    return load_checkpoint(make("classifier"))


@pytest.fixture
def gpt2(make: Make) -> Checkpoint:
    return load_checkpoint(make("gpt2"))


def test_word_pieces_lose_their_marks_and_say_that_they_continue_a_word(bert: Checkpoint) -> None:
    encoded = bert.encode("Unbelievably great!")
    assert encoded.tokens == ("[CLS]", "un", "bel", "iev", "ably", "great", "!", "[SEP]")
    assert encoded.joined == (False, False, True, True, True, False, False, False)
    assert encoded.special == (True, *[False] * 6, True)


def test_the_batch_is_what_the_tokenizer_alone_would_give(bert: Checkpoint) -> None:
    encoded = bert.encode("the film", "was bad")
    expected = bert.tokenizer("the film", "was bad", return_tensors="pt", return_token_type_ids=True)
    assert {name: value.tolist() for name, value in encoded.batch.items()} == {
        name: value.tolist() for name, value in expected.items()
    }
    assert encoded.batch["token_type_ids"][0].tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_token_types_are_left_out_where_the_model_would_misread_them(gpt2: Checkpoint) -> None:
    assert set(gpt2.encode("the film").batch) == {"input_ids", "attention_mask"}


def test_a_mask_that_the_writer_typed_is_part_of_the_text(bert: Checkpoint) -> None:
    encoded = bert.encode("the [MASK] was")
    assert encoded.tokens[2] == "[MASK]"
    assert not encoded.special[2]


def test_what_the_tokenizer_does_not_know_is_counted_by_its_own_id(bert: Checkpoint) -> None:
    for text in ("the film was great", "the \u5f71 was \U0001f600 great", "\u5f71\u5f71", "the [UNK] film"):
        encoded = bert.encode(text)
        ids = encoded.batch["input_ids"][0].tolist()
        assert list(encoded.unknown) == [one == bert.tokenizer.unk_token_id for one in ids], text
    assert sum(bert.encode("the \u5f71 was \U0001f600 great").unknown) == 2


def test_nothing_is_unknown_to_a_tokenizer_that_spells_bytes(gpt2: Checkpoint) -> None:
    assert not any(gpt2.encode("\u5f71\U0001f600 <|endoftext|> the film").unknown)


def test_most_of_a_text_has_to_be_known(bert: Checkpoint) -> None:
    check_known(bert.encode("the film was \u5f71\u5f71\u5f71"))  # half of it
    with pytest.raises(TextError, match=r"does not know 4 of the text's 7 tokens .*\[UNK\]"):
        check_known(bert.encode("the film was \u5f71\u5f71\u5f71\u5f71"))


def test_byte_pairs_show_their_text_and_white_space_is_visible(gpt2: Checkpoint) -> None:
    encoded = gpt2.encode("the film\n\nwas  great\t!")
    assert "".join(encoded.tokens).replace("⏎", "").replace("␠", "").replace("⇥", "") == "thefilmwasgreat!"
    assert {"⏎", "⇥"} <= set("".join(encoded.tokens))
    assert not any(character.isspace() or character in "ĠĊĉ" for token in encoded.tokens for character in token)


def test_bytes_of_a_split_character_are_shown_as_bytes(gpt2: Checkpoint) -> None:
    tokens = gpt2.encode("the 漢").tokens
    assert tokens[-3:] == ("⟨E6⟩", "⟨BC⟩", "⟨A2⟩")


def test_in_byte_pairs_a_word_continues_until_the_next_space(gpt2: Checkpoint) -> None:
    encoded = gpt2.encode("the filmxyz")
    words = "".join(
        token if joined else f" {token}" for token, joined in zip(encoded.tokens, encoded.joined, strict=True)
    )
    assert words.strip() == "the filmxyz"


@pytest.mark.parametrize("text", ["\u202eevil", "zero\u200bwidth", "nul\x00byte", "bell\x07"])
def test_nothing_invisible_reaches_the_screen(gpt2: Checkpoint, text: str) -> None:
    assert all(token.isprintable() for token in gpt2.encode(text).tokens)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" \n\t ", "only white space"),
        ("a" * 100_001, "100,001 characters"),
        ("\ud800", "surrogate"),
        ("\u200b\u200b", "leaves nothing"),
    ],
)
def test_a_text_that_cannot_become_tokens_is_a_sentence(bert: Checkpoint, text: str, problem: str) -> None:
    with pytest.raises(TextError, match=problem):
        bert.encode(text)


def test_a_text_beyond_the_limit_says_how_long_it_is_and_how_long_it_may_be(bert: Checkpoint) -> None:
    assert len(bert.encode("film " * 62).tokens) == 64
    with pytest.raises(TextError, match=r"65 tokens.*64"):
        bert.encode("film " * 63)
    with pytest.raises(TextError, match=r"6 tokens.*5"):
        bert.encode("film " * 4, max_tokens=5)


def test_positions_that_roberta_reserves_for_padding_do_not_count(make: Make) -> None:
    checkpoint = load_checkpoint(make("roberta"))  # 66 positions, the first two of which are padding's
    encoded = checkpoint.encode("film " * 62)
    with torch.no_grad():
        assert checkpoint.model(**encoded.batch).logits.shape[1] == 64
    with pytest.raises(TextError, match=r"65 tokens.*64"):
        checkpoint.encode("film " * 63)


def test_a_pair_is_refused_where_it_has_no_meaning(gpt2: Checkpoint) -> None:
    with pytest.raises(TextError, match="causal"):
        gpt2.encode("the film", "was bad")


def test_an_empty_second_text_is_a_sentence(bert: Checkpoint) -> None:
    with pytest.raises(TextError, match="second text is empty"):
        bert.encode("the film", "")


def test_a_tokenizer_with_more_tokens_than_the_model_is_a_sentence(make: Make) -> None:
    checkpoint = load_checkpoint(make("encoder"))
    checkpoint.tokenizer.add_tokens(["extraordinary"])
    with pytest.raises(CheckpointError, match="knows only 21"):
        checkpoint.encode("extraordinary")


def test_a_pair_is_refused_where_nothing_would_separate_the_texts(make: Make) -> None:
    checkpoint = load_checkpoint(make("encoder"))
    checkpoint.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A", pair="[CLS] $A $B", special_tokens=[("[CLS]", 2)]
    )
    with pytest.raises(TextError, match="no separator"):
        checkpoint.encode("the film", "was bad")
