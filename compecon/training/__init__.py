"""Training: fine-tuning with a price on compute, pruning, and how an interrupted one is resumed."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
