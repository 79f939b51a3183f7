"""From a checked config and tensors to a model with every weight in its place, or one sentence why not."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import Any

import torch
from torch import Tensor
from transformers import CONFIG_MAPPING, PreTrainedConfig, PreTrainedModel
from transformers.models.auto import modeling_auto
from transformers.utils import logging

import compecon.compression.architectures  # noqa: F401 - makes compacted models known to transformers
from compecon.checkpoints.dry_run import check_kind, check_reading
from compecon.checkpoints.gate.config_check import BUFFERS, without_implementations
from compecon.checkpoints.gate.kinds import Kind
from compecon.checkpoints.tokenizers.panics import reason
from compecon.errors import CheckpointError, UnsupportedModelError

_MAPPINGS = {
    "classification": (modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,),
    "regression": (modeling_auto.MODEL_FOR_SEQUENCE_CLASSIFICATION_MAPPING,),
    "causal-lm": (modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING,),
    "masked-lm": (modeling_auto.MODEL_FOR_MASKED_LM_MAPPING,),
    "encoder": (modeling_auto.MODEL_MAPPING, modeling_auto.MODEL_FOR_TEXT_ENCODING_MAPPING),
}
# Left over from pretraining or from older versions of transformers: no part of what the model computes here.
_LEFT_OVER = re.compile(rf"(^|\.)pooler\.|seq_relationship|sop_classifier|{BUFFERS.pattern}")
_POOLER = re.compile(r"(^|\.)pooler\.")
_one_at_a_time = Lock()  # while transformers builds a model, it exchanges functions of torch for every thread
_GROWTH = 2  # a model may have at most this many times the stored weights: heads to be found missing, no more


def build_model(
    config: Mapping[str, Any], architecture: str, kind: Kind, tensors: dict[str, Tensor]
) -> tuple[PreTrainedModel, Kind]:
    """Build a model in float32 on the CPU, in evaluation mode, from a checked config and the stored weights by name.

    `architecture` is the class that the checkpoint was saved from. A masked language model without a trained head comes
    back as a bare encoder: the kind that is returned.

    Raises:
        UnsupportedModelError: If transformers has no such model.
        CheckpointError: If the weights do not fit the config exactly.
    """
    with _one_at_a_time:
        return _build(_config(config), architecture, kind, tensors)


def _build(
    config: PreTrainedConfig, architecture: str, kind: Kind, tensors: dict[str, Tensor]
) -> tuple[PreTrainedModel, Kind]:
    model_class = _model_class(config, architecture, kind)
    check_kind(_check_growth(model_class, config, tensors), kind, config.num_labels or 0)
    model, info = _loaded(model_class, config, tensors)
    if kind == "masked-lm" and _lacks_only_head(model, info):
        kind = "encoder"
        model, info = _loaded(_model_class(config, "", kind), config, tensors)
        info["unexpected_keys"] = set()  # whatever is left of the head is not used
    _check_fit(info, kind)
    if info["missing_keys"]:  # only a bare encoder's pooler, as checked: untrained, so nothing may read from it
        model.register_module("pooler", None)
    check_reading(model, kind)
    return model, kind


def _config(content: Mapping[str, Any]) -> PreTrainedConfig:
    try:
        config = CONFIG_MAPPING[content["model_type"]].from_dict(without_implementations(content))
    except KeyError as error:
        raise UnsupportedModelError(
            f"This version of transformers has no model of type {content['model_type']!r}; it may need a newer one."
        ) from error
    except Exception as error:
        raise CheckpointError(f"config.json does not describe a model ({reason(error)}).") from error
    if getattr(config, "chunk_size_feed_forward", 0):
        config.chunk_size_feed_forward = 0  # saves memory in training, changes no number, and refuses most lengths
    config.return_dict = True  # otherwise a model returns a tuple, whose parts have no names
    return config


def _model_class(config: PreTrainedConfig, architecture: str, kind: Kind) -> type[PreTrainedModel]:
    """The class of this kind for this config; of several, the one that the checkpoint names."""
    found: list[Any] = [mapping.get(type(config), None) for mapping in _MAPPINGS[kind]]
    candidates: list[type[PreTrainedModel]] = [
        candidate
        for entry in found
        for candidate in (entry if isinstance(entry, tuple | list) else (entry,))
        if candidate is not None
    ]
    if not candidates:
        raise UnsupportedModelError(
            f"transformers has no {kind} model of type {config.model_type!r} ({architecture} was saved)."
        )
    return next((candidate for candidate in candidates if candidate.__name__ == architecture), candidates[0])


def _check_growth(
    model_class: type[PreTrainedModel], config: PreTrainedConfig, tensors: Mapping[str, Tensor]
) -> PreTrainedModel:
    """Refuse a config that describes far more than is stored, before memory is taken; returns the model on `meta`."""
    try:
        with torch.device("meta"):  # shapes without memory
            model: PreTrainedModel = model_class._from_config(  # type: ignore[no-untyped-call]
                copy.deepcopy(config), attn_implementation=_implementation(model_class)
            )
    except Exception as error:
        raise CheckpointError(f"config.json does not describe a model ({reason(error)}).") from error
    described = sum(part.numel() for part in (*model.parameters(), *model.buffers()))
    stored = sum(tensor.numel() for tensor in tensors.values())
    if described > _GROWTH * stored:
        raise CheckpointError(
            f"config.json describes {described:,} weights and {stored:,} are stored. Download or save it again."
        )
    model.train(False)
    return model


def _loaded(
    model_class: type[PreTrainedModel], config: PreTrainedConfig, tensors: dict[str, Tensor]
) -> tuple[PreTrainedModel, dict[str, Any]]:
    try:
        with _quiet():
            built: Any = model_class.from_pretrained(
                None,
                config=copy.deepcopy(config),
                state_dict=dict(tensors),
                dtype=torch.float32,
                attn_implementation=_implementation(model_class),
                ignore_mismatched_sizes=True,  # so that a mismatch is reported by name; it is refused below
                output_loading_info=True,
                trust_remote_code=False,
                use_safetensors=True,
                local_files_only=True,
            )
            model, info = built
            return model, info
    except Exception as error:
        raise CheckpointError(f"The weights do not fit {model_class.__name__} ({reason(error)}).") from error


def _implementation(model_class: type[PreTrainedModel]) -> str:
    """Named on every construction: a model left to choose may look for kernels elsewhere."""
    return "sdpa" if model_class._supports_sdpa else "eager"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without transformers' progress bar and report, which say what is about to be refused in one sentence."""
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _lacks_only_head(model: PreTrainedModel, info: Mapping[str, Any]) -> bool:
    """Whether the whole head is missing and the rest is exactly there; half a head is damage, not another kind."""
    body = f"{model.base_model_prefix}."
    head = {key for key in model.state_dict() if not key.startswith(body)} - set(model.all_tied_weights_keys or ())
    extra = {key for key in info["unexpected_keys"] if key.startswith(body) and not _LEFT_OVER.search(key)}
    return bool(head) and head <= info["missing_keys"] <= head | set(model.all_tied_weights_keys or ()) and not extra


