"""Training: `transformers.Trainer` with a price on compute, safe checkpoints, and the phases it has.

Import from the module of each thing; nothing is imported here, so that settings load without torch.
"""
