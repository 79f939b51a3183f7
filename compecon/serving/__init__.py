"""Texts answered by one elastic model, each at a size of its own."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
