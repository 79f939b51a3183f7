"""What a checkpoint's head makes of it: which of the five kinds, which labels, and what can be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from compecon.attention.routing import is_encoder_decoder
from compecon.errors import CheckpointError, UnsupportedModelError

Kind = Literal["classification", "regression", "causal-lm", "masked-lm", "encoder"]
_SUFFIXES: tuple[tuple[str, Kind], ...] = (
    ("ForSequenceClassification", "classification"),
    ("ForCausalLM", "causal-lm"),
    ("LMHeadModel", "causal-lm"),
    ("ForMaskedLM", "masked-lm"),
    ("ForPreTraining", "masked-lm"),
    ("Model", "encoder"),
)
_ABILITIES: Mapping[Kind, tuple[str, ...]] = {
    "classification": ("class probabilities by budget",),
    "regression": ("predicted score by budget",),
    "causal-lm": ("next-token probabilities by budget",),
    "masked-lm": ("guesses for a masked word by budget",),
    "encoder": ("sentence vectors by budget",),
}
_COMMON = ("attention under a budget", "inequality of attention")
_LABEL_LENGTH = 100
SEVERAL_STACKS = (
    "It has an encoder, a decoder and attention across; the pages and statistics show models of one stack. "
    "Evaluate it under a budget, or read its stacks with recorded_attention."
)


def architecture_of(config: Mapping[str, Any]) -> str:
    """Name of the model class that the checkpoint was saved from; CheckpointError if the config names none."""
    named = config.get("architectures")
    if not isinstance(named, list) or not named or not isinstance(named[0], str) or not named[0].isidentifier():
        raise CheckpointError(
            f"config.json names no architecture (architectures = {named!r}). "
            'Add the class it was saved from, such as "architectures": ["BertModel"].'
        )
    return named[0]


def kind_of(architecture: str, config: Mapping[str, Any]) -> Kind:
    """What the model predicts; UnsupportedModelError if compecon cannot show its output."""
    kind = next((kind for suffix, kind in _SUFFIXES if architecture.endswith(suffix)), None)
    if kind is None or architecture.endswith("DoubleHeadsModel"):
        raise UnsupportedModelError(
            f"{architecture} is not supported; compecon shows sequence classification or regression, causal and "
            "masked language models, and bare encoders."
        )
    if has_several_stacks(architecture, config) and not architecture.endswith("ForSequenceClassification"):
        raise UnsupportedModelError(f"{architecture} maps one text to another; compecon reads single stacks.")
    return _head_kind(config) if kind == "classification" else kind


def has_several_stacks(architecture: str, config: Mapping[str, Any]) -> bool:
    """Whether a model has an encoder, a decoder and attention across, as its config or its family says."""
    stated = config.get("is_encoder_decoder")
    both = stated if isinstance(stated, bool) else is_encoder_decoder(str(config.get("model_type")))
    return both and not architecture.endswith("EncoderModel")


def _head_kind(config: Mapping[str, Any]) -> Kind:
    if config.get("problem_type") == "multi_label_classification":
        raise UnsupportedModelError(
            "The labels of this classifier are independent of each other (multi-label); "
            "compecon shows probabilities that sum to one."
        )
    if config.get("problem_type") == "regression":
        return "regression"
    return "regression" if len(labels_of(config)) == 1 else "classification"


def labels_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """Class names in the order of the logits; transformers' default of two where the config has none.

    Raises:
        CheckpointError: If they are not numbered from 0 without a gap.
    """
    named = config.get("id2label")
    if not named:
        count = config.get("num_labels", 2)
        if type(count) is not int or count < 1:
            raise CheckpointError(
                f"config.json has num_labels = {count!r}, where a positive whole number was expected."
            )
        return tuple(f"LABEL_{index}" for index in range(count))
    if not isinstance(named, dict) or set(map(str, named)) != {str(index) for index in range(len(named))}:
        raise CheckpointError("config.json has an id2label that does not number its labels from 0 without a gap.")
    by_index = {str(index): label for index, label in named.items()}
    return tuple(str(by_index[str(index)])[:_LABEL_LENGTH] for index in range(len(by_index)))


def abilities_of(kind: Kind, *, several_stacks: bool = False) -> tuple[str, ...]:
    """What can be done with a checkpoint of this kind, in plain words; with several stacks, on the command line."""
    return ("evaluation under a budget", "training") if several_stacks else (*_COMMON, *_ABILITIES[kind])


def limits_of(kind: Kind, *, several_stacks: bool = False) -> tuple[str, ...]:
    """What it cannot do because of its kind, in plain words."""
    if several_stacks:
        return (SEVERAL_STACKS,)
    return ("no trained head: attention and sentence vectors, no predictions",) if kind == "encoder" else ()
