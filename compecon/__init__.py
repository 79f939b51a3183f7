"""Attention under a budget: agents that value a scarce resource, one budget, one rule, one price.

>>> import compecon
>>> compecon.TopK(), compecon.KeyBudget(keys=8)
(TopK(), KeyBudget(keys=8, share=None))

Names are loaded when they are first used: importing this package loads neither torch nor transformers. More names are
in its packages: ``compecon.attention``, ``compecon.allocation`` and the others.
"""

from compecon._lazy import attach

__version__ = "0.1.0"
__getattr__, __dir__ = attach(__name__)
