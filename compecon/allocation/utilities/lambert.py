"""Lambert's W where prices need it, faster than the complex function of SciPy (0.3 s for 10^6).

In q = sqrt(1 + e z) the principal branch has no singularity near [0, e]: a polynomial of degree 6 is within 4e-6 of it,
and one step of Halley's method, which cubes the error, gives the last bit.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.polynomial import Polynomial

from compecon.allocation.utilities.arrays import Numbers

_DEGREE = 6


def _start() -> tuple[float, ...]:
    """Coefficients of W0 in q, lowest first, fitted to the inverse, which is known: z = w exp(w)."""
    w = np.linspace(0.0, 1.0, 2001)
    q = np.sqrt(1.0 + np.e * w * np.exp(w))
    return tuple(float(c) for c in Polynomial.fit(q, w, _DEGREE).convert().coef)


_COEFFICIENTS = _start()


def lambert_w0(z: Numbers) -> Numbers:
    """Solve ``w * exp(w) = z`` on the principal branch.

    Args:
        z: In [0, e], of any shape; not checked.

    Returns:
        In [0, 1], same shape, within 1e-12.
    """
    q = np.sqrt(1.0 + np.e * z)
    w = np.full_like(q, _COEFFICIENTS[-1])
    for coefficient in reversed(_COEFFICIENTS[:-1]):
        w *= q
        w += coefficient
    growth = np.exp(w)
    error = w * growth - z
    w -= error / (growth * (w + 1.0) - (w + 2.0) * error / (2.0 * w + 2.0))
    return w


def lambert_w0_of_one(z: float) -> float:
    """The same for one number: a query that arrives alone should not wait for an array to be made."""
    q = math.sqrt(1.0 + math.e * z)
    w = 0.0
    for coefficient in reversed(_COEFFICIENTS):
        w = w * q + coefficient
    growth = math.exp(w)
    error = w * growth - z
    return w - error / (growth * (w + 1.0) - (w + 2.0) * error / (2.0 * w + 2.0))
