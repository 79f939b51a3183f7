"""Compute with a price: gates that open and close heads and neurons, what they cost, and what a unit of cost costs.

Import from the module of each thing; nothing is imported here.
"""
