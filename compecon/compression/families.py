"""Where the heads and FFN neurons of a model are: the one table that knows transformers' module names for it.

A unit's effect leaves through one matrix: a head through its slice of the attention's output projection, a neuron
through its column of the second FFN matrix. So both are gated, measured and removed at the input of that matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import Any, final

from torch import nn

from compecon.compression.shape import COMPACT
from compecon.errors import UnsupportedModelError


@final
@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """The modules of one layer that heads and neurons consist of.

    Attributes:
        attention: The module that splits its input into heads.
        projections: Query, key and value, or one module that holds the three side by side.
        heads_out: Output projection of the attention; reads ``n_heads`` × ``d_head`` features, head by head.
        neurons_in: First FFN matrix.
        neurons_out: Second FFN matrix; reads one feature a neuron.
        d_head: Features a head.
    """

    attention: nn.Module
    projections: tuple[nn.Module, ...]
    heads_out: nn.Module
    neurons_in: nn.Module
    neurons_out: nn.Module
    d_head: int

    @property
    def n_heads(self) -> int:
        """Heads that are there."""
        return n_inputs(self.heads_out) // self.d_head

    @property
    def n_neurons(self) -> int:
        """FFN neurons that are there."""
        return n_inputs(self.neurons_out)


@final
@dataclass(frozen=True, slots=True)
class Family:
    """Names of the modules of an architecture, relative to the base model and to a layer.

    Attributes:
        layers: The list of layers.
        attention: The module that splits its input into heads.
        projections: Query, key and value; one name if they are fused.
        heads_out: Output projection of the attention.
        neurons_in: First FFN matrix.
        neurons_out: Second FFN matrix.
        norm_first: Whether norms are applied to what a block reads, not to the sum of its input and its output.
    """

    layers: str
    attention: str
    projections: tuple[str, ...]
    heads_out: str
    neurons_in: str
    neurons_out: str
    norm_first: bool = False


_BERT = Family(
    layers="encoder.layer",
    attention="attention.self",
    projections=("attention.self.query", "attention.self.key", "attention.self.value"),
    heads_out="attention.output.dense",
    neurons_in="intermediate.dense",
    neurons_out="output.dense",
)
_DISTILBERT = Family(
    layers="transformer.layer",
    attention="attention",
    projections=("attention.q_lin", "attention.k_lin", "attention.v_lin"),
    heads_out="attention.out_lin",
    neurons_in="ffn.lin1",
    neurons_out="ffn.lin2",
)
_GPT2 = Family(
    layers="h",
    attention="attn",
    projections=("attn.c_attn",),
    heads_out="attn.c_proj",
    neurons_in="mlp.c_fc",
    neurons_out="mlp.c_proj",
    norm_first=True,
)
FAMILIES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "distilbert": _DISTILBERT,
    "gpt2": _GPT2,
}


def family_of(model: nn.Module) -> Family:
    """Names of the modules of a model's architecture.

    Raises:
        UnsupportedModelError: If its heads and neurons are not known here.
    """
    config: Any = getattr(model, "config", None)
    kind = str(getattr(config, "model_type", type(model).__name__)).removeprefix(COMPACT)
    if kind not in FAMILIES:
        raise UnsupportedModelError(
            f"Heads and neurons of {type(model).__name__} ({kind}) cannot be priced or removed. "
            f"Supported: {', '.join(FAMILIES)}."
        )
    if getattr(config, "add_cross_attention", False):
        raise UnsupportedModelError("Heads that read another stack cannot be priced. Use a model of a single stack.")
    return FAMILIES[kind]


def layers_of(model: nn.Module) -> tuple[Layer, ...]:
    """The layers of a model, from the input on.

    Args:
        model: A BERT, RoBERTa, XLM-RoBERTa, CamemBERT, DistilBERT or GPT-2 model of transformers, with or without a
            head, compacted or not.

    Raises:
        UnsupportedModelError: If its heads and neurons are not known here.
    """
    family = family_of(model)
    base = base_of(model)
    config: Any = base.config
    d_head = config.hidden_size // config.num_attention_heads
    return tuple(
        Layer(
            attention=attrgetter(family.attention)(layer),
            projections=tuple(attrgetter(name)(layer) for name in _present(layer, family)),
            heads_out=attrgetter(family.heads_out)(layer),
            neurons_in=attrgetter(family.neurons_in)(layer),
            neurons_out=attrgetter(family.neurons_out)(layer),
            d_head=d_head,
        )
        for layer in attrgetter(family.layers)(base)
    )


def base_of(model: nn.Module) -> Any:
    """The model without its head."""
    return getattr(model, getattr(model, "base_model_prefix", ""), model)


def n_inputs(matrix: nn.Module) -> int:
    """Features that a linear layer reads, stored either way round."""
    weight: Any = matrix.weight
    return int(weight.shape[1] if isinstance(matrix, nn.Linear) else weight.shape[0])


def _present(layer: nn.Module, family: Family) -> tuple[str, ...]:
    """A layer without heads has no projections either."""
    first = attrgetter(family.attention)(layer)
    return family.projections if hasattr(first, family.projections[0].rsplit(".", 1)[-1]) else ()
