"""More sentence pairs to learn similarity from: neighbours and strangers, scored by the pretrained encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from compecon.checkpoints.pretrained import Base
from compecon.evaluation.predict_rows import embed
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split, Task

Indices = Sequence[int] | np.ndarray

_NEAR = (3, 100)  # each sentence is paired with one of its 3 nearest, one of its 100 nearest, and one of all
_BLOCK = 1024  # sentences compared with all others at a time: bounds the memory


def scored_pairs(base: Base, split: Split, *, seed: int, max_tokens: int) -> Split:
    """Pairs of the split's own sentences: each with a close neighbour, with a distant one, and with any other.

    The base was pretrained to put sentences of like meaning close to each other, so the cosine of two embeddings is a
    score, brought to the scale of the split's own by a straight line. Nothing but the split is read.

    References:
        Thakur et al. (2021), "Augmented SBERT", NAACL; there the other way round, from pairs to single sentences.
    """
    sentences = sorted(set(split.all_texts))
    alone = Split(tuple(sentences), (), np.zeros(len(sentences)))
    vectors = embed(base.encoder, base.tokenizer, encode(base.tokenizer, alone, max_tokens)).numpy()
    place = {sentence: i for i, sentence in enumerate(sentences)}
    known = _cosines(vectors, [place[text] for text in split.texts], [place[text] for text in split.pairs])
    slope, offset = np.polyfit(known, split.targets, deg=1)
    first, second = _drawn(vectors, np.random.default_rng(seed))
    scores = np.clip(slope * _cosines(vectors, first, second) + offset, split.targets.min(), split.targets.max())
    return Split(tuple(sentences[i] for i in first), tuple(sentences[i] for i in second), scores)


def rehearsed(base: Base, task: Task, *, seed: int, max_tokens: int) -> Task:
    """The task with such pairs, made from its train split, to rehearse on."""
    pairs = scored_pairs(base, task.splits["train"], seed=seed, max_tokens=max_tokens)
    return replace(task, splits={**task.splits, "rehearsal": pairs})


def _cosines(vectors: np.ndarray, first: Indices, second: Indices) -> np.ndarray:
    cosines: np.ndarray = (vectors[first].astype(np.float64) * vectors[second]).sum(-1)
    return cosines


def _drawn(vectors: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Indices of the first and second sentences of pairs, never of a sentence with itself."""
    n = len(vectors)
    near = [min(reach, n - 1) for reach in _NEAR]
    chosen = []
    for block in np.array_split(np.arange(n), range(_BLOCK, n, _BLOCK)):
        cosines = vectors[block] @ vectors.T
        cosines[np.arange(len(block)), block] = -np.inf
        ranked = np.argsort(-cosines, axis=1, kind="stable")[:, : max(near)]
        picks = [ranked[np.arange(len(block)), rng.integers(0, reach, len(block))] for reach in near]
        strangers = (block + rng.integers(1, n, len(block))) % n
        chosen.append(np.stack([*picks, strangers], axis=1))
    second = np.concatenate(chosen)
    return np.repeat(np.arange(n), second.shape[1]), second.ravel()
