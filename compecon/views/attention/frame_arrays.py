"""The arrays of a frame: statistics of every head, how far it moved, and the matrices that are sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from compecon.attention.recorded import LayerAttention
from compecon.errors import UnsupportedModelError
from compecon.views.attention.budget_grid import STATISTICS_CHUNK, Scope
from compecon.views.attention.head_places import HeadGrid
from compecon.views.attention.head_statistics import STATISTICS, TOKENS, VIEWS, head_statistics, moved_attention

Arrays: TypeAlias = dict[str, NDArray[Any]]


@final
class FrameArrays:
    """Works through records a few budgets of one layer at a time, so that only records and results take memory."""

    def __init__(self, grid: HeadGrid, full: Sequence[LayerAttention], content: Tensor, scope: Scope) -> None:
        """Prepare for budgets of one text.

        Args:
            grid: The places of the model's heads.
            full: What the model read at full budget, batch size 1.
            content: Tokens that are not special, bool, shape (token,).
            scope: Which matrices to send.

        Raises:
            UnsupportedModelError: If the heads of a layer see different keys.
        """
        self._grid, self._full, self._content = grid, full, content
        self._layers, self._heads = scope.extent(len(grid.kept), grid.n_columns)
        self._visible = [_mask_of(record.visible[0], len(content)) for record in full]
        self._hidden = [None if bool(one.all()) else ~one for one in self._visible]

    @torch.inference_mode()
    def of(self, points: Sequence[Sequence[LayerAttention]]) -> list[Arrays]:
        """The arrays of each budget's frame, by name; NaN for heads that were removed, and where no query may look."""
        n, n_layers, n_heads = len(self._content), len(self._grid.kept), self._grid.n_columns
        statistics = np.full(
            (len(VIEWS), len(TOKENS), len(STATISTICS), len(points), n_layers, n_heads), np.nan, np.float32
        )
        moved = np.full((len(points), n_layers, n_heads), np.nan, np.float32)
        sent = np.full((len(points), len(self._layers), len(self._heads), n, n), np.nan, np.float16)
        for record, (layer, kept) in enumerate(self._grid.places()):
            columns, full = _indices(kept), self._full[record].weights[0].float()
            at_once = max(1, STATISTICS_CHUNK // (len(kept) * n * n))
            for start in range(0, len(points), at_once):
                part = slice(start, start + at_once)
                weights = _together([point[record].weights for point in points[part]])
                found = head_statistics(weights, self._visible[record], self._content)
                statistics[..., part, layer, columns] = found.cpu().numpy()
                moved[part, layer, columns] = moved_attention(weights, full).cpu().numpy()
                if layer in self._layers:
                    self._send(weights, record, kept, sent[part, self._layers.index(layer)])
        return [
            {"statistics": statistics[..., i, :, :], "moved": moved[i], "weights": sent[i]} for i in range(len(points))
        ]

    def _send(self, weights: Tensor, record: int, kept: Sequence[int], into: NDArray[np.float16]) -> None:
        """Write a layer's matrices, those of the heads in scope."""
        heads = [head for head in kept if head in self._heads]
        if not heads:
            return
        chosen = weights[:, _indices([kept.index(head) for head in heads])]
        hidden = self._hidden[record]
        chosen = chosen.to(torch.float16) if hidden is None else chosen.masked_fill(hidden, torch.nan).to(torch.float16)
        into[:, _indices([self._heads.index(head) for head in heads])] = chosen.cpu().numpy()


def _together(weights: Sequence[Tensor]) -> Tensor:
    """Weights of several budgets, each (1, head, query, key), as float32, shape (budget, head, query, key)."""
    return weights[0].float() if len(weights) == 1 else torch.cat([one.float() for one in weights])


def _indices(places: Sequence[int]) -> slice | list[int]:
    """For indexing: a slice, which copies nothing, if the places follow one another."""
    run = range(places[0], places[0] + len(places))
    return slice(run.start, run.stop) if list(places) == list(run) else list(places)


def _mask_of(seen: Tensor, n: int) -> Tensor:
    """What the queries of a layer may see, bool, shape (query, key), from (head or 1, query or 1, key or 1)."""
    if bool((seen != seen[:1]).any()):
        raise UnsupportedModelError("The heads of a layer see different keys; the page shows one mask per layer.")
    return seen[0].expand(n, n)
