"""The scales of units whose contributions should add up to something given."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor, nn

LARGEST_SCALE = 10.0  # beyond it, units cancel each other on the calibration examples, and on no others


@final
class NormalEquations:
    """Least squares over rows that come in batches: which scales make the units' contributions sum to the target.

    A unit's contribution to a row is its features times its columns W of the output matrix. Contributions are never
    made: their products are those of features X with features, (XᵀX) ∘ (WWᵀ), summed over the features of two units.
    """

    def __init__(self, matrix: nn.Module, width: int, stays: Tensor) -> None:
        """Begin without a row.

        Args:
            matrix: The output matrix, of transformers or torch.
            width: Features a unit.
            stays: Boolean, shape (unit,); only these have a scale.
        """
        weight: Any = matrix.weight
        by_feature: Tensor = (weight.T if isinstance(matrix, nn.Linear) else weight).detach()
        self._features = stays.to(weight.device).repeat_interleave(width)
        self._weight = by_feature[self._features].to(_wide(weight))
        self._mixing = self._weight @ self._weight.T
        self._shape = (int(stays.sum()), width)
        self._left = torch.zeros(self._shape[0], self._shape[0], dtype=torch.float64)
        self._right = torch.zeros(self._shape[0], dtype=torch.float64)

    def add(self, features: Tensor, target: Tensor) -> None:
        """Add rows.

        Args:
            features: What the matrix reads, of all units, unscaled where they stay; shape (row, feature).
            target: What the contributions should sum to, shape (row, output).
        """
        read = features[:, self._features].to(self._weight)
        left = (read.T @ read) * self._mixing
        right = ((read.T @ target.to(self._weight)) * self._weight).sum(1)
        self._left += left.reshape(*self._shape, *self._shape).sum((1, 3)).cpu()
        self._right += right.reshape(self._shape).sum(1).cpu()

    def scales(self, ridge: float) -> Tensor:
        """The solution, float64 of shape (unit that stays,); all 1 if it has none, or one beyond `LARGEST_SCALE`.

        Args:
            ridge: Weight of (scale - 1)², relative to the mean sum of squares of a unit's contribution.
        """
        damped = self._left + ridge * self._left.diagonal().mean() * torch.eye(len(self._left), dtype=torch.float64)
        factor, failed = torch.linalg.cholesky_ex(damped)
        ones = torch.ones_like(self._right)
        if int(failed):
            return ones
        scales = 1 + torch.cholesky_solve((self._right - self._left.sum(1))[:, None], factor)[:, 0]
        return scales if bool((scales.abs() <= LARGEST_SCALE).all()) else ones


def _wide(weight: Tensor) -> torch.dtype:
    return torch.promote_types(weight.dtype, torch.float32)
