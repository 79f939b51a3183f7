"""Sharing one scarce budget between agents that value it differently: curves, rules, prices. NumPy and SciPy only."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
