"""The sizes of a transformers model that decide what it computes, read off its config. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from compecon.compression.read_position import COMPACT_CLASS, position_of
from compecon.compression.shape import COMPACT, CompactShape
from compecon.errors import UnsupportedModelError


@dataclass(frozen=True, slots=True)
class _Family:
    prefix: str  # of its model classes
    d_ff: str = "intermediate_size"  # attribute of the config
    mlp_matrices: int = 2
    is_decoder: bool = False
    has_window: bool = False


_FAMILIES = {
    "bert": _Family("Bert"),
    "roberta": _Family("Roberta"),
    "xlm-roberta": _Family("XLMRoberta"),
    "camembert": _Family("Camembert"),
    "electra": _Family("Electra"),
    "distilbert": _Family("DistilBert", d_ff="hidden_dim"),
    "gpt2": _Family("GPT2", d_ff="n_inner", is_decoder=True),
    "llama": _Family("Llama", mlp_matrices=3, is_decoder=True),
    "mistral": _Family("Mistral", mlp_matrices=3, is_decoder=True, has_window=True),
    "qwen2": _Family("Qwen2", mlp_matrices=3, is_decoder=True, has_window=True),
}
_WITHOUT_POOLER = ("distilbert", "electra")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelShape:
    """The sizes that decide what a stack of attention and MLP layers costs.

    Attributes:
        n_layers: Layers, all alike but for what `kept` says.
        n_heads: Query heads a layer.
        n_kv_heads: Key and value heads a layer; fewer than `n_heads` where queries share them.
        d_model: Width of the residual stream.
        d_head: Width of a head.
        d_ff: Neurons of the MLP.
        mlp_matrices: 2 for a plain MLP, 3 for a gated one.
        head_per_token: MACs of the output head at each token, and of a projection of the embeddings (ELECTRA).
        head_per_text: MACs of the output head once a text, such as a pooler and its classifier.
        window: Keys a causal query can see at most, itself included; None: all before it.
        kept: What a compacted model has left of its heads and MLP neurons, layer by layer; None: all.
        one_position: Whether the last layer computes queries, outputs and neurons at one position only.
    """

    n_layers: int
    n_heads: int
    n_kv_heads: int
    d_model: int
    d_head: int
    d_ff: int
    mlp_matrices: int
    head_per_token: int = 0
    head_per_text: int = 0
    window: int | None = None
    kept: CompactShape | None = None
    one_position: bool = False

    @property
    def last_heads(self) -> int:
        """Query heads of the last layer."""
        return self.n_heads if self.kept is None else len(self.kept.heads[-1])

    @property
    def last_neurons(self) -> int:
        """MLP neurons of the last layer."""
        return self.d_ff if self.kept is None else self.kept.neurons[-1]

    @property
    def all_heads(self) -> int:
        """Query heads of all layers together."""
        return self.n_layers * self.n_heads if self.kept is None else self.kept.n_heads

    @property
    def all_neurons(self) -> int:
        """MLP neurons of all layers together."""
        return self.n_layers * self.d_ff if self.kept is None else self.kept.n_neurons

    @classmethod
    def from_model(cls, model: Any) -> Self:
        """Read the sizes off a model of transformers, pooler included if it has one.

        Args:
            model: Built from a config as for `from_config`.

        Raises:
            UnsupportedModelError: If the formulas do not cover the model or its head.
        """
        base = getattr(model, getattr(model, "base_model_prefix", ""), model)
        return cls.from_config(model.config, type(model).__name__, pooler=getattr(base, "pooler", None) is not None)

    @classmethod
    def from_config(cls, config: Any, architecture: str | None = None, *, pooler: bool = True) -> Self:
        """Read the sizes off a transformers config.

        Args:
            config: Config of BERT, RoBERTa, XLM-RoBERTa, CamemBERT, ELECTRA, DistilBERT, GPT-2, Llama, Mistral or
                Qwen2, or of a compacted model of the first seven.
            architecture: Name of the model class, which decides the output head: `type(model).__name__`. None: the
                first of `config.architectures`, the class the checkpoint was saved from.
            pooler: Whether a bare encoder pools its first token, as it does unless built without one.

        Raises:
            UnsupportedModelError: If the formulas do not cover the model or its head.
        """
        kind = config.model_type.removeprefix(COMPACT)
        family = _FAMILIES.get(kind)
        if family is None:
            raise UnsupportedModelError(
                f"MACs of model type {config.model_type!r} are not known. Supported: {', '.join(_FAMILIES)}."
            )
        if getattr(config, "add_cross_attention", False):
            raise UnsupportedModelError("Cross-attention is not counted. Use a model of a single stack.")
        width, n_heads = config.hidden_size, config.num_attention_heads
        named, (per_token, per_text) = _head(config, family, architecture, pooler)
        kept = None if kind == config.model_type else CompactShape.of(config)
        return cls(
            n_layers=config.num_hidden_layers,
            n_heads=n_heads,
            n_kv_heads=getattr(config, "num_key_value_heads", None) or n_heads,
            d_model=width,
            d_head=getattr(config, "head_dim", None) or width // n_heads,
            d_ff=getattr(config, family.d_ff) or 4 * width,  # GPT-2 writes None for its usual four times
            mlp_matrices=family.mlp_matrices,
            head_per_token=per_token,
            head_per_text=per_text,
            window=_window(config) if family.has_window else None,
            kept=kept,
            one_position=kept is not None and kept.one_position and position_of(named) is not None,
        )


def _head(config: Any, family: _Family, architecture: str | None, pooler: bool) -> tuple[str, tuple[int, int]]:
    """The dense class's name, and MACs of its output head: at each token, and once a text."""
    named = architecture or next(iter(getattr(config, "architectures", None) or ()), None)
    if named is None:
        raise UnsupportedModelError("The config names no architecture. Pass architecture=type(model).__name__.")
    named = named.removeprefix(COMPACT_CLASS)
    known = _decoder_heads(config) if family.is_decoder else _encoder_heads(config, pooler)
    head = known.get(named.removeprefix(family.prefix)) if named.startswith(family.prefix) else None
    if head is None:
        endings = ", ".join(family.prefix + ending for ending in known)
        raise UnsupportedModelError(f"MACs of the output head of {named} are not known. Known: {endings}.")
    return named, head


