"""Attention under a budget: agents that value a scarce resource, one budget, one rule, one price.

Nothing is imported here, so that reading a recorded trace or listing checkpoints never loads torch. Import from the
module that defines a thing: ``from compecon.stats.inequality import gini``.
"""
