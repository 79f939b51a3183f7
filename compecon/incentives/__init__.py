"""Compute with a price: gates that open and close heads and neurons, what they cost, and what a unit of cost costs."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
