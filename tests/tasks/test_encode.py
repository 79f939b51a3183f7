import numpy as np
import pytest
from tokenizers import BertWordPieceTokenizer
from transformers import PreTrainedTokenizerFast

from compecon.checkpoints.scratch import train_tokenizer
from compecon.errors import TaskError
from compecon.tasks.encode_rows import Windows, encode
from compecon.tasks.language_task import Document
from compecon.tasks.rows import split

TEXTS = [f"The cat {i} sat on the mat; it was number {i * i}." for i in range(600)]


@pytest.fixture(scope="module")
def byte_level():
    return train_tokenizer(TEXTS, 300, 32)


@pytest.fixture(scope="module")
def word_pieces():
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "c"]
    made = BertWordPieceTokenizer({piece: i for i, piece in enumerate(pieces)})
    return PreTrainedTokenizerFast(tokenizer_object=made._tokenizer, pad_token="[PAD]")


def test_rows_are_encoded_in_their_order_with_their_targets(word_pieces):
    rows = encode(word_pieces, split([("a b", "c", 1), ("c", "a", 0)], int), 8)
    assert [row["input_ids"] for row in rows] == [[2, 5, 6, 3, 7, 3], [2, 7, 3, 5, 3]]
    assert [row["labels"] for row in rows] == [1, 0]


@pytest.mark.parametrize("has_pairs", [False, True])
def test_many_rows_are_those_of_each_text_alone(word_pieces, has_pairs):
    dice = np.random.default_rng(0)
    texts = ["".join(dice.choice(list("abc "), dice.integers(1, 20))) + "a" for _ in range(600)]  # more than at a time
    pairs = texts[::-1] if has_pairs else [None] * 600
    part = split(zip(texts, pairs, dice.random(600), strict=True), float)
    rows = encode(word_pieces, part, 9)
    for place, (text, pair) in enumerate(zip(texts, pairs, strict=True)):
        alone = word_pieces(text.strip(), pair and pair.strip(), truncation=True, max_length=9)
        assert {name: rows[place][name] for name in alone} == dict(alone)
    assert [row["labels"] for row in rows] == part.targets.tolist()
    assert rows[-2:] == [rows[598], rows[599]]
    assert all(type(token) is int for token in rows[7]["input_ids"])
    with pytest.raises(IndexError):
        rows[600]


def test_long_texts_are_cut(word_pieces):
    assert len(encode(word_pieces, split([("a b c a b c", None, 1)], int), 4)[0]["input_ids"]) == 4


@pytest.mark.parametrize("length", [7, 32])
def test_documents_become_the_rows_that_the_bundled_causal_model_learns_from(byte_level, length):
    documents = tuple(Document(text, 9) for text in TEXTS)  # more than are tokenized at a time
    rows = list(encode(byte_level, documents, length))
    stream = [i for text in TEXTS for i in (byte_level.eos_token_id, *byte_level(text, verbose=False)["input_ids"])]
    assert [i for row in rows for i in row["input_ids"]] == stream[: len(stream) // length * length]
    assert all(row["labels"] == row["input_ids"] and row["attention_mask"] == [1] * length for row in rows)


def test_windows_are_a_sequence():
    rows = Windows(np.arange(10, dtype=np.int32), 3)
    assert [row["input_ids"] for row in rows] == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert rows[-1] == rows[2]
    assert rows[1:] == [rows[1], rows[2]]
    assert all(type(token) is int for token in rows[0]["input_ids"])
    with pytest.raises(IndexError):
        rows[3]


def test_documents_too_short_for_a_row_are_refused(byte_level):
    with pytest.raises(TaskError, match="too few for a row of 512"):
        encode(byte_level, (Document("A cat.", 3),), 512)


def test_a_tokenizer_without_an_end_token_has_no_documents(word_pieces):
    with pytest.raises(TaskError, match="no end token"):
        encode(word_pieces, (Document("a b", 2),), 2)
