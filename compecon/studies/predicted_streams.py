"""How well thresholds of the bundled streams are predicted from their texts, and what that earns.

The texts are not bundled: they are read from where the task's rows are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

import numpy as np

from compecon.allocation.streams.bundled_streams import PREDICTED
from compecon.allocation.streams.predicted_value import Gain, Skill, gains, out_of_fold, skill, stable_thresholds
from compecon.allocation.streams.stream import Stream
from compecon.allocation.streams.threshold_ridge import fit_predictor
from compecon.allocation.utilities.arrays import Numbers
from compecon.checkpoints.load import Checkpoint
from compecon.errors import StreamError
from compecon.studies.thresholds import features_of
from compecon.tasks.task import Task


@final
@dataclass(frozen=True, eq=False)
class KnownTexts:
    """A measured stream with what is known of each text before it is answered.

    Attributes:
        stream: Outcomes of 0 and 1.
        features: By the name of the checkpoint whose embeddings they are, each of shape (query, feature).
    """

    stream: Stream
    features: Mapping[str, Numbers]

    @property
    def thresholds(self) -> Numbers:
        """The smallest budget from which on each query is right, shape (query,); NaN where there is none."""
        return stable_thresholds(self.stream.levels, self.stream.correct)


def texts_of(stream: Stream, task: Task) -> list[str]:
    """Texts of a measured stream; the two of a pair after each other.

    Args:
        stream: With ids as `compecon.studies.build_streams` makes them: task, split, row.
        task: Its task.

    Raises:
        StreamError: If an id names another task, or a row that is not there.
    """
    found = []
    for query in stream.queries:
        name, split, row = query.rsplit("-", 2)
        part = task.part(split)
        if name != task.name or int(row) >= len(part):
            raise StreamError(f"{query} is no row of {task.name}.")
        second = f" {part.pairs[int(row)]}" if part.pairs else ""
        found.append(part.texts[int(row)] + second)
    return found


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
    """Compute gains and write them beside the streams, for the page.

    Args:
        folder: Of the streams.
        streams: Each with the checkpoint whose embeddings predict.
    """
    found = tuple(gain for known, name in streams for gain in gains(known.stream, known.features[name]))
    rows = [
        {
            name: np.round(value, 6).tolist() if isinstance(value, tuple) else value
            for name, value in asdict(gain).items()
        }
        for gain in found
    ]
    (folder / PREDICTED).write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    return found
