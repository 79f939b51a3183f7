"""Numbers about numbers: inequality of a distribution, Pareto fronts, intervals of differences."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
