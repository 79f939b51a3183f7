"""A language-modelling task: documents in splits, and perplexity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import final

from compecon.tasks.task import Kind, Measured
from compecon.tasks.task_metrics import Metric, perplexity


@final
@dataclass(frozen=True)
class Document:
    """A text."""

    text: str  # the text
    words: int  # how many words and punctuation marks its corpus counts in it; the unit of a word-level perplexity


Documents = tuple[Document, ...]


@final
@dataclass(frozen=True)
class LanguageTask(Measured[Documents]):
    """Documents to predict token by token.

    Attributes:
        name: Short name: "wikitext-2".
        splits: As of every task, of documents; at least two each, since documents are what is resampled.
        metrics: As of every task; predictions are the nats of each document, targets its tokens or words.
        kind: "language": what sets its objective and its rows apart from those of other tasks.

    Example:
        >>> task = LanguageTask("notes", {"test": (Document("One.", 2), Document("Two words.", 3))})
        >>> task.metric, task.higher_is_better, len(task.part("test"))
        ('perplexity', False, 2)
    """

    name: str
    splits: Mapping[str, Documents]
    metrics: tuple[Metric, ...] = (perplexity,)
    kind: Kind = field(default="language", init=False)
