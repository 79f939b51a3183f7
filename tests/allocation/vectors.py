"""Instances of shifted surges with their optima, as literals.

Computed in double precision apart from this library: bisection as in the paper, brute force over all funded sets with
water-filling inside each, an integer programme over whole tokens, and the Lagrangian dual. Value = slope * x *
exp(-decay * x), slope 1.5 and decay 0.005 for all; the numbers are latent utilities and none is the paper's.
"""

from dataclasses import dataclass

SLOPE, DECAY = 1.5, 0.005


@dataclass(frozen=True)
class Instance:
    name: str
    thresholds: tuple[float, ...]
    budget: float
    price: float
    bisection: float
    bisection_spend: tuple[float, ...]
    optimum: float
    optimum_spend: tuple[float, ...]
    bound: float
    uniform: float
    whole: float
    choke_prices: tuple[float, ...]
    bound_on_gap: float


INSTANCES = [
    Instance(
        "an ample budget", (80, 240, 500), 2000, 0.0, 331.091497, (280, 440, 700), 331.091497, (280, 440, 700),
        331.091497, 231.285346, 331.091497, (0.506504357, 0.27513252, 0.163543897), 81.771948,
    ),
    Instance(
        "a price inside", (100, 150, 200, 250), 1300, 0.177137457, 425.129897, (250, 300, 350, 400), 425.129897,
        (250, 300, 350, 400), 425.129897, 396.67805, 425.129897,
        (0.454897995, 0.366306993, 0.308821286, 0.267901429), 66.975357,
    ),
    Instance(
        "an optimum that no price supports", (100, 200, 300, 400), 1500, 0.193293872, 316.853207,
        (246.410162, 346.410162, 446.410162, 0), 401.446071, (225, 325, 425, 525), 405.917131, 291.042657, 401.446071,
        (0.454897995, 0.308821286, 0.237049591, 0.193293872), 77.317549,
    ),
    Instance(
        "a scarce budget", (50, 120, 300, 700, 1500), 1000, 0.125406902, 324.432999,
        (212.347538, 282.347538, 462.347538, 0, 0), 328.65507, (226.666667, 296.666667, 476.666667, 0, 0), 329.820152,
        186.72088, 328.653915, (0.618872492, 0.414107288, 0.237049591, 0.125406902, 0.065343231), 98.014846,
    ),
    Instance(
        "four identical queries", (300, 300, 300, 300), 1200, 0.237049591, 0.0, (0, 0, 0, 0), 272.938797,
        (400, 400, 400, 0), 284.459509, 0.0, 272.938797, (0.237049591,) * 4, 71.114877,
    ),
]  # fmt: skip

# slope 1.5, decay 0.005, threshold 200: spend, value, derivative
CURVE = [
    (0, 0.0, 0.0), (100, 0.0, 0.0), (201, 1.492518719, 1.485056125), (251.8342203638, 60.0, 0.857536461),
    (323.60679775, 99.936667549, 0.308821286), (400, 110.363832351, 0.0), (508.5282715527, 98.952232281, -0.174037774),
    (600, 81.201169942, -0.203002925), (800, 44.808361531, -0.149361205), (1200, 10.106920499, -0.040427682),
]  # fmt: skip

# price / slope, W0(e * price / slope), tokens beyond the threshold
DEMAND = [
    (1.0, 1.0, 0.0), (0.999, 0.999499812401, 0.10003752), (0.9, 0.948019593273, 10.396081345),
    (0.5, 0.685076942155, 62.984611569), (0.2, 0.374016759266, 125.196648147), (0.1, 0.21847923057, 156.304153886),
    (0.01, 0.026472658212, 194.705468358), (0.0001, 0.000271754322, 199.945649136), (0.0, 0.0, 200.0),
]  # fmt: skip

# tokens beyond the threshold, value of the surge, distribution function of Gamma(2, decay)
TRUNCATION = [
    (0, 0.0, 0.0), (50, 58.41005873, 0.026499021), (100, 90.979598957, 0.09020401), (200, 110.363832351, 0.264241118),
    (300, 100.408572067, 0.4421746), (400, 81.201169942, 0.59399415), (600, 44.808361531, 0.800851727),
    (1000, 10.106920499, 0.959572318),
]  # fmt: skip
