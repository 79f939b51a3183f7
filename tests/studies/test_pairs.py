import numpy as np
import pytest
import torch
from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import BertConfig, BertModel

from compecon.checkpoints.pretrained import Base, shrunk
from compecon.evaluation.predict_rows import embed
from compecon.studies.pairs import scored_pairs
from compecon.tasks.encode_rows import encode
from compecon.tasks.readers.glue import split

WORDS = [f"w{chr(97 + i)}" for i in range(20)]
SENTENCES = [f"{a} {b}" for a in WORDS[:12] for b in WORDS[8:]]


@pytest.fixture(scope="module")
def base() -> Base:
    letters = [chr(97 + i) for i in range(26)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{c}" for c in letters), *WORDS]
    core = Tokenizer.from_str(BertWordPieceTokenizer({piece: i for i, piece in enumerate(pieces)}).to_str())
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
    )
    return shrunk(BertModel(config).eval(), core, [SENTENCES], len(pieces))


@pytest.fixture(scope="module")
def scored():
    rng = np.random.default_rng(0)
    order = rng.permutation(len(SENTENCES))
    return split(
        [(SENTENCES[i], SENTENCES[j], 5 * rng.random()) for i, j in zip(order, order[::-1], strict=True)], float
    )


@pytest.fixture(scope="module")
def cosines(base):
    vectors = embed(
        base.encoder, base.tokenizer, encode(base.tokenizer, split([(s, None, 0) for s in SENTENCES], int), 16)
    )
    return (vectors @ vectors.T).numpy()


def pairs_of(base, scored, seed=0):
    made = scored_pairs(base, scored, seed=seed, max_tokens=16)
    index = {sentence: i for i, sentence in enumerate(SENTENCES)}
    return made, np.array([index[s] for s in made.texts]), np.array([index[s] for s in made.pairs])


def test_every_sentence_is_paired_three_times_and_never_with_itself(base, scored):
    made, first, second = pairs_of(base, scored)
    assert np.array_equal(np.bincount(first), np.full(len(SENTENCES), 3))
    assert not (first == second).any()
    assert len(made) == 3 * len(SENTENCES)


def test_the_close_neighbour_is_one_of_the_three_nearest(base, scored, cosines):
    _, first, second = pairs_of(base, scored)
    others = cosines - 2 * np.eye(len(SENTENCES))
    third = np.sort(others, axis=1)[:, -3]
    close = cosines[first, second].reshape(-1, 3)[:, 0]
    assert (close >= third[first.reshape(-1, 3)[:, 0]] - 1e-6).all()


def test_scores_are_the_line_through_the_given_ones_within_their_range(base, scored, cosines):
    made, first, second = pairs_of(base, scored)
    index = {sentence: i for i, sentence in enumerate(SENTENCES)}
    known = [cosines[index[a], index[b]] for a, b in zip(scored.texts, scored.pairs, strict=True)]
    slope, offset = np.polyfit(known, scored.targets, 1)
    expected = np.clip(slope * cosines[first, second] + offset, scored.targets.min(), scored.targets.max())
    np.testing.assert_allclose(made.targets, expected, atol=1e-4)


def test_the_seed_says_which_pairs(base, scored):
    assert pairs_of(base, scored)[0].pairs == pairs_of(base, scored)[0].pairs
    assert pairs_of(base, scored)[0].pairs != pairs_of(base, scored, seed=1)[0].pairs
