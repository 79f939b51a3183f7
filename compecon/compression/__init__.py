"""Which heads and neurons a model has, what each is worth, and a smaller model without the others."""

from compecon._lazy import attach

__getattr__, __dir__ = attach(__name__)
