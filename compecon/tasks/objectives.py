"""Loss functions that training minimizes. The output of a teacher, where rows carry it, is part of the target."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor
from torch.nn import functional

from compecon.tasks.task import Kind

_TEMPERATURE = 2.0  # divides both sides' logits; the divergence is multiplied by its square
Objective = Callable[[Tensor, Tensor, Tensor | None], Tensor]
"""(logits, labels, soft targets or None) -> mean loss of the batch."""


def classification_loss(share: float = 0.0) -> Objective:
    """Cross-entropy, mixed with the divergence from a teacher's logits where rows carry them, by its share in [0, 1].

    References:
        Hinton, Vinyals and Dean (2015), "Distilling the knowledge in a neural network", arXiv 1503.02531.
    """

    def loss(logits: Tensor, labels: Tensor, soft: Tensor | None) -> Tensor:
        hard = functional.cross_entropy(logits, labels)
        if soft is None or share == 0:
            return hard
        student, teacher = ((side / _TEMPERATURE).log_softmax(-1) for side in (logits, soft))
        divergence = functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
        return (1 - share) * hard + share * _TEMPERATURE**2 * divergence

    return loss


def regression_loss(share: float = 0.0) -> Objective:
    """Squared error, mixed with that to a teacher's scores where rows carry them (`share` as above)."""

    def loss(logits: Tensor, labels: Tensor, soft: Tensor | None) -> Tensor:
        scores = logits.squeeze(-1)
        hard = functional.mse_loss(scores, labels)
        return hard if soft is None else (1 - share) * hard + share * functional.mse_loss(scores, soft.squeeze(-1))

    return loss


def next_token_loss(logits: Tensor, labels: Tensor, soft: Tensor | None) -> Tensor:
    """Cross-entropy of each token after the first, in nats; there is no teacher.

    The mean is over the tokens that are predicted. GPT-2 under Trainer divides by all of them, which reads 1/T too low.
    """
    if soft is not None:
        raise ValueError("next_token_loss learns from the text alone, got soft targets. Leave them out of the rows.")
    return functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())


_OBJECTIVES: Mapping[Kind, Callable[[float], Objective]] = {
    "classification": classification_loss,
    "regression": regression_loss,
    "language": lambda _share: next_token_loss,
}


def objective_of(kind: Kind, share: float = 0.0) -> Objective:
    """The objective of a kind of task; `share` in [0, 1] is the weight of a teacher, which language modelling lacks."""
    return _OBJECTIVES[kind](share)
