"""How good each size of an elastic checkpoint is, and where a size falls behind."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from compecon.callbacks import Callbacks
from compecon.evaluation.evaluate_model import Evaluation
from compecon.flops import forward_macs
from compecon.tasks.task_registry import AnyTask
from compecon.training.quality import split_watched

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from compecon.checkpoints.load import Checkpoint


@dataclass(frozen=True, eq=False)
class SizeQuality:
    """A size of an elastic checkpoint, measured."""

    budget: float
    share: float  # of the MACs of heads and neurons
    price: float  # value per MAC of the last unit
    macs: int  # of one forward pass over one text of the training's mean length, output head included
    units: tuple[tuple[int, int], ...]  # (heads, neurons) of each layer
    evaluations: Mapping[str, Evaluation]  # by split

    def written(self) -> dict[str, Any]:
        """JSON values, for a record."""
        metrics = [
            {"name": name, "split": split, **asdict(value)}
            for split, evaluation in self.evaluations.items()
            for name, value in evaluation.metrics.items()
            if math.isfinite(value.value)
        ]
        sizes = {"budget": self.budget, "share": self.share, "price": self.price, "macs": self.macs}
        return {**sizes, "units": [list(each) for each in self.units], "metrics": metrics}


def measured_sizes(
    checkpoint: Checkpoint, n_tokens: int, measure: Callable[[PreTrainedModel], Mapping[str, Evaluation]]
) -> tuple[SizeQuality, ...]:
    """Measure every trained size of a checkpoint, from the largest; none of one that is not elastic."""
    if checkpoint.elastic is None:
        return ()
    prices, found = checkpoint.elastic.prices, []
    for budget, number in prices.bought.items():
        model = checkpoint.at(budget).model
        found.append(
            SizeQuality(
                budget,
                prices.share(number),
                prices.price_at(budget),
                forward_macs(model, n_tokens),
                prices.counts(budget),
                measure(model),
            )
        )
    return tuple(found)


def tell_falls(sizes: tuple[SizeQuality, ...], task: AnyTask, callbacks: Callbacks) -> None:
    """Say where a size is clearly worse than the next larger one: its interval lies below that one's."""
    split = split_watched(task)
    for larger, smaller in pairwise(sizes):
        if split not in smaller.evaluations:
            continue
        above, below = larger.evaluations[split].estimate, smaller.evaluations[split].estimate
        if below.high < above.low:
            callbacks.say(
                f"{smaller.budget:g} of the MACs falls from {above.value:.3f} to {below.value:.3f} ({task.metric}, "
                f"{split}) against {larger.budget:g}. More steps, or no budget so small, would mend it."
            )
