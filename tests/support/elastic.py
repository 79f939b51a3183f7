"""Elastic checkpoints without a training: the units of a model in some order, with a price list that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from compecon.checkpoints.load import Checkpoint, load_checkpoint
from compecon.checkpoints.save import save_checkpoint
from compecon.compression.compact_model import compact
from compecon.compression.elastic.elastic_model import ElasticModel
from compecon.compression.elastic.nested_sizes import nested_sizes
from compecon.compression.elastic.price_list import PriceList
from compecon.compression.elastic.reorder import reorder
from compecon.compression.units import unit_macs

BUDGETS = (1.0, 0.6, 0.4)


def made_elastic(dense: Checkpoint, budgets: Sequence[float] = BUDGETS, n_tokens: int = 6) -> Checkpoint:
    """A checkpoint of a dense model's weights whose units are worth random amounts."""
    macs, generator = unit_macs(dense.model, n_tokens), torch.Generator().manual_seed(0)
    values = macs.map(lambda part: torch.rand(len(part), generator=generator, dtype=torch.float64))
    prices, order = PriceList.of(values, macs, nested_sizes(values, macs, budgets), n_tokens)
    model = compact(dense.model, macs.map(torch.ones_like))
    reorder(model, order)
    return replace(dense, model=model, elastic=ElasticModel(model, prices))


def elastic_folder(parent: str | Path, folder: Path) -> Path:
    """The same of a dense checkpoint, saved in a folder."""
    made = made_elastic(load_checkpoint(parent, "cpu"))
    assert made.elastic is not None
    return save_checkpoint(made.model, made.tokenizer, folder, prices=made.elastic.prices)
