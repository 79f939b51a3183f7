"""The post-hoc rivals by name: methods that remove units from a trained model without training it again."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from compecon.compression.architectures import compact_class
from compecon.compression.importance import make_importance
from compecon.compression.importance.base import Batch, Loss, Order
from compecon.compression.select import require_share
from compecon.compression.units import Units, unit_macs


def prune(  # noqa: PLR0913 - one call with everything that any of the methods needs
    model: nn.Module,
    method: str,
    target: float,
    *,
    n_tokens: int,
    batches: Iterable[Batch],
    loss: Loss,
    seed: int = 0,
) -> Units:
    """Choose the units of a trained model that stay, without training it; the model is left as it was.

    - ``random``: whichever; ``fixed_share`` of the MACs for heads and for neurons, as in the next and in ``taylor``.
    - ``magnitude``: those of the largest weights.
    - ``uniform``: those of the largest weights in each layer, the same widths in all layers.
    - ``taylor``: those whose absence changes the loss most, to first order (Michel et al. 2019).
    - ``fisher``: those whose absence costs most, to second order, exchanged where they are redundant, and rescaled to
      make up for the others where that lowers the calibration loss (Kwon et al. 2022).

    Args:
        model: As for `layers_of`, fine-tuned on the task of ``loss``; may be compacted already.
        method: A name in `IMPORTANCES`.
        target: Largest share of the MACs (see `UnitMacs`) that may stay, in (0, 1]: of the dense model's, also for a
            model that was compacted before.
        n_tokens: Length of a text at which the MACs are counted.
        batches: Calibration examples on the model's device, once through; methods without data do not look at them.
        loss: The mean task loss of a batch, with its graph.
        seed: For methods that are random; others give the same every time.

    Returns:
        Values for `compact`, float64 on the CPU: 0 for a unit that goes, 1 or a scale for one that stays. Their
        `share_of_macs` is at most the target.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known, or `compact` has no class for it.
        ValueError: If the method is not known, the target or the length out of range, there is no batch for a method
            that needs one, or a gradient is not finite.

    Examples:
        >>> from compecon import compact, load_checkpoint, prune
        >>> from compecon.compression import share_of_macs, unit_macs
        >>> checkpoint = load_checkpoint("sentiment")
        >>> batch = {**checkpoint.encode("A warm and funny film.").batch, "labels": torch.tensor([1])}
        >>> values = prune(
        ...     checkpoint.model, "taylor", 0.5, n_tokens=8, batches=[batch], loss=lambda model, one: model(**one).loss
        ... )
        >>> round(share_of_macs(values, unit_macs(checkpoint.model, n_tokens=8)), 2)
        0.5
        >>> type(compact(checkpoint.model, values)).__name__
        'CompactBertForSequenceClassification'
    """
    importance = make_importance(method, seed=seed)
    require_share(target)  # before anything is computed
    macs = unit_macs(model, n_tokens)
    compact_class(type(model))
    return importance.kept(Order(model, macs, target, batches, loss)).map(lambda part: part.to(torch.float64))
