"""Multiply-adds (MACs) of one forward pass over one text, from shapes alone. One MAC is two FLOPs.

Attention is counted in pairs of a query and a key. Three numbers are kept apart, because they answer different
questions:

- executed (`macs`): what dense kernels do, every query with every key, whether or not the future is masked away
  afterwards. This is what torch's FLOP counter reports. A budget enforced by a mask does not lower it.
- needed (`macs_under_budget` without keys): only the visible pairs; a kernel may skip the rest.
- under a budget (`macs_under_budget`): exact top-k scores every visible key before it can choose, so only the reads
  get fewer. Nothing else does, so never multiply a dense count by the share of the keys that are read.

Norms, softmax, activations, biases and embedding look-ups are not matrix products and are left out, as torch's counter
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from compecon.compression.model_shape import ModelShape
from compecon.compression.read_position import position_read


@dataclass(frozen=True, slots=True)
class MacCount:
    """MACs of one forward pass, by what they are spent on."""

    linear: int  # weight matrices of attention and MLP
    scored: int  # queries times keys
    read: int  # attention weights times values
    head: int  # output head

    @property
    def total(self) -> int:
        """All MACs."""
        return self.linear + self.scored + self.read + self.head

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each MAC."""
        return 2 * self.total


def macs(shape: ModelShape, n_tokens: int) -> MacCount:
    """MACs that dense kernels execute: each query scores and reads every key, even of the future and of padding.

    Where the last layer serves one position, its other queries, outputs and neurons are not there.

    Raises:
        ValueError: If there is no token.
    """
    _check_length(n_tokens)
    absent = n_tokens - 1 if shape.one_position else 0  # queries of the last layer
    pairs = shape.all_heads * n_tokens**2 - shape.last_heads * absent * n_tokens
    count = macs_of_pairs(shape, n_tokens, keys_scored=pairs, keys_read=None)
    at_one = 2 * shape.d_head * shape.last_heads + shape.mlp_matrices * shape.last_neurons
    return replace(count, linear=count.linear - absent * shape.d_model * at_one)


def macs_under_budget(shape: ModelShape, n_tokens: int, keys: int | Sequence[int] | None, *, causal: bool) -> MacCount:
    """MACs that a budget needs: each query scores all keys it sees and reads only so many of them.

    No dense kernel runs this few; it is the least that exact top-k selection has to do. Under a budget, the last layer
    is computed at every position, also of a shape that serves one.

    Args:
        shape: Sizes of the model.
        n_tokens: Length of the text, without padding.
        keys: Keys a query may read in every head: one number, or one for each query. None: all it sees.
        causal: Whether a query sees only itself and what is before it.

    Raises:
        ValueError: If there is no token, a number of keys is negative, or there is not one for each query.
    """
    _check_length(n_tokens)
    if causal:
        visible = [min(query + 1, shape.window or n_tokens) for query in range(n_tokens)]
    else:
        visible = [n_tokens] * n_tokens
    allowed = visible if keys is None else [keys] * n_tokens if isinstance(keys, int) else list(keys)
    if len(allowed) != n_tokens:
        raise ValueError(f"keys must hold one number for each of {n_tokens} queries, got {len(allowed)}.")
    if min(allowed) < 0:
        raise ValueError(f"keys must be at least 0, got {min(allowed)}.")
    scored, read = (shape.all_heads * pairs for pairs in (sum(visible), sum(map(min, allowed, visible))))
    return macs_of_pairs(shape, n_tokens, keys_scored=scored, keys_read=read)


def macs_of_pairs(shape: ModelShape, n_tokens: int, *, keys_scored: int, keys_read: int | None) -> MacCount:
    """MACs when the pairs of query and key are known, say from the masks that a budget left, at every position.

    Args:
        shape: Sizes of the model.
        n_tokens: Length of the text.
        keys_scored: Pairs whose score was computed, summed over layers, heads and queries.
        keys_read: Pairs whose value was added up, summed likewise. None: all that were scored.
    """
    heads = shape.all_heads + shape.all_heads * shape.n_kv_heads // shape.n_heads
    attention = 2 * shape.d_model * shape.d_head * heads  # query and output, key and value
    mlp = shape.mlp_matrices * shape.d_model * shape.all_neurons
    return MacCount(
        linear=n_tokens * (attention + mlp),
        scored=shape.d_head * keys_scored,
        read=shape.d_head * (keys_scored if keys_read is None else keys_read),
        head=n_tokens * shape.head_per_token + shape.head_per_text,
    )


def _check_length(n_tokens: int) -> None:
    if n_tokens < 1:
        raise ValueError(f"n_tokens must be at least 1, got {n_tokens}.")


def forward_macs(model: Any, n_tokens: int) -> int:
    """MACs of one forward pass of a model (as for `ModelShape.from_model`) over one text, output head included.

    Raises:
        UnsupportedModelError: If the formulas do not cover the model or its head.
        ValueError: If there is no token.
    """
    return macs(ModelShape.from_model(model), n_tokens).total


def trained_macs(model: Any, n_tokens: int, *, whole: bool = False) -> int:
    """The same where compecon trains or measures the model: the last layer at the one position that its head reads.

    Args:
        model: As of `forward_macs`.
        n_tokens: Length of the text.
        whole: Whether something else reads the last layer, which is then computed at every position.
    """
    one = not whole and position_read(model) is not None
    return macs(replace(ModelShape.from_model(model), one_position=one), n_tokens).total
