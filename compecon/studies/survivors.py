"""How much of a shift in Gini and entropy is selection of heads that were peaked anyway, and how much is new."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from compecon.attention.hooks import recorded_attention
from compecon.checkpoints.inputs import read
from compecon.compression.compact_model import kept_heads
from compecon.evaluation.as_given import require_measurable
from compecon.evaluation.predict_rows import batches_of
from compecon.stats.inequality import summary
from compecon.tasks.encode_rows import Features

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Inequality:
    """How unequally queries read, in the row view, averaged over real queries, heads and layers."""

    gini: float  # Gini coefficient over the visible keys
    entropy: float  # Shannon entropy in nats


@dataclass(frozen=True)
class SurvivorControl:
    """The smaller model beside the dense one, and beside the dense one's heads that survived."""

    dense: Inequality  # all heads of the dense model
    dense_survivors: Inequality  # those of its heads that the smaller model has kept
    smaller: Inequality
    # Share of the shift in Gini from `dense` to `smaller` that `dense_survivors` has already; may be below 0 or above
    # 1; None where nothing shifted
    selected: float | None


def survivor_control(
    dense: PreTrainedModel, smaller: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[Features]
) -> SurvivorControl:
    """Compare the attention of a dense model and of the same after compaction, trained further or not, on some rows."""
    heads = kept_heads(smaller)
    everything = inequality(dense, tokenizer, rows)
    kept = inequality(dense, tokenizer, rows, heads)
    now = inequality(smaller, tokenizer, rows)
    shift = now.gini - everything.gini
    return SurvivorControl(everything, kept, now, (kept.gini - everything.gini) / shift if abs(shift) > 1e-6 else None)


@torch.inference_mode()
def inequality(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    rows: Sequence[Features],
    heads: Sequence[Collection[int]] | None = None,
) -> Inequality:
    """Mean Gini and entropy of what each query gives, over some heads of each layer, or over all if None."""
    require_measurable(model)
    chosen = sorted(rows, key=lambda row: len(row["input_ids"]))
    totals, count = torch.zeros(2, dtype=torch.float64), 0
    batch: Any
    for batch in batches_of(tokenizer, chosen, 32, model.device):
        real = batch["attention_mask"].bool()
        with recorded_attention(model) as seen:
            read(model, batch)
        for one in seen:
            wanted = list(range(one.weights.shape[1])) if heads is None else sorted(heads[one.layer])
            found = summary(one.weights, one.visible.expand_as(one.weights), undefined=0.0)
            for index, statistic in enumerate((found.gini, found.entropy)):
                totals[index] += statistic[:, wanted].transpose(1, 2)[real].double().sum().cpu()
            count += int(real.sum()) * len(wanted)
    return Inequality(*(totals / max(count, 1)).tolist())
