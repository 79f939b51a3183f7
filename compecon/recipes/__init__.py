"""Whole undertakings: a training, a pruning, the bundle, an experiment and its report.

Import from the module of each thing; nothing is imported here, so that plans load without torch.
"""
