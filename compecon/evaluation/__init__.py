"""How good a model is at a task, under a budget or without, and where measurements are kept."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
