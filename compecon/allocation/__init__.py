"""Sharing one scarce budget between agents that value it differently: curves, rules, prices. NumPy and SciPy only."""
