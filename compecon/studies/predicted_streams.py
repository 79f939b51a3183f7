"""How well thresholds of the bundled streams are predicted from their texts, and what that earns.

The texts are not bundled: they are read from the task's own rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from compecon.allocation.streams.bundled_streams import PREDICTED
from compecon.allocation.streams.predicted_value import Gain, Skill, gains, out_of_fold, skill, stable_thresholds
from compecon.allocation.streams.stream import Stream
from compecon.allocation.streams.threshold_ridge import fit_predictor
from compecon.allocation.utilities.arrays import Numbers
from compecon.checkpoints.load import Checkpoint
from compecon.errors import StreamError
from compecon.evaluation.evaluate_model import within
from compecon.evaluation.predict_rows import embed
from compecon.tasks.encode_rows import encode
from compecon.tasks.task import Split, Task

_MAX_TOKENS = 128


@final
@dataclass(frozen=True, eq=False)
class KnownTexts:
    """A measured stream with what is known of each text before it is answered."""

    stream: Stream  # outcomes of 0 and 1
    # By the name of the checkpoint whose embeddings they are, each of shape (query, feature)
    features: Mapping[str, Numbers]

    @property
    def thresholds(self) -> Numbers:
        """The smallest budget from which on each query is right, shape (query,); NaN where there is none."""
        return stable_thresholds(self.stream.levels, self.stream.correct)


def texts_of(stream: Stream, task: Task) -> list[str]:
    """Texts of a measured stream, whose ids are "task-split-row"; the two of a pair after each other.

    Raises:
        StreamError: If an id names another task, or a row that is not there.
    """
    found = []
    for query in stream.queries:
        name, split, row = query.rsplit("-", 2)
        part = task.part(split)
        if name != task.name or int(row) >= len(part):
            raise StreamError(f"{query} is not a row of {task.name}.")
        second = f" {part.pairs[int(row)]}" if part.pairs else ""
        found.append(part.texts[int(row)] + second)
    return found


def features_of(checkpoint: Checkpoint, texts: Sequence[str]) -> Numbers:
    """What is known of each text before it is answered, shape (text, width + 1).

    The mean last hidden state of the checkpoint's encoder, of length 1, and the logarithm of the number of tokens.
    """
    rows = encode(checkpoint.tokenizer, Split(tuple(texts), (), np.zeros(len(texts))), within(checkpoint, _MAX_TOKENS))
    encoder: Any = checkpoint.model.base_model
    vectors = embed(encoder, checkpoint.tokenizer, rows).numpy().astype(np.float64)
    return np.column_stack([vectors, np.log([len(row["input_ids"]) for row in rows])])


def known_texts(stream: Stream, task: Task, checkpoints: Sequence[Checkpoint]) -> KnownTexts:
    """Embed the texts of a stream with each of the checkpoints."""
    texts = texts_of(stream, task)
    return KnownTexts(stream, {checkpoint.name: features_of(checkpoint, texts) for checkpoint in checkpoints})


def skill_inside(known: KnownTexts, checkpoint: str) -> Skill:
    """On rows like those of the training: out of fold, among the queries that have a threshold."""
    solved = np.isfinite(known.thresholds)
    actual = known.thresholds[solved]
    return skill(*out_of_fold(known.features[checkpoint][solved], actual), actual)


def skill_outside(known: KnownTexts, other: KnownTexts, checkpoint: str) -> Skill:
    """Fitted on one stream, judged on another one of the same unit."""
    mine, theirs = np.isfinite(known.thresholds), np.isfinite(other.thresholds)
    fitted = fit_predictor(known.features[checkpoint][mine], known.thresholds[mine])
    said = fitted.predict(other.features[checkpoint][theirs])
    return skill(said, np.full(len(said), known.thresholds[mine].mean()), other.thresholds[theirs])


def write_gains(folder: Path, streams: Sequence[tuple[KnownTexts, str]]) -> tuple[Gain, ...]:
    """Compute gains, by the embeddings of the checkpoint named with each stream, and write them to their folder."""
    found = tuple(gain for known, name in streams for gain in gains(known.stream, known.features[name]))
    rows = [
        {key: np.round(value, 6).tolist() if isinstance(value, tuple) else value for key, value in asdict(gain).items()}
        for gain in found
    ]
    (folder / PREDICTED).write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    return found
