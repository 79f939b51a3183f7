"""Hard-concrete gates: one learnt switch for each head and each FFN neuron."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor, nn

from compecon.compression.scaled import scaled
from compecon.compression.units import UnitMacs, Units, share_of_macs

TEMPERATURE, LOW, HIGH = 2 / 3, -0.1, 1.1  # of Louizos et al.: the sigmoid is stretched to (LOW, HIGH), then clipped
_SHIFT = TEMPERATURE * math.log(-LOW / HIGH)  # negative
_BARELY_OPEN = 0.1  # value of a unit that a budget has room for although its gate has closed
NAME = "compecon_gates"  # of the submodule that a gated model gains, so that checkpoints of a training hold it


@final
class Gates(nn.Module):
    """A random gate in [0, 1] on each unit, with exact zeros and ones, and a differentiable chance to be open.

    In training mode a draw is random; in evaluation mode it is the deterministic gate that compaction uses.

    Args:
        log_alpha: Starting point of each gate's logit; 0 is open with a chance of 0.83, 4 practically always.
        learn_heads: Whether heads are priced; they stay wide open otherwise.
        learn_neurons: Whether neurons are.

    Raises:
        ValueError: If neither heads nor neurons are priced.

    References:
        Louizos, Welling and Kingma (2018), "Learning sparse neural networks through L0 regularization", ICLR.

    Examples:
        >>> from compecon import Gates
        >>> from compecon.compression import Units
        >>> one_layer = Units(heads=(torch.tensor([4.0, 0.0, -4.0]),), neurons=(torch.zeros(2),))
        >>> gates = Gates(one_layer, learn_neurons=False)
        >>> gates.values().heads[0]
        tensor([1.0000, 0.5000, 0.0000])
        >>> gates.values().neurons[0]
        tensor([1., 1.])
    """

    def __init__(self, log_alpha: Units, *, learn_heads: bool = True, learn_neurons: bool = True) -> None:
        if not learn_heads and not learn_neurons:
            raise ValueError("gates need heads or neurons to learn; neither was chosen.")
        super().__init__()
        self.heads = nn.ParameterList(_parameter(part, learn_heads) for part in log_alpha.heads)
        self.neurons = nn.ParameterList(_parameter(part, learn_neurons) for part in log_alpha.neurons)
        self.learns = (learn_heads, learn_neurons)

    @property
    def log_alpha(self) -> Units:
        """The gates' logits; infinite where a kind of unit is not priced."""
        return Units(tuple(self.heads), tuple(self.neurons))

    def forward(self) -> Units:
        """A draw of all gates."""
        return self.log_alpha.map(_drawn if self.training else _deterministic)

    def chance_open(self) -> Units:
        """P(gate > 0) of each gate, differentiable."""
        return self.log_alpha.map(lambda logit: torch.sigmoid(logit - _SHIFT))

    @torch.no_grad()
    def values(self) -> Units:
        """The deterministic gates; 0 is closed."""
        return self.log_alpha.map(_deterministic)

    @torch.no_grad()
    def hardened(self, macs: UnitMacs, target: float) -> Units:
        """Deterministic gates that fit a budget: the widest open ones stay, in order, as long as there is room.

        Args:
            macs: MACs of each unit.
            target: Share of the MACs that may be spent, in (0, 1].

        Returns:
            Values for `compact`, 0 for what goes; `share_of_macs` is at most the target.

        Raises:
            ValueError: If the units that are not priced cost more than the target alone.
        """
        values, logits = self.values().joined().cpu(), self.log_alpha.joined().cpu()
        costs: list[float] = macs.joined().tolist()
        spent = 0.0
        keep = torch.zeros_like(values, dtype=torch.bool)
        for unit in torch.argsort(logits, descending=True, stable=True).tolist():
            if (
                spent + costs[unit]
            ) / macs.dense <= target:  # the division of `share_of_macs`, so that both round alike
                keep[unit], spent = True, spent + costs[unit]
            elif logits[unit] == torch.inf:
                raise ValueError(
                    f"a target of {target:g} is out of reach: what is not priced costs more. Price heads and neurons."
                )
        opened = torch.where(values == 0, _BARELY_OPEN, values)
        return macs.split(torch.where(keep, opened, 0.0).to(self.device))

    def share(self, macs: UnitMacs) -> float:
        """Share of the MACs that the deterministic gates leave."""
        return share_of_macs(self.values(), macs.to(self.device))

    @property
    def device(self) -> torch.device:
        """Where the gates are."""
        place: torch.device = self.heads[0].device
        return place


def starting_gates(importance: Units, macs: UnitMacs, share: float, *, spread: float = 1.2, clip: float = 2.5) -> Units:
    """Logits that begin by what each unit is worth, with as many gates likely open as a share of the MACs allows.

    Args:
        importance: At least 0; compared by its logarithm within heads and within neurons, in standard deviations.
        macs: MACs of each unit.
        share: Expected share of the MACs at the start, above 0 and below that of all units.
        spread: Logits a standard deviation.
        clip: Standard deviations beyond which units are alike.
    """
    standard = Units(_standardised(importance.heads, clip), _standardised(importance.neurons, clip))
    costs = macs.joined().cpu() / macs.dense

    def expected(centre: float) -> float:
        return float((torch.sigmoid(centre + spread * standard.joined().cpu() - _SHIFT) * costs).sum())

    low, high = -30.0, 30.0
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if expected(middle) < share else (low, middle)
    return standard.map(lambda part: (low + spread * part).float())


def _standardised(parts: tuple[Tensor, ...], clip: float) -> tuple[Tensor, ...]:
    """Logarithms of one kind's values in standard deviations; units worth nothing count as the least of the others."""
    joined = torch.cat(parts).double()
    positive = joined[joined > 0]
    logs = joined.clamp_min(float(positive.min()) if len(positive) else 1.0).log()
    standard = ((logs - logs.mean()) / logs.std(correction=0).clamp_min(1e-12)).clamp(-clip, clip)
    return standard.split([len(part) for part in parts])  # type: ignore[no-any-return,no-untyped-call]


@contextmanager
def gated(model: nn.Module, gates: Gates) -> Iterator[None]:
    """Pass a model's heads and neurons through gates; each forward pass draws them once.

    The gates become the submodule `compecon_gates` meanwhile: its checkpoints, its device and its mode are theirs.

    Args:
        model: As for `layers_of`.
        gates: One for each of its units.

    Raises:
        UnsupportedModelError: If the model's heads and neurons are not known.
        ValueError: If it is gated already.
    """
    if hasattr(model, NAME):
        raise ValueError("the model has gates already. Leave the other block first.")
    model.add_module(NAME, gates.train(model.training))
    try:
        with scaled(model, gates):
            yield
    finally:
        delattr(model, NAME)


def _parameter(logits: Tensor, learnt: bool) -> nn.Parameter:
    start = logits.detach().clone().float() if learnt else torch.full_like(logits, torch.inf, dtype=torch.float32)
    return nn.Parameter(start, requires_grad=learnt)


def _drawn(logit: Tensor) -> Tensor:
    uniform = torch.rand_like(logit).clamp_(1e-6, 1 - 1e-6)
    return _stretched(torch.sigmoid((uniform.log() - (-uniform).log1p() + logit) / TEMPERATURE))


def _deterministic(logit: Tensor) -> Tensor:
    return _stretched(torch.sigmoid(logit))


def _stretched(value: Tensor) -> Tensor:
    return (value * (HIGH - LOW) + LOW).clamp(0, 1)