def _check_fit(info: Mapping[str, Any], kind: Kind) -> None:
    missing = sorted(key for key in info["missing_keys"] if kind != "encoder" or not _POOLER.search(key))
    if missing:
        raise CheckpointError(
            f"{_count(missing, 'weight')} missing, such as {missing[0]!r}: they would be random numbers. "
            "Train that part, or use a complete checkpoint."
        )
    unexpected = sorted(key for key in info["unexpected_keys"] if not _LEFT_OVER.search(key))
    if unexpected:
        raise CheckpointError(
            f"{_count(unexpected, 'stored weight')} not part of the model that config.json describes, such as "
            f"{unexpected[0]!r}. Check its architecture and its number of layers."
        )
    mismatched = sorted(info["mismatched_keys"])
    if mismatched:
        name, stored, described = mismatched[0]
        raise CheckpointError(
            f"The weight {name!r} is stored as {tuple(stored)} and config.json describes {tuple(described)}. "
            "The two do not belong together; save the checkpoint again."
        )
    if info["error_msgs"]:
        raise CheckpointError(f"The weights do not fit the model ({info['error_msgs'][0].splitlines()[0]}).")


def _count(names: list[str], what: str) -> str:
    return f"1 {what} is" if len(names) == 1 else f"{len(names)} {what}s are"
