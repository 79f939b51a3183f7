"""What each head and neuron of a trained model is worth, one method a file: the rivals of incentives. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from compecon.registry import Method, Registry

if TYPE_CHECKING:
    from compecon.compression.importance.base import Importance


@final
@dataclass(frozen=True, kw_only=True)
class ImportanceMethod(Method):
    """An importance by its name.

    Attributes:
        passes: How often choosing units by it goes over the calibration rows, forwards and backwards; 0 if it needs no
            data.
        is_random: Whether it is made with a `seed`.
    """

    passes: int = 0
    is_random: bool = False


_HERE = "compecon.compression.importance"
IMPORTANCES: Registry[ImportanceMethod, Importance] = Registry(
    "importance", ImportanceMethod, f"{_HERE}.base:Importance"
)
IMPORTANCES.declare("random", f"{_HERE}.random_units:RandomUnits", label="Random units", is_random=True)
IMPORTANCES.declare("magnitude", f"{_HERE}.magnitude:Magnitude", label="Size of weights")
IMPORTANCES.declare("uniform", f"{_HERE}.uniform_widths:UniformWidths", label="Size of weights, equal widths")
IMPORTANCES.declare("taylor", f"{_HERE}.taylor:Taylor", label="Change of the loss, first order", passes=1)
IMPORTANCES.declare("fisher", f"{_HERE}.fisher:Fisher", label="Change of the loss, second order", passes=4)


def make_importance(name: str, *, seed: int) -> Importance:
    """An importance by its name.

    Args:
        name: One of `IMPORTANCES`.
        seed: For one that is random; others give the same every time.

    Raises:
        ValueError: If there is none of that name.
    """
    return IMPORTANCES.make(name, **({"seed": seed} if IMPORTANCES.find(name).is_random else {}))
