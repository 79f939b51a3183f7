"""Compacted models as architectures of their own, so that they are saved and loaded like any other.

After ``import compecon.compression.architectures`` the Auto classes of transformers know them: the type `compact-bert`
is BERT, a layer of which may have fewer heads and neurons, as the config's entry `compact` says
(see `compecon.compression.shape`).
The classes are named after the dense ones: CompactBertConfig, CompactBertModel, CompactGPT2LMHeadModel.
"""

from __future__ import annotations

from typing import Any

import transformers
from huggingface_hub.dataclasses import strict
from torch import nn
from transformers import AutoConfig, PreTrainedConfig, PreTrainedModel

from compecon.compression.last_layer import serve_one_position
from compecon.compression.read_position import COMPACT_CLASS, position_read
from compecon.compression.shape import COMPACT, CompactShape
from compecon.compression.shaping import shape_layers
from compecon.errors import UnsupportedModelError

_ENCODER_HEADS = {
    "Model": transformers.AutoModel,
    "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "ForMaskedLM": transformers.AutoModelForMaskedLM,
}
_DECODER_HEADS = {
    "Model": transformers.AutoModel,
    "ForSequenceClassification": transformers.AutoModelForSequenceClassification,
    "LMHeadModel": transformers.AutoModelForCausalLM,
}
_FAMILIES: dict[str, dict[str, Any]] = {
    "Bert": _ENCODER_HEADS,
    "Roberta": _ENCODER_HEADS,
    "XLMRoberta": _ENCODER_HEADS,
    "Camembert": _ENCODER_HEADS,
    "Electra": _ENCODER_HEADS,
    "DistilBert": _ENCODER_HEADS,
    "GPT2": _DECODER_HEADS,
}


def compact_class(dense: type[nn.Module]) -> type[PreTrainedModel]:
    """The compact class of a dense one; a compact class is its own.

    Raises:
        UnsupportedModelError: If there is none.
    """
    found = globals().get(COMPACT_CLASS + dense.__name__.removeprefix(COMPACT_CLASS))
    if not isinstance(found, type) or not issubclass(found, PreTrainedModel) or not issubclass(found, dense):
        heads = ", ".join(dict.fromkeys((*_ENCODER_HEADS, *_DECODER_HEADS)))
        raise UnsupportedModelError(
            f"{dense.__name__} cannot be compacted. Supported: {', '.join(_FAMILIES)} with {heads}."
        )
    return found


def _compact_config(dense: Any) -> Any:
    """The config of a dense family with one more field, checked whenever a config is made."""

    def post_init(self: Any, **kwargs: Any) -> None:
        dense.__post_init__(self, **kwargs)
        CompactShape.of(self)

    body = {
        "__doc__": f"{dense.__name__} of a compacted model; ``compact`` says what each layer has kept.",
        "__module__": __name__,
        "__annotations__": {"compact": dict[str, Any] | None},
        "__post_init__": post_init,
        "compact": None,
        "model_type": COMPACT + dense.model_type,
    }
    return strict(type(COMPACT_CLASS + dense.__name__, (dense,), body))


def _compact_model(dense: Any, config_class: type[PreTrainedConfig]) -> Any:
    """The model of a dense class with layers of the sizes that its config tells."""

    def init(self: Any, config: Any, *args: Any, **kwargs: Any) -> None:
        dense.__init__(self, config, *args, **kwargs)
        kept = CompactShape.of(config)
        shape_layers(self, kept)
        if kept.one_position and position_read(self) is not None:
            serve_one_position(self)

    body = {
        "__doc__": f"{dense.__name__}, each layer with the heads and neurons that it has kept.",
        "__module__": __name__,
        "__init__": init,
        "config_class": config_class,
    }
    return type(COMPACT_CLASS + dense.__name__, (dense,), body)


def _register(family: str, heads: dict[str, Any]) -> dict[str, Any]:
    config_class = _compact_config(getattr(transformers, f"{family}Config"))
    AutoConfig.register(config_class.model_type, config_class, exist_ok=True)
    made = {config_class.__name__: config_class}
    for head, auto in heads.items():
        model_class = _compact_model(getattr(transformers, family + head), config_class)
        auto.register(config_class, model_class, exist_ok=True)
        made[model_class.__name__] = model_class
    return made


for _family, _heads in _FAMILIES.items():
    globals().update(_register(_family, _heads))
