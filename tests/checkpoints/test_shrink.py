import string

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import BertConfig, BertModel

from compecon.checkpoints.pretrained import shrink_encoder, shrink_tokenizer

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
CHARACTERS = [c for c in string.printable if not c.isspace() and not c.isupper()] + ["é", "—", "“", "”", "я"]
WORDS = ["attention", "money", "##ing", "spend", "econ", "##omy", "unused", "##less", "budget"]
PIECES = [*SPECIAL, *CHARACTERS, *(f"##{c}" for c in CHARACTERS), *WORDS, "字"]
TEXTS = ["Spending attention, spending money", "a budget and money"]


def word_piece():
    tokenizer = BertWordPieceTokenizer({piece: i for i, piece in enumerate(PIECES)}, strip_accents=False)
    tokenizer.enable_truncation(8)
    return Tokenizer.from_str(tokenizer.to_str())


SIZE = len(PIECES) - 4
SMALL, IDS = shrink_tokenizer(word_piece(), [TEXTS], SIZE)


def encoder():
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(PIECES),
        hidden_size=16,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    return BertModel(config).eval()


def test_frequent_pieces_and_all_characters_of_english_stay():
    kept = SMALL.get_vocab()
    assert {"spend", "##ing", "attention", "money", "budget", *SPECIAL, *CHARACTERS} <= kept.keys()
    assert len(kept) == SIZE
    assert "unused" not in kept
    assert "字" not in kept


def test_new_ids_point_at_the_old_pieces():
    assert {SMALL.id_to_token(new): new for new in range(SIZE)} == {PIECES[i]: new for new, i in enumerate(IDS)}


def test_a_dropped_word_falls_into_smaller_pieces_and_nothing_is_cut_off():
    tokens = SMALL.encode("unused " * 5).tokens
    assert "".join(tokens[1:-1]).replace("##", "") == "unused" * 5


def test_pairs_are_still_framed_by_their_special_tokens():
    encoding = SMALL.encode("money", "budget")
    assert encoding.tokens == ["[CLS]", "money", "[SEP]", "budget", "[SEP]"]
    assert encoding.type_ids == [0, 0, 0, 1, 1]


@given(st.text(alphabet=string.printable + "é—“”", max_size=300))
def test_no_english_text_has_an_unknown_piece(text):
    assert "[UNK]" not in SMALL.encode(text).tokens


def test_a_word_of_five_hundred_letters_is_not_unknown_either():
    assert "[UNK]" not in SMALL.encode("x" * 500).tokens


def test_a_small_collection_counts_as_much_as_a_large_one():
    small, _ = shrink_tokenizer(word_piece(), [["money budget attention"] * 1000, ["economy"]], len(PIECES) - 5)
    assert {"econ", "##omy"} <= small.get_vocab().keys()


@pytest.mark.parametrize("size", [10, len(PIECES) + 1])
def test_a_size_that_cannot_be_is_refused(size):
    with pytest.raises(ValueError, match="size must be from"):
        shrink_tokenizer(word_piece(), [TEXTS], size)


def test_texts_whose_pieces_all_survive_keep_their_hidden_states():
    whole, small = encoder(), shrink_encoder(encoder(), 2, IDS)
    with torch.no_grad():  # the cut rounds word vectors to float16; round them before to compare the rest exactly
        whole.embeddings.word_embeddings.weight.copy_(whole.embeddings.word_embeddings.weight.half().float())
        for text in ("spending money", "a budget!"):
            before = word_piece().encode(text).ids
            expected = whole(input_ids=torch.tensor([before]), output_hidden_states=True).hidden_states[2]
            actual = small(input_ids=torch.tensor([SMALL.encode(text).ids])).last_hidden_state
            torch.testing.assert_close(actual, expected)


def test_the_encoder_that_is_cut_is_left_alone():
    whole = encoder()
    before = {name: value.clone() for name, value in whole.state_dict().items()}
    shrink_encoder(whole, 1, IDS)
    assert whole.config.num_hidden_layers == 3
    assert all(torch.equal(before[name], value) for name, value in whole.state_dict().items())


@pytest.mark.parametrize("layers", [0, 4])
def test_more_layers_than_there_are_is_refused(layers):
    with pytest.raises(ValueError, match="layers must be from 1 to 3"):
        shrink_encoder(encoder(), layers, IDS)
