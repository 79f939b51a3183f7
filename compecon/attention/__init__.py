"""Observing and limiting what a transformer's heads read: budgets, policies, blocks, the sweep."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
