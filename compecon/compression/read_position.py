"""Which position of the last layer a model's head reads: the others compute nothing there but keys and values.

The queries, attention output and neurons of the last layer at all other positions reach nobody: a quarter of the MACs
of a classifier of three layers. Loads without torch.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from compecon.errors import UnsupportedModelError

Position = Literal["first", "last"]
"""The first token; or the last one that is not padding, as the decoder classifiers of transformers find it."""

COMPACT_CLASS: Final = "Compact"  # begins the class names of compacted models; the rest is the class they were made of
_POSITIONS: dict[str, Position] = {
    "BertForSequenceClassification": "first",  # by its pooler; the others by their heads
    "RobertaForSequenceClassification": "first",
    "XLMRobertaForSequenceClassification": "first",
    "CamembertForSequenceClassification": "first",
    "ElectraForSequenceClassification": "first",
    "DistilBertForSequenceClassification": "first",
    "GPT2ForSequenceClassification": "last",
}
_OWN = ("transformers.", "compecon.compression.architectures")


def position_of(architecture: str | None) -> Position | None:
    """The position that the head of an architecture, by its class's name, reads; None: all, or not known."""
    return _POSITIONS.get((architecture or "").removeprefix(COMPACT_CLASS))


def position_read(model: Any) -> Position | None:
    """The same for a model. A class of somebody else's has a head of its own, whatever its name is."""
    kind = type(model)
    return position_of(kind.__name__) if kind.__module__.startswith(_OWN) else None


def require_position(model: Any) -> Position:
    """The one position that a model reads; UnsupportedModelError if its head may read others."""
    position = position_read(model)
    if position is None:
        raise UnsupportedModelError(
            f"{type(model).__name__} may read every position of its last layer, so none can be left out. "
            f"Supported: {', '.join(_POSITIONS)}."
        )
    return position
