"""What was cut is counted as a tokenizer counts it that never cuts."""

import hypothesis
import pytest
from hypothesis import strategies
from tokenizers import BertWordPieceTokenizer
from transformers import PreTrainedTokenizerFast

from compecon.tasks.cut import Cut, cut_rows
from compecon.tasks.encode_rows import encode
from compecon.tasks.rows import split

WORDS = strategies.lists(strategies.sampled_from("abc"), min_size=1, max_size=9).map(" ".join)


@pytest.fixture(scope="module")
def tokenizer():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    made = BertWordPieceTokenizer({piece: i for i, piece in enumerate(pieces)})
    return PreTrainedTokenizerFast(tokenizer_object=made._tokenizer, pad_token="[PAD]")


@hypothesis.given(
    rows=strategies.lists(strategies.tuples(WORDS, WORDS), min_size=1, max_size=5),
    limit=strategies.integers(5, 14),
    has_pairs=strategies.booleans(),
)
def test_counts_are_those_of_each_row_alone(tokenizer, rows, limit, has_pairs):
    part = split([(text, pair if has_pairs else None, 0) for text, pair in rows], int)
    whole = [len(tokenizer(*(row if has_pairs else row[:1]))["input_ids"]) for row in rows]
    cut = cut_rows(tokenizer, part, encode(tokenizer, part, limit), limit)
    expected = Cut(len(rows), sum(n > limit for n in whole), limit, sum(whole), sum(min(n, limit) for n in whole))
    assert cut == expected


def test_it_is_read_as_it_was_written():
    cut = Cut(4, 1, 8, 20, 18)
    assert Cut.read(cut.written()) == cut
    assert Cut.read(None) is None
    with pytest.raises(ValueError, match="more was cut"):
        Cut.read({**cut.written(), "n_cut": 5})
