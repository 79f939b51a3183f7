"""Tasks: texts with targets, in splits, and metrics with their intervals."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
