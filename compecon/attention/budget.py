"""How many keys each query may read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Integral, Real
from typing import final

import torch
from torch import Tensor
from typing_extensions import override

# A share is read as the simplest fraction this close to it: 0.1 means 1/10, so 0.1 of 30 keys is 3 keys, not the 4 that
# rounding 0.1 * 30 = 3.0000000000000004 up would give; and integers round alike on every device.
_FINEST_SHARE = 1_000_000


def is_whole(value: object) -> bool:
    """Whether a setting is a whole number; True and "3" are not."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_real(value: object) -> bool:
    """Whether a setting is a number; True and "0.5" are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


class Budget(ABC):
    """An upper limit on the keys each query reads; subclass it for a limit of your own.

    Examples:
        >>> from compecon import Budget
        >>> class HalfFromLayerTwoOn(Budget):
        ...     def allowance(self, n_visible, layer):
        ...         return n_visible if layer < 2 else (n_visible + 1) // 2
        >>> n_visible = torch.tensor([1, 2, 9]).view(1, 1, 3, 1)
        >>> HalfFromLayerTwoOn().allowance(n_visible, layer=2).flatten()
        tensor([1, 1, 5])
    """

    @abstractmethod
    def allowance(self, n_visible: Tensor, layer: int) -> Tensor:
        """Keys each query may read.

        Args:
            n_visible: Keys each query can see (padding and the future do not count), integers of shape
                (batch, head, query, 1).
            layer: Layer, counted from 0 within its stack.

        Returns:
            Integers that broadcast to the shape of ``n_visible``. More than ``n_visible`` means no limit.
        """


@final
@dataclass(frozen=True, slots=True)
class KeyBudget(Budget):
    """The same budget for every query; give either ``keys`` or ``share``.

    Args:
        keys: At most this many keys, at least 1.
        share: At most this share of the keys the query can see, in (0, 1], rounded up.

    Raises:
        ValueError: If both or neither are given, or one is out of its range.

    Examples:
        >>> from compecon import KeyBudget
        >>> n_visible = torch.tensor([1, 2, 30]).view(1, 1, 3, 1)
        >>> KeyBudget(keys=8).allowance(n_visible, layer=0).flatten()
        tensor([1, 2, 8])
        >>> KeyBudget(share=0.1).allowance(n_visible, layer=0).flatten()
        tensor([1, 1, 3])
    """

    keys: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        if (self.keys is None) == (self.share is None):
            raise ValueError(f"give either keys or share, got keys={self.keys} and share={self.share}.")
        if self.keys is not None and not (is_whole(self.keys) and self.keys >= 1):
            raise ValueError(f"keys must be a whole number of at least 1, got {self.keys!r}.")
        if self.share is not None and not (is_real(self.share) and 0 < self.share <= 1):
            raise ValueError(f"share must be in (0, 1], got {self.share!r}.")

    @override
    def allowance(self, n_visible: Tensor, layer: int) -> Tensor:
        if self.keys is not None:
            return n_visible.clamp(max=self.keys)
        share = max(Fraction(float(self.share or 0)).limit_denominator(_FINEST_SHARE), Fraction(1, _FINEST_SHARE))
        return -(-n_visible * share.numerator // share.denominator)


@final
@dataclass(frozen=True, slots=True)
class PerLayer(Budget):
    """A budget for each layer. From Python only: commands and pages have one budget for the whole model.

    Args:
        budgets: By layer, counted from 0 within its stack; ``None`` is no limit. A mapping may leave layers out, which
            then have no limit; a sequence must reach the last layer.

    Raises:
        ValueError: If a layer is not a whole number of at least 0, or something other than a `Budget` or ``None`` is
            given for one; while the model runs, if a sequence does not reach the last layer.

    Examples:
        >>> from compecon import KeyBudget, PerLayer
        >>> n_visible = torch.tensor([1, 2, 30]).view(1, 1, 3, 1)
        >>> later_layers_read_two = PerLayer([None, KeyBudget(keys=2), KeyBudget(keys=2)])
        >>> [later_layers_read_two.allowance(n_visible, layer).flatten().tolist() for layer in (0, 1)]
        [[1, 2, 30], [1, 2, 2]]
    """

    budgets: Mapping[int, Budget | None] | Sequence[Budget | None]

    def __post_init__(self) -> None:
        if isinstance(self.budgets, Mapping):
            if wrong := [layer for layer in self.budgets if not (is_whole(layer) and layer >= 0)]:
                raise ValueError(f"layers must be whole numbers of at least 0, got {wrong[0]!r}.")
            _check(list(self.budgets.values()))
        else:
            _check(self.budgets)

    @override
    def allowance(self, n_visible: Tensor, layer: int) -> Tensor:
        if isinstance(self.budgets, Mapping):
            return _allowance(self.budgets.get(layer), n_visible, layer)
        if layer >= len(self.budgets):
            raise ValueError(f"PerLayer has {len(self.budgets)} budgets, but the model has a layer {layer}; add one.")
        return _allowance(self.budgets[layer], n_visible, layer)


@final
@dataclass(frozen=True, slots=True)
class PerHead(Budget):
    """A budget for each head of a layer. From Python only: commands and pages have one budget for all heads.

    Args:
        budgets: As many as the layer has (query) heads; ``None`` is no limit.

    Raises:
        ValueError: If something other than a `Budget` or ``None`` is given for a head; while the model runs, if there
            is not one for each head.

    Examples:
        >>> from compecon import KeyBudget, PerHead, PerLayer
        >>> n_visible = torch.full((1, 2, 1, 1), 30)  # one text, two heads, one query
        >>> one_head_reads_little = PerHead([KeyBudget(keys=2), None])
        >>> one_head_reads_little.allowance(n_visible, layer=0).flatten()
        tensor([ 2, 30])
        >>> PerLayer({1: one_head_reads_little}).allowance(n_visible, layer=1).flatten()
        tensor([ 2, 30])
    """

    budgets: Sequence[Budget | None]

    def __post_init__(self) -> None:
        _check(self.budgets)

    @override
    def allowance(self, n_visible: Tensor, layer: int) -> Tensor:
        return _along(1, "heads", self.budgets, n_visible, layer)


@final
@dataclass(frozen=True, slots=True)
class PerRow(Budget):
    """A budget for each row of a batch, so that one forward pass runs a text under several.

    Args:
        budgets: As many as the batch has rows; ``None`` is no limit.

    Raises:
        ValueError: If something other than a `Budget` or ``None`` is given for a row; while the model runs, if there
            is not one for each row.

    Examples:
        >>> from compecon import KeyBudget, PerRow
        >>> n_visible = torch.full((2, 1, 1, 1), 30)  # two texts, one head, one query
        >>> PerRow([KeyBudget(share=0.5), None]).allowance(n_visible, layer=0).flatten()
        tensor([15, 30])
    """

    budgets: Sequence[Budget | None]

    def __post_init__(self) -> None:
        _check(self.budgets)

    @override
    def allowance(self, n_visible: Tensor, layer: int) -> Tensor:
        return _along(0, "rows", self.budgets, n_visible, layer)


def _check(budgets: Sequence[Budget | None]) -> None:
    if not isinstance(budgets, Sequence):
        raise ValueError(
            f"expected a sequence of budgets, got {budgets!r}; pass [KeyBudget(keys=...), None], for example."
        )
    if wrong := [budget for budget in budgets if not (budget is None or isinstance(budget, Budget))]:
        raise ValueError(
            f"expected budgets or None, got {wrong[0]!r}; pass KeyBudget(keys=...) or KeyBudget(share=...)."
        )


def _allowance(budget: Budget | None, n_visible: Tensor, layer: int) -> Tensor:
    return n_visible if budget is None else budget.allowance(n_visible, layer)


def _along(dim: int, what: str, budgets: Sequence[Budget | None], n_visible: Tensor, layer: int) -> Tensor:
    if len(budgets) != n_visible.shape[dim]:
        raise ValueError(f"got {len(budgets)} budgets for {n_visible.shape[dim]} {what}; give one for each.")
    parts = [n_visible.narrow(dim, i, 1) for i in range(len(budgets))]
    allowances = [_allowance(budget, part, layer) for budget, part in zip(budgets, parts, strict=True)]
    return torch.cat([given.expand_as(part) for given, part in zip(allowances, parts, strict=True)], dim)
