"""Where the heads and FFN neurons of a model are: the one table that knows transformers' module names for it.

A unit's effect leaves through one matrix: a head through its slice of the attention's output projection, a neuron
through its column of the second FFN matrix. So both are gated, measured and removed at the input of that matrix.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from torch import nn

from compecon.compression.shape import COMPACT
from compecon.errors import UnsupportedModelError


@final
@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One layer, and the modules that its heads and neurons consist of."""

    block: nn.Module  # the whole layer
    attention: nn.Module  # splits its input into heads
    projections: tuple[nn.Module, ...]  # query, key and value, or one module that holds the three side by side
    heads_out: nn.Module  # output projection of the attention; reads n_heads × d_head features, head by head
    neurons_in: nn.Module  # first FFN matrix
    neurons_out: nn.Module  # second FFN matrix; reads one feature per neuron
    d_head: int  # features of a head
    norm_first: bool  # as in `Family`

    @property
    def matrices(self) -> tuple[Any, Any]:
        """The output matrices of heads and neurons."""
        return self.heads_out, self.neurons_out

    @property
    def widths(self) -> tuple[int, int]:
        """Features of a head, and of a neuron."""
        return self.d_head, 1

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
    """Names of the modules of an architecture, as in `Layer`, relative to a layer; of the layers, to the base model."""

    layers: str
    attention: str
    projections: tuple[str, ...]  # one name if they are fused
    heads_out: str
    neurons_in: str
    neurons_out: str
    norm: str = (
        ""  # of what the attention reads, where norms are applied to that and not to the sums that blocks end in
    )

    @property
    def norm_first(self) -> bool:
        """Whether norms are applied to what a block reads, not to the sum of its input and output."""
        return bool(self.norm)


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
    norm="ln_1",
)
FAMILIES = {
    "bert": _BERT,
    "roberta": _BERT,
    "xlm-roberta": _BERT,
    "camembert": _BERT,
    "electra": _BERT,
    "distilbert": _DISTILBERT,
    "gpt2": _GPT2,
}


def family_of(model: nn.Module) -> Family:
    """Names of the modules of a model's architecture; UnsupportedModelError if its units are not known here."""
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
        model: A BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA, DistilBERT or GPT-2 model of transformers, with or
            without a head, compacted or not.

    Raises:
        UnsupportedModelError: If its heads and neurons are not known here.
    """
    family = family_of(model)
    base = base_of(model)
    config: Any = base.config
    d_head = config.hidden_size // config.num_attention_heads
    return tuple(
        Layer(
            block=block,
            attention=block.get_submodule(family.attention),
            projections=tuple(block.get_submodule(name) for name in _present(block, family)),
            heads_out=block.get_submodule(family.heads_out),
            neurons_in=block.get_submodule(family.neurons_in),
            neurons_out=block.get_submodule(family.neurons_out),
            d_head=d_head,
            norm_first=family.norm_first,
        )
        for block in base.get_submodule(family.layers)
    )


def unit_counts(model: nn.Module) -> tuple[tuple[int, int], ...]:
    """How many heads and neurons each layer has; arguments and errors as of `layers_of`."""
    return tuple((layer.n_heads, layer.n_neurons) for layer in layers_of(model))


def base_of(model: nn.Module) -> Any:
    """The model without its head."""
    return getattr(model, getattr(model, "base_model_prefix", ""), model)


def n_inputs(matrix: nn.Module) -> int:
    """Features that a linear layer reads, stored either way round."""
    weight: Any = matrix.weight
    return int(weight.shape[1] if isinstance(matrix, nn.Linear) else weight.shape[0])


def _present(block: nn.Module, family: Family) -> tuple[str, ...]:
    """A layer without heads has no projections either."""
    first = block.get_submodule(family.attention)
    return family.projections if hasattr(first, family.projections[0].rsplit(".", 1)[-1]) else ()