def _encoder_heads(config: Any, pooler: bool) -> dict[str, tuple[int, int]]:
    width = config.hidden_size
    narrow = getattr(config, "embedding_size", width)  # of ELECTRA's embeddings
    widened = narrow * width if narrow != width else 0
    square, labels = width**2, width * config.num_labels
    words = narrow * (width + config.vocab_size)  # a dense layer comes before the vocabulary
    pooled = square if pooler and not config.model_type.endswith(_WITHOUT_POOLER) else 0
    return {
        "Model": (widened, pooled),
        "ForSequenceClassification": (widened, square + labels),  # on the first token only
        "ForMaskedLM": (widened + words, 0),
        "ForCausalLM": (widened + words, 0),
        "LMHeadModel": (widened + words, 0),
        "ForTokenClassification": (widened + labels, 0),
    }


def _decoder_heads(config: Any) -> dict[str, tuple[int, int]]:
    words, labels = config.hidden_size * config.vocab_size, config.hidden_size * config.num_labels
    return {
        "Model": (0, 0),
        "ForCausalLM": (words, 0),
        "LMHeadModel": (words, 0),
        "ForSequenceClassification": (labels, 0),  # every token is scored, the last one is then picked
        "ForTokenClassification": (labels, 0),
    }


def _window(config: Any) -> int | None:
    kinds = set(getattr(config, "layer_types", None) or ())
    if len(kinds) > 1:
        raise UnsupportedModelError(f"Layers that differ in attention ({', '.join(sorted(kinds))}) are not counted.")
    window: int | None = None if kinds == {"full_attention"} else config.sliding_window
    return window
